"""The main job in a real browser: watch, sign, confirm from the mail, and the organiser gets the CSV."""

import csv
import io
from base64 import b64encode

import pytest
from playwright.sync_api import Page, expect

from tests.leak_search import found_in
from tests.live_server import wait_for
from tests.personas import path_in

pytestmark = pytest.mark.browser

MARIA = {
    "given_name": "Мария ليلى",
    "family_name": "O'Hara-Nguyễn 🌈",
    "email": "maria.ohara@example.org",
    "country": "RU",
    "message": 'За тех, кто остаётся.\nFor those who stay; "quoted", and =1+1',
}
FRAMES = """video => video.currentTime > 0.5 && video.videoWidth > 0
    && video.getVideoPlaybackQuality().totalVideoFrames > 5"""


def watch(page: Page) -> None:
    button = page.get_by_role("button", name="Watch the film")
    if button.is_visible():
        button.press("Enter")
    else:  # without JavaScript the browser's own controls are there
        page.locator("video").focus()
        page.keyboard.press("Space")
    # Asked from outside, since without JavaScript the page cannot wait for anything itself.
    wait_for(lambda: page.locator("video").evaluate(FRAMES), "the film")


def fill_in(page: Page) -> None:
    for name in ("given_name", "family_name", "email", "message"):
        page.fill(f"[name={name}]", MARIA[name])
    page.select_option("[name=country]", MARIA["country"])
    page.check("[name=updates]")


def sign(page: Page) -> None:
    fill_in(page)
    page.get_by_role("button", name="Sign the petition", exact=True).click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def confirm(page: Page, site) -> None:
    page.goto(site.url + path_in(site.mails(1)[0]))
    site.waits_for_count(0)
    page.get_by_role("button", name="Confirm my signature").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your signature counts.")
    site.waits_for_count(1)


def exported(site) -> dict[str, str]:
    text = site.flask("signatures", "export", "--key-file", str(site.key_file))
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    return row


def test_a_supporter_watches_signs_and_confirms_and_is_in_the_csv(any_page, site):
    any_page.goto(f"{site.url}/en/?via=telegram")
    watch(any_page)
    sign(any_page)
    confirm(any_page, site)
    expected = MARIA | {"language": "en", "updates": "true", "show_name": "false", "via": "telegram", "referred_by": ""}
    row = exported(site)
    assert {name: row[name] for name in expected} == expected
    assert row["signed_at"] <= row["confirmed_at"]
    assert personal_data_in(site.instance) == []


def personal_data_in(instance) -> list[str]:
    """Return the files in the instance folder that contain the name or email address, except emails."""
    files = [path for path in instance.rglob("*") if path.is_file() and path.suffix != ".eml"]
    local_part = MARIA["email"].partition("@")[0]
    return found_in(
        files, [MARIA["given_name"], MARIA["family_name"], MARIA["email"], local_part, MARIA["message"][:10]]
    )


def test_the_raw_bytes_would_show_a_name(tmp_path):
    (tmp_path / "campaign.sqlite3-wal").write_bytes(b"..." + b64encode(b"x" + MARIA["email"].encode()) + b"...")
    assert personal_data_in(tmp_path)


def test_the_receipt_withdraws(any_page, site):
    any_page.goto(f"{site.url}/en/")
    sign(any_page)
    confirm(any_page, site)
    any_page.get_by_role("button", name="Withdraw my signature").click()
    expect(any_page.get_by_role("heading", level=1)).to_have_text("Withdraw your signature?")
    site.waits_for_count(1)
    any_page.get_by_role("button", name="Withdraw my signature").click()
    expect(any_page.get_by_role("heading", level=1)).to_have_text("Your signature has been withdrawn")
    site.waits_for_count(0)


def test_a_supporter_who_lost_the_email_can_withdraw_after_closing(any_page, site):
    any_page.goto(f"{site.url}/en/")
    sign(any_page)
    confirm(any_page, site)
    site.changes_petition("close")
    for mail in (site.instance / "mail").iterdir():
        mail.unlink()
    any_page.goto(f"{site.url}/en/")
    any_page.get_by_role("link", name="Lost your link?").click()
    any_page.fill("[name=email]", MARIA["email"])
    any_page.get_by_role("button", name="Send me my link").click()
    expect(any_page.get_by_role("heading", level=1)).to_have_text("Check your email")
    any_page.goto(site.url + path_in(site.mails(1)[0]))
    any_page.get_by_role("button", name="Withdraw my signature").click()
    expect(any_page.get_by_role("heading", level=1)).to_have_text("Withdraw your signature?")
    any_page.get_by_role("button", name="Withdraw my signature").click()
    expect(any_page.get_by_role("heading", level=1)).to_have_text("Your signature has been withdrawn")
    site.waits_for_count(0)


def test_an_error_appears_at_once_and_typed_values_stay(page, open_site):
    page.goto(f"{open_site.url}/en/")
    page.fill("[name=given_name]", MARIA["given_name"])
    page.fill("[name=email]", "no address")
    page.get_by_role("button", name="Sign the petition", exact=True).click()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.locator("[name=given_name]")).to_have_value(MARIA["given_name"])
    expect(page.locator("[name=email]")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("width", [320, 360, 768, 1366, 1920])
def test_nothing_sticks_out_at_any_width(page, open_site, width):
    page.set_viewport_size({"width": width, "height": 740})
    for path in ("/en/", "/en/thanks", "/en/privacy", "/nothing"):
        page.goto(open_site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_nothing_is_loaded_from_elsewhere(page, open_site):
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{open_site.url}/en/", wait_until="networkidle")
    assert [url for url in requested if not url.startswith(open_site.url)] == []
