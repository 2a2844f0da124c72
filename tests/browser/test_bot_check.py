"""The bot check in a real browser: the work is done while somebody types, and those without JavaScript wait."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_end_to_end import fill_in

pytestmark = pytest.mark.browser


@pytest.fixture
def checked(site):
    site.flask("bot-check", "on")
    return site


def press(page: Page) -> None:
    page.get_by_role("button", name="Sign", exact=True).click()


def test_the_browser_does_its_work_while_somebody_types(page, checked):
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{checked.url}/en/")
    fill_in(page)
    expect(page.locator("altcha-widget [type=checkbox]")).to_be_checked()
    press(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    assert complaints == []
    assert [url for url in requested if not url.startswith(checked.url)] == []


def test_a_widget_that_cannot_work_stands_in_nobodys_way(page, checked):
    page.route("**/altcha.json", lambda route: route.abort())
    page.goto(f"{checked.url}/en/")
    fill_in(page)
    expect(page.locator("altcha-widget")).to_have_count(0)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("wait ten seconds")


def test_without_javascript_one_waits(browser, checked):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{checked.url}/en/")
    fill_in(page)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("wait ten seconds")
    page.wait_for_timeout(11_000)  # the wait itself is what is tried here
    press(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    context.close()
