"""The way out for somebody who must not be seen here."""

import re

import pytest
from playwright.sync_api import Page, expect

from campaign.web.headers import EXIT_URL
from tests.live_server import wait_for

pytestmark = pytest.mark.browser

PRESS_SLOWLY = """() => {
    for (const timeStamp of [1000, 2100, 3200]) {
        const press = new KeyboardEvent("keydown", { key: "Escape" });
        dispatchEvent(Object.defineProperty(press, "timeStamp", { value: timeStamp }));
    }
}"""


@pytest.fixture
def backend() -> str:
    """One database is enough: the pages look the same on both."""
    return "sqlite"


@pytest.fixture
def away(page: Page) -> Page:
    """A tab in which the neutral site answers, without this machine being connected to anything."""
    page.route(re.compile(re.escape(EXIT_URL)), lambda route: route.fulfill(body="<title>elsewhere</title>"))
    return page


def came_to(page: Page, site) -> None:
    page.goto("about:blank")
    page.goto(f"{site.url}/en/")


@pytest.mark.parametrize("way", ["button", "escape"])
def test_one_is_gone_and_back_does_not_lead_here(away, open_site, way):
    came_to(away, open_site)
    away.fill("[name=given_name]", "Ada")
    if way == "button":
        away.get_by_role("link", name="Exit this page").click()
    else:
        for _ in range(3):
            away.keyboard.press("Escape")
    away.wait_for_url(EXIT_URL)
    away.go_back()
    assert away.url == "about:blank"


def test_links_within_the_page_add_no_history_entry(away, open_site):
    came_to(away, open_site)
    away.locator(".film-intro .button").click()
    away.wait_for_url(re.compile("#sign$"))
    away.get_by_role("link", name="Exit this page").click()
    away.wait_for_url(EXIT_URL)
    away.go_back()
    assert away.url == "about:blank"


def test_going_back_after_a_quick_exit_leaves_again(away, open_site):
    came_to(away, open_site)
    away.fill("[name=message]", "For those who stay")
    away.goto(f"{open_site.url}/en/privacy")
    away.get_by_role("link", name="Exit this page").click()
    away.wait_for_url(EXIT_URL)
    with away.expect_request(EXIT_URL):  # again, from the page that "back" leads to
        away.go_back(wait_until="commit")
    away.wait_for_url(EXIT_URL)


def test_a_deliberate_new_visit_after_a_quick_exit_stays(away, open_site):
    came_to(away, open_site)
    away.get_by_role("link", name="Exit this page").click()
    away.wait_for_url(EXIT_URL)
    away.goto(f"{open_site.url}/en/")
    expect(away.locator("h1")).to_be_visible()
    assert away.evaluate("sessionStorage.length") == 0


def test_the_quick_exit_sends_no_referrer(away, open_site):
    told: list[dict[str, str]] = []
    away.on("request", lambda request: told.append(request.headers) if request.url == EXIT_URL else None)
    came_to(away, open_site)
    away.get_by_role("link", name="Exit this page").click()
    away.wait_for_url(EXIT_URL)
    assert [headers for headers in told if "referer" in headers] == []


def test_the_page_is_blank_at_once_even_if_the_way_out_does_not_answer(page, open_site):
    page.route(
        re.compile(re.escape(EXIT_URL)), lambda route: route.fulfill(status=204)
    )  # the browser stays where it is
    came_to(page, open_site)
    for field in ("[name=given_name]", "[name=message]", "[data-share-message]"):
        page.fill(field, "Ada")
    for _ in range(3):
        page.keyboard.press("Escape")
    wait_for(lambda: page.evaluate("getComputedStyle(document.documentElement).display") == "none", "the blank page")
    assert page.evaluate("document.title") == "…"
    typed = "[...document.querySelectorAll('input, textarea')].filter((field) => field.value === 'Ada').length"
    assert page.evaluate(typed) == 0


def test_other_keys_in_between_and_slow_presses_do_not_count(away, open_site):
    came_to(away, open_site)
    for key in ("Escape", "Escape", "Tab", "Escape", "Escape", "Tab"):
        away.keyboard.press(key)
    away.evaluate(PRESS_SLOWLY)
    expect(away.locator("h1")).to_be_visible()
    assert away.url.startswith(open_site.url)


@pytest.mark.parametrize("path", ["/en/thanks", "/en/privacy", "/nothing"])
def test_every_page_has_it(page, open_site, path):
    page.goto(open_site.url + path)
    expect(page.get_by_role("link", name="Exit this page")).to_be_in_viewport()


def test_without_javascript_it_is_a_link(browser, open_site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{open_site.url}/en/")
    link = page.get_by_role("link", name="Exit this page")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == (EXIT_URL, "noreferrer")
    context.close()
