"""The bot check in a real browser: the work is done while somebody types, and those without JavaScript wait."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_end_to_end import MARIA, fill_in
from tests.matrix import each_language

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def checked(ready, tmp_path_factory):
    """A campaign with the check."""
    with ready.site(tmp_path_factory.mktemp("checked"), CAMPAIGN_SIGN_LIMIT="").served() as site:
        site.flask("bot-check", "on")
        yield site


def press(page: Page) -> None:
    page.get_by_role("button", name="Sign the petition", exact=True).click()


def test_the_browser_does_its_work_while_somebody_types(page, checked):
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{checked.url}/en/")
    fill_in(page)
    expect(page.locator("altcha-widget [type=checkbox]")).to_be_checked()
    press(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_focused()
    assert complaints == []
    assert [url for url in requested if not url.startswith(checked.url)] == []


def test_a_submission_waits_for_the_bot_check(page, checked, hold):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.goto(f"{checked.url}/en/")
    held = hold("**/altcha.json")
    with page.expect_request("**/altcha.json"):
        fill_in(page)
    press(page)
    expect(page.locator("[data-submit]")).to_have_text("Sending…")
    assert asked == []
    held[0].continue_()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(asked) == 1


def test_a_lost_connection_loses_nothing(page, checked, context):
    page.goto(f"{checked.url}/en/")
    fill_in(page)
    expect(page.locator("altcha-widget [type=checkbox]")).to_be_checked()
    context.set_offline(True)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("You seem to be offline")
    expect(page.locator("[name=message]")).to_have_value(MARIA["message"])
    context.set_offline(False)
    press(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


@each_language
def test_the_widget_speaks_the_language_of_the_page(page, checked, language):
    page.goto(f"{checked.url}/{language}/")
    widget = page.locator("altcha-widget")
    texts = widget.evaluate("widget => JSON.parse(widget.dataset.texts)")
    expect(widget).to_contain_text(texts["label"])
    page.locator("[name=message]").focus()
    expect(widget).to_contain_text(texts["verified"])
    assert (texts["verified"] == "Check complete") == (language == "en")
    assert widget.evaluate("widget => getComputedStyle(widget).direction") == ("rtl" if language == "ar" else "ltr")


def test_a_widget_that_cannot_work_stands_in_nobodys_way(page, checked):
    page.route("**/altcha.json", lambda route: route.abort())
    page.goto(f"{checked.url}/en/")
    fill_in(page)
    expect(page.locator("altcha-widget")).to_have_count(0)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("Wait ten seconds")


@pytest.mark.long
def test_without_javascript_one_waits(browser, checked):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{checked.url}/en/")
    fill_in(page)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("Wait ten seconds")
    page.wait_for_timeout(11_000)  # the wait itself is under test
    press(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    context.close()
