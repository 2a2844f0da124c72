"""The organisers' room in a real browser: with and without JavaScript, with passkeys, and without a fault for axe."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import openpyxl
import pyotp
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.test_axe import open_everything, violations
from tests.live_server import Site, wait_for
from tests.organisers import PASSPHRASE, PASSWORD

pytestmark = pytest.mark.browser

ROOMS = ["", "export?purpose=full&dialect=plain", "hand-in", "signatures", "organisers", "settings", "activity"]
ROOMS += ["account"]
GRACE = "grace@example.org"


@pytest.fixture
def backend() -> str:
    """One database is enough: the pages look the same on both."""
    return "sqlite"


@pytest.fixture(scope="session")
def room(ready, tmp_path_factory) -> Iterator[Site]:
    """A campaign with signatures, known by a name."""
    site = ready.site(tmp_path_factory.mktemp("room"), CAMPAIGN_SIGN_LIMIT="").known_by_name()
    site.flask("signatures", "seed", "30")
    with site.served():
        yield site


def invitation(site: Site, email: str) -> str:
    """Return the address of an invitation for an owner who exports."""
    options = ("--role", "owner", "--export", "--key-file", str(site.key_file))
    found = re.search(r"http\S+/organise/invitation/\S+", site.flask("organisers", "add", email, *options))
    assert found is not None
    return found[0]


def begin(page: Page, address: str) -> None:
    """Open an invitation and create the account."""
    page.goto(address)
    page.fill("[name=chosen]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.click("main button")


def finish(page: Page) -> None:
    """Complete the steps after the second factor."""
    page.click("main form button")
    expect(page.locator(".backup-codes li")).to_have_count(10)
    page.click("main a.button")
    page.fill("[name=chosen]", PASSPHRASE)
    page.fill("[name=again]", PASSPHRASE)
    page.click("main form button")
    expect(page.locator("h1")).to_have_text("Your account is ready")


def come_in(page: Page, address: str) -> str:
    """Complete the registration with an authenticator app, and return the app's secret and the codes."""
    begin(page, address)
    secret = page.locator("main code").inner_text().replace(" ", "")
    page.fill("[name=code]", pyotp.TOTP(secret).now())
    page.click("main form.form button")
    finish(page)
    return secret


def test_an_organiser_registers_sees_every_page_and_exports(any_page, room, tmp_path):
    come_in(any_page, invitation(room, f"{tmp_path.name}@example.org"))
    any_page.click("main a.button")
    expect(any_page.locator(".stat-tiles")).to_contain_text("30")
    any_page.click("nav >> text=Export")
    any_page.select_option("#country", "")
    any_page.click("text=Count signatures")
    expect(any_page.locator("#rows")).to_have_text("30 signatures")
    any_page.fill("[name=reason]", "trial")
    any_page.fill("[name=passphrase]", PASSPHRASE)
    with any_page.expect_download() as download:
        any_page.click("main form[method=post] button")
    assert re.fullmatch(r"love-always-wins-full-spreadsheet-[\d-]{10}\.xlsx", download.value.suggested_filename)
    with Path(download.value.path()).open("rb") as file:
        assert openpyxl.load_workbook(file).active.max_row == 1 + 30


def test_the_delivery_document_shows_progress_and_is_downloaded(page, room, tmp_path):
    come_in(page, invitation(room, f"{tmp_path.name}@example.org"))
    page.goto(f"{room.url}/organise/hand-in")
    page.fill("[name=passphrase]", PASSPHRASE)
    page.fill("[name=confirm-secret]", PASSWORD)
    page.click("main form button")
    with page.expect_download(timeout=30_000) as download:
        page.locator("main a.button").click(timeout=30_000)  # it comes by itself
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")


def test_a_passkey_is_a_second_factor(page, room, tmp_path):
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    client.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    email = f"{tmp_path.name}@example.org"
    begin(page, invitation(room, email))
    page.click("[data-passkey] button")
    expect(page.locator("h1")).to_have_text("Backup codes")
    finish(page)
    for _ in range(2):  # each challenge is answered once, and another time another one
        page.click("header button[type=submit]")
        page.fill("[name=email]", email)
        page.fill("[name=password]", PASSWORD)
        page.click("main form button")
        page.click("[data-passkey] button")
        expect(page.locator(".stat-tiles")).to_be_visible()
    page.goto(f"{room.url}/organise/settings?of=fr")
    page.fill("[name=text]", 'Cher "CIO",\n\nparlez <enfin>.')
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("h1")).to_have_text("Confirm it’s you")
    assert violations(page) == []
    page.click("[data-passkey] button")
    expect(page.get_by_role("status")).to_contain_text("have been saved")
    expect(page.locator("[name=text]")).to_have_value('Cher "CIO",\n\nparlez <enfin>.')


@pytest.mark.parametrize("width", [320, 1366])
def test_asking_first_needs_no_script_and_fits_a_phone(browser, room, tmp_path, width):
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 700})
    page = context.new_page()
    come_in(page, invitation(room, f"{tmp_path.name}@example.org"))
    invited = f"{width}{'long' * 12}@{'example' * 8}.org"
    page.goto(f"{room.url}/organise/organisers")
    page.fill("main #email", invited)
    page.get_by_role("button", name="Create invitation").click()
    page.fill("[name=confirm-secret]", "a guess of mine")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#confirm-secret-error")).to_contain_text("Wrong password or code")
    page.fill("[name=confirm-secret]", PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("code.invitation-url")).to_contain_text("/organise/invitation/")
    page.get_by_role("listitem").filter(has_text=invited).get_by_role("button").click()
    expect(page.locator("h1")).to_have_text(f"Withdraw the invitation for {invited}?")
    button = page.get_by_role("button", name="Withdraw invitation").bounding_box()
    assert button is not None
    assert button["x"] + button["width"] <= width
    page.get_by_role("button", name="Withdraw invitation").click()
    expect(page.get_by_text(invited)).to_have_count(0)
    context.close()


def test_a_view_is_counted_as_the_page_is_left(page, open_site):
    before = views(open_site)
    page.goto(f"{open_site.url}/nl/")
    page.goto("about:blank")
    wait_for(lambda: views(open_site) > before, "the view among what was counted")


def views(site: Site) -> int:
    """Return how often the Dutch page was opened, which no other test does and leaves."""
    with closing(sqlite3.connect(site.instance / "campaign.sqlite3")) as database:
        return database.execute(
            "SELECT coalesce(sum(number), 0) FROM page_view_counts WHERE language = 'nl'"
        ).fetchone()[0]


def test_figures_refresh_and_keep_open_details(page, room, tmp_path):
    come_in(page, invitation(room, f"{tmp_path.name}@example.org"))
    page.goto(f"{room.url}/organise/")
    page.locator("summary", has_text="Show table").first.click()
    first = page.locator(".admin-page > p.text-small").inner_text()
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(lambda: page.locator(".admin-page > p.text-small").inner_text() != first or _ask(page), "newer figures")
    expect(page.locator("details[open] table").first).to_be_visible()


def _ask(page: Page) -> bool:
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    time.sleep(0.3)
    return False


@pytest.fixture(scope="session")
def signed_in(room: Site, browser: Browser) -> StorageState:
    """What the browser of an organiser who is in keeps."""
    context = browser.new_context()
    page = context.new_page()
    come_in(page, invitation(room, GRACE))
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def inside(browser: Browser, signed_in: dict) -> Iterator[Page]:
    """A tab of an organiser who is in."""
    context = browser.new_context(storage_state=signed_in)
    yield context.new_page()
    context.close()


def at(room: Site, path: str, language: str) -> str:
    return f"{room.url}/organise/{path}{'&' if '?' in path else '?'}lang={language}"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_admin_page_has_an_axe_violation(inside, room, language):
    for path in ROOMS:
        inside.goto(at(room, path, language))
        open_everything(inside)
        assert violations(inside) == [], path


def test_log_in_and_registration_have_no_axe_violation(page, room):
    page.goto(f"{room.url}/organise/sign-in")
    assert violations(page) == []
    address = invitation(room, "axe@example.org")
    page.goto(address)
    assert violations(page) == []
    begin(page, address)
    assert violations(page) == []
    page.fill("[name=code]", "1")
    page.click("main form.form button")
    assert violations(page) == []
