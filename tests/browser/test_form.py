"""The form in a real browser with JavaScript: it explains, keeps, waits and never sends twice."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.live_server import wait_for

pytestmark = pytest.mark.browser

ADA = {"given_name": "Ada", "family_name": "Lovelace", "message": "For those who stay"}


@pytest.fixture
def backend() -> str:
    """One database is enough: the pages look the same on both."""
    return "sqlite"


def opened(page: Page, site, language: str = "en", where: str = "") -> Page:
    page.goto(f"{site.url}/{language}/{where}")
    return page


def fill_in(page: Page, email: str = "ada@example.org") -> None:
    for name, value in {**ADA, "email": email}.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=country]", "GB")


def typed(page: Page) -> dict[str, str]:
    return {name: page.locator(f"[name={name}]").input_value() for name in ADA}


def send(page: Page) -> None:
    page.locator("[data-submit]").click()


def press(page: Page, target: Locator) -> None:
    """Click like a person: without scrolling to elements that are visible already."""
    box = target.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_errors_appear_beside_the_field_and_at_the_top_without_a_request(page, open_site):
    asked: list[str] = []
    opened(page, open_site)
    page.on("request", lambda request: asked.append(request.method))
    page.fill("[name=email]", "no address")
    send(page)
    summary = page.get_by_role("alert").filter(has_text="Almost")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("listitem")).to_have_count(3)
    email = page.locator("[name=email]")
    expect(email).to_have_accessible_description(re.compile("in the format name@example.org"))
    summary.get_by_role("link", name="in the format").click()
    expect(email).to_be_focused()
    email.fill("ada@example.org")
    expect(email).not_to_have_attribute("aria-invalid", "true")
    assert "POST" not in asked


def test_errors_of_the_server_appear_in_the_same_place(page, open_site):
    opened(page, open_site)
    fill_in(page, "ada@no-such-ending")
    send(page)
    expect(page.locator("#email-error")).to_contain_text("in the format name@example.org")
    expect(page.locator(".form-error-summary")).to_be_focused()
    assert typed(page) == ADA


@pytest.mark.parametrize(
    "pasted", ["mailto:ada@example.org", "Ada <ada@example.org>", "ada@example.org.", "ada＠example．org"]
)
def test_a_pasted_address_is_sent_as_it_is(page, open_site, pasted):
    opened(page, open_site)
    fill_in(page, pasted)
    send(page)
    expect(page.locator(".thanks-title")).to_be_focused()


def test_it_is_answered_in_place_with_ways_to_share(page, open_site):
    opened(page, open_site)
    fill_in(page)
    send(page)
    heading = page.get_by_role("heading", name="Thank you")
    expect(heading).to_be_focused()
    expect(page.locator("#share-link")).to_have_count(1)
    expect(page.get_by_role("link", name="Share via Facebook")).to_have_count(1)
    page.get_by_text("More ways to share").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    assert page.url == f"{open_site.url}/en/"


def test_a_double_click_sends_once(page, site):
    opened(page, site)
    fill_in(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.locator("[data-submit]").dblclick()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(sent) == 1
    assert len(site.mails(1)) == 1


def test_while_it_is_sent_the_button_says_so(page, open_site, hold):
    opened(page, open_site)
    fill_in(page)
    held = hold("**/sign")
    with page.expect_request("**/sign"):
        send(page)
    expect(page.locator("[data-submit]")).to_have_text("Sending…")
    expect(page.locator("[data-submit]")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_returning_visitor_can_submit_again(page, open_site):
    opened(page, open_site)
    page.evaluate("document.querySelector('[data-submit]').ariaBusy = 'true'")  # as it was when they went on
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    fill_in(page)
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_lost_connection_loses_nothing(page, open_site, context):
    opened(page, open_site)
    fill_in(page)
    context.set_offline(True)
    send(page)
    expect(page.locator(".form-error-summary")).to_contain_text("You seem to be offline")
    expect(page.locator("[data-submit]")).to_have_text("Sign the petition")
    assert typed(page) == ADA
    context.set_offline(False)
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_busy_server_is_asked_again(page, site):
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": "Many people are here just now."}
    opened(page, site)
    fill_in(page)
    page.route("**/sign", lambda route: route.fulfill(**busy), times=2)
    send(page)
    expect(page.locator(".thanks-title")).to_be_visible(timeout=10_000)
    assert len(site.mails(1)) == 1


def test_a_server_that_stays_busy_keeps_nobody_waiting(page, open_site):
    busy = {"status": 503, "headers": {"Retry-After": "60"}, "json": {"errors": {"form": ["Try again in a minute."]}}}
    opened(page, open_site)
    fill_in(page)
    page.route("**/sign", lambda route: route.fulfill(**busy))
    send(page)
    expect(page.locator(".form-error-summary")).to_contain_text("Try again in a minute.")
    assert typed(page) == ADA


def test_an_unusable_response_is_reported_as_such(page, open_site):
    opened(page, open_site)
    fill_in(page)
    page.route("**/sign", lambda route: route.fulfill(status=502, body="<html>Bad Gateway"))
    send(page)
    expect(page.locator(".form-error-summary")).to_contain_text("Sorry, something went wrong")
    assert typed(page) == ADA


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmail.co", "ada@gmail.com"),
        ("ada@hotmial.com", "ada@hotmail.com"),
        ("ada@yandx.ru", "ada@yandex.ru"),
        ("ada@Outlok.com", "ada@outlook.com"),
    ],
)
def test_a_typing_error_in_a_known_domain_is_noticed(page, open_site, address, meant):
    opened(page, open_site)
    page.fill("[name=email]", address)
    page.locator("[name=email]").blur()
    page.get_by_role("button", name="did you mean").click()
    expect(page.locator("[name=email]")).to_have_value(meant)
    expect(page.get_by_role("button", name="did you mean")).to_have_count(0)


@pytest.mark.parametrize(
    "address",
    [
        "ada@gmail.com",
        "ada@mail.com",
        "ada@example.org",
        "ada@bk.ru",
        "ada",
        "@gmial.com",
        "ada@hotmail.de",
        "ada@yandex.by",
        "ada@yahoo.ca",
        "ada@email.com",
    ],
)
def test_other_addresses_are_left_alone(page, open_site, address):
    opened(page, open_site)
    page.fill("[name=email]", address)
    page.locator("[name=email]").blur()
    expect(page.locator("[data-email-suggestion]")).to_be_hidden()


def test_the_hint_moves_nothing_from_under_the_pointer(page, open_site):
    opened(page, open_site)
    page.fill("[name=email]", "ada@gmial.com")
    page.evaluate("document.querySelector('[data-submit]').scrollIntoView({ behavior: 'instant', block: 'center' })")
    box = page.locator("[data-submit]").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 5)
    page.mouse.down()
    assert page.locator("[data-submit]").bounding_box() == box
    expect(page.locator("[data-email-suggestion]")).to_be_hidden()
    page.mouse.up()
    expect(page.locator("[data-email-suggestion]")).to_be_visible()
    expect(page.locator(".form-error-summary")).to_be_visible()


def test_an_address_is_taken_as_it_was_typed(page, site):
    opened(page, site)
    fill_in(page, "ada@gmial.com")
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert site.mails(1)[0]["To"] == "ada@gmial.com"


def test_a_change_of_language_keeps_the_place_and_typed_values(page, open_site):
    opened(page, open_site, where="?via=telegram")
    fill_in(page)
    page.check("[name=show_name]")
    page.evaluate("document.querySelector('#sign').scrollIntoView({ behavior: 'instant' })")
    press(page, page.locator("summary", has_text="English"))
    press(page, page.get_by_role("link", name="Русский"))
    page.wait_for_url(f"{open_site.url}/ru/?via=telegram#sign")
    assert typed(page) == ADA
    expect(page.locator("[name=show_name]")).to_be_checked()
    expect(page.locator("[name=country]")).to_have_value("GB")
    expect(page.locator("[name=via]")).to_have_value("telegram")
    expect(page.locator("[name=lang]")).to_have_value("ru")
    expect(page.locator("#sign")).to_be_in_viewport()
    assert page.evaluate("sessionStorage.length") == 0
    page.reload()
    expect(page.locator("[name=message]")).to_have_value("")


def test_escape_closes_the_languages_and_leads_back_to_their_button(page, open_site):
    opened(page, open_site)
    menu = page.locator("summary", has_text="English")
    menu.press("Enter")
    page.get_by_role("link", name="Русский").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Русский")).to_be_hidden()
    expect(menu).to_be_focused()


def test_the_browsers_country_is_offered_and_not_chosen(browser, open_site):
    context = browser.new_context(locale="de-AT")
    page = opened(context.new_page(), open_site)
    country = page.locator("[name=country]")
    expect(country).to_have_value("")
    assert country.locator("optgroup option").first.get_attribute("value") == "AT"
    context.close()


def test_the_petition_text_shows_the_typed_name(page, open_site):
    opened(page, open_site)
    expect(page.locator("[data-signature]")).to_be_hidden()
    page.locator("[name=given_name]").press_sequentially("Ada")
    expect(page.locator("[data-signature]")).to_have_text("Signed, Ada")


def test_showing_the_name_and_updates_are_off_by_default(page, open_site):
    opened(page, open_site)
    expect(page.locator("[name=show_name]")).not_to_be_checked()
    expect(page.locator("[name=updates]")).not_to_be_checked()


def test_the_count_goes_on(page, open_site):
    page.clock.install()
    opened(page, open_site)
    page.route("**/count.json", lambda route: route.fulfill(json={"count": 1234, "goal": 2500}))
    page.evaluate(
        "document.querySelector('.signature-count-text').innerHTML = '<b data-count>2</b> of <i data-goal>5</i>'"
    )
    page.evaluate("document.querySelector('progress').value = 2")
    page.clock.run_for(31_000)
    expect(page.locator(".signature-count-text")).to_have_text("1,234 of 2,500")
    assert page.locator("[data-copy=share-link]").text_content().strip() == "Copy"
    assert page.locator("progress").evaluate("bar => [bar.value, bar.max]") == [1234, 2500]


def test_words_that_would_not_fit_the_number_stay_until_they_do(page, open_site):
    page.clock.install()
    opened(page, open_site, "ru")
    page.route("**/count.json", lambda route: route.fulfill(json={"count": 22, "goal": 100}))
    page.evaluate("document.querySelector('.signature-count-text').innerHTML = '<b data-count>21</b> человек'")
    page.evaluate("document.querySelector('progress').value = 21")
    page.clock.run_for(31_000)
    wait_for(lambda: page.evaluate("document.querySelector('progress').value") == 22, "the count")
    expect(page.locator(".signature-count-text")).to_have_text("21 человек")
    page.unroute("**/count.json")
    page.route("**/count.json", lambda route: route.fulfill(json={"count": 23, "goal": 100}))
    page.clock.run_for(31_000)
    wait_for(lambda: page.evaluate("document.querySelector('progress').value") == 23, "the next count")
    expect(page.locator(".signature-count-text")).to_have_text("21 человек")


def test_typed_values_are_discarded_by_any_page_and_after_a_while(page, open_site):
    opened(page, open_site)
    keep = "(at) => sessionStorage.setItem('typed', JSON.stringify({ at, typed: [['message', 'left behind']] }))"
    page.evaluate(keep, 0)
    opened(page, open_site, "fr")
    expect(page.locator("[name=message]")).to_have_value("")
    page.evaluate(f"({keep})(Date.now())")
    opened(page, open_site, "en", "privacy")
    assert page.evaluate("sessionStorage.length") == 0


def test_nothing_is_sent_while_the_answer_could_not_be_shown(page, open_site):
    opened(page, open_site)
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.route("**/en/thanks", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    fill_in(page)
    send(page)
    expect(page.locator(".form-error-summary")).to_contain_text("Sorry, something went wrong")
    expect(page.locator("[data-submit]")).to_have_text("Sign the petition")
    assert posted == []
