"""Axe finds no fault on any page, in any language, in the dark and in the light."""

from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.live_server import Site
from tests.matrix import each_language
from tests.personas import path_in

pytestmark = pytest.mark.browser

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@pytest.fixture
def backend() -> str:
    """One database is enough: the pages look the same on both."""
    return "sqlite"


def violations(page: Page) -> list[str]:
    """What axe finds wrong in the dark, and of colours in the light as well, with the places."""
    page.wait_for_load_state()  # a click returns before the page that follows is read
    page.evaluate("scrollTo(0, 0)")  # axe measures only the visible part of an element below the header
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found = Axe().run(page, options=RULES).response["violations"]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    light = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}
    found += page.evaluate("options => axe.run(document, options)", light)["violations"]  # it is in the page by now
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def open_everything(page: Page) -> None:
    """Unfold all collapsed parts, so that axe checks them too."""
    page.evaluate("() => { for (const part of document.querySelectorAll('main details')) part.open = true; }")


@each_language
def test_the_public_pages_have_no_fault_in_any_language(page, open_site, language):
    for path in ("", "thanks", "privacy", "link-sent", "mastodon", "embed"):
        page.goto(f"{open_site.url}/{language}/{path}")
        open_everything(page)
        assert violations(page) == [], path


@each_language
def test_the_form_with_mistakes_has_none(page, open_site, language):
    page.goto(f"{open_site.url}/{language}/")
    page.fill("[name=email]", "ada@gmial.com")
    page.locator("[data-submit]").click()
    expect(page.locator("[data-email-suggestion]")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
def test_thanks_in_place_the_menu_and_errors_have_none(page, open_site, language):
    page.goto(f"{open_site.url}/{language}/")
    for name, value in {"given_name": "Ada", "email": "ada@example.org"}.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=country]", "GB")
    page.locator("[data-submit]").click()
    expect(page.locator("[data-thanks]")).to_be_visible()
    assert violations(page) == []
    page.locator(".language-menu summary").click()
    assert violations(page) == []
    page.goto(f"{open_site.url}/nothing")
    assert violations(page) == []


@each_language
def test_the_private_pages_have_none(page, private, language):
    links = sorted(path_in(mail) for mail in private.mails(2))
    for path in (links[0], confirmed(private, links[1]), links[0][:-2]):
        page.goto(f"{private.url}{path}?lang={language}")
        open_everything(page)
        assert violations(page) == [], path


def confirmed(site: Site, link: str) -> str:
    """Press the button behind `link` and return the receipt; a second time changes nothing."""
    with urlopen(Request(f"{site.url}{link}", b"")) as answer:
        return answer.url.removeprefix(site.url)


@pytest.mark.parametrize("stage", [["close"], ["deliver", "--on", "2013-12-10"]])
def test_the_closed_pages_have_none(page, site, stage):
    site.flask("petition", *stage)
    page.goto(f"{site.url}/en/")
    assert violations(page) == []


def test_axe_does_find_faults(page, open_site):
    page.goto(f"{open_site.url}/en/")
    page.evaluate("document.querySelector('label[for=email]').remove()")
    assert any(fault.startswith("label:") for fault in violations(page))


def test_axe_reports_violations_that_only_the_light_theme_has(page, open_site):
    page.goto(f"{open_site.url}/en/")
    page.evaluate("document.querySelector('.faq').style.color = '#eaf2fb'")
    faults = [fault for fault in violations(page) if ".faq-item" in fault]
    assert faults
    assert all(fault.startswith("color-contrast") for fault in faults)
