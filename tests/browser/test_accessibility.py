"""Accessibility of the pages: keyboard use, reading order, zoom."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.live_server import wait_for
from tests.matrix import each_language
from tests.personas import path_in

pytestmark = pytest.mark.browser


@pytest.fixture
def backend() -> str:
    """One database is enough: the pages look the same on both."""
    return "sqlite"


def test_everything_works_by_keyboard(page, site):
    page.goto(f"{site.url}/en/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "[name=given_name]")
    page.keyboard.type("Ada")
    tab_to(page, "[name=email]")
    page.keyboard.type("ada@example.org")
    tab_to(page, "[name=country]")
    page.keyboard.type("United K")
    tab_to(page, "[name=show_name]")
    page.keyboard.press("Space")
    tab_to(page, "[data-submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_focused()
    page.goto(site.url + path_in(site.mails(1)[0]))
    tab_to(page, "main button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your signature counts.")


def tab_to(page: Page, css: str) -> None:
    """Press Tab until the first of `css` has the focus; each stop on the way must be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """(css) => {
                const at = document.activeElement, box = at.getBoundingClientRect();
                const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                const outline = getComputedStyle(at).outlineStyle !== "none";
                return { there: at === document.querySelector(css), seen: at.contains(top) || !top, outline };
            }""",
            css,
        )
        assert here["outline"]
        if here["there"]:
            assert here["seen"]  # nothing that stays on the screen covers it (WCAG 2.4.11)
            return
    raise AssertionError(f"{css} cannot be reached")


def test_a_screen_reader_meets_the_page_in_its_order(page, open_site):
    page.goto(f"{open_site.url}/en/")
    expect(page.locator(".sign-bar")).to_be_hidden()  # since the other way to the form is seen
    expect(page.locator("body")).to_match_aria_snapshot("""
      - link "Skip to main content"
      - banner:
        - link "Love Always Wins"
        - group
        - link "Exit this page (or press Esc three times)"
      - main:
        - region "What if living your dream meant living a lie?":
          - button /Watch the film/
          - heading "What if living your dream meant living a lie?" [level=1]
          - progressbar "Progress towards the goal"
          - link "Sign the petition"
          - navigation "Chapters"
        - region "The letter":
          - heading "The letter" [level=2]
          - blockquote
        - region "Sign the petition":
          - heading "Sign the petition" [level=2]
          - textbox "First name"
          - textbox "Last name (optional)"
          - textbox "Email address"
          - combobox "Country"
          - textbox "Why are you signing? (optional)"
          - checkbox "Keep me posted by email"
          - checkbox "Show my first name and country on this page"
          - button "Sign the petition"
        - region "Before you sign"
        - region "Share the film"
        - region "The facts behind the film"
      - contentinfo
    """)
    page.evaluate("document.querySelector('.facts').scrollIntoView({ behavior: 'instant' })")
    expect(page.get_by_role("banner").get_by_role("link", name="Sign now")).to_be_visible()


@each_language
@pytest.mark.parametrize("width", [320, 683])  # 1280 at 400%, and 1366 at 200% (WCAG 1.4.10, 1.4.4)
def test_nothing_is_lost_when_zoomed_in(page, open_site, private, language, width):
    page.set_viewport_size({"width": width, "height": 512})
    public = [f"{open_site.url}/{language}/{path}" for path in ("", "thanks", "privacy", "mastodon")]
    for url in (*public, f"{private.url}{path_in(private.mails(2)[0])}?lang={language}"):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") == width, url
        cut = """() => [...document.querySelectorAll("main :is(p, h1, h2, h3, a, button, label, summary, li, dd, dt)")]
            .filter((part) => part.offsetWidth > 1 && part.scrollWidth > part.clientWidth + 1 && part.clientWidth)
            .map((part) => part.textContent.trim().slice(0, 40))"""
        assert page.evaluate(cut) == [], url


def test_text_can_be_twice_as_large(page, open_site):
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{open_site.url}/en/")
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    assert page.evaluate("document.documentElement.scrollWidth") == 1366


def test_targets_are_large_enough(page, open_site):
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("", "thanks", "privacy", "mastodon", "embed"):
        page.goto(f"{open_site.url}/en/{path}")
        small = page.evaluate("""() => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
            .filter((part) => part.offsetWidth && !part.closest("p, .field-honeypot, [aria-hidden]"))
            .map((part) => [part.textContent.trim().slice(0, 30), part.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)""")
        assert small == []


def test_reduced_motion_is_respected(browser, open_site):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{open_site.url}/en/thanks")
    assert page.evaluate("document.getAnimations().length") == 0
    context.close()
    context = browser.new_context(reduced_motion="no-preference")
    page = context.new_page()
    page.goto(f"{open_site.url}/en/thanks")
    assert page.evaluate("document.getAnimations().length") > 0
    context.close()


def test_forced_colours_keep_buttons_and_progress_visible(browser, open_site):
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(f"{open_site.url}/en/")
    border = page.locator("[data-submit]").evaluate("it => getComputedStyle(it).borderTopWidth")
    assert border == "2px"
    assert page.locator("progress").first.evaluate("it => getComputedStyle(it).borderTopStyle") == "solid"
    context.close()


def test_the_printed_page_has_the_petition_text_and_the_facts(page, open_site):
    page.goto(f"{open_site.url}/en/")
    page.emulate_media(media="print")
    expect(page.locator(".petition-text")).to_be_visible()
    expect(page.locator(".facts")).to_be_visible()
    expect(page.locator("form")).to_be_hidden()
    expect(page.locator(".site-header")).to_be_hidden()


def test_the_page_is_read_from_right_to_left(page, open_site):
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{open_site.url}/ar/")
    film, words = (page.locator(css).bounding_box()["x"] for css in (".film-stage", ".film-intro"))
    assert film > words
    assert re.match("ar", page.evaluate("document.documentElement.lang"))
    wait_for(lambda: page.locator(".site-header-title").bounding_box()["x"] > 1000, "the name on the right")
