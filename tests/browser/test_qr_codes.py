"""A phone can read every QR code off the screen: in any width, in the dark, in the light and in forced colours."""

from functools import partial

import cv2
import numpy as np
import pyotp
import pytest
from playwright.sync_api import Locator, Page

from campaign.accounts.totp import ISSUER
from tests.browser.test_organisers import begin, invitation
from tests.live_server import wait_for
from tests.personas import path_in
from tests.qr_reader import read_qr_code

pytestmark = pytest.mark.browser

SCREENS = [(320, 640), (360, 740), (390, 844), (412, 915), (768, 1024), (1024, 768), (1366, 768), (1920, 1080)]
LOOKS = [("light", "none"), ("dark", "none"), ("light", "active"), ("dark", "active")]
SCREENS_IN_OTHER_LOOKS = [(390, 844), (1920, 1080)]
EMAILS = ["grace@example.org", f"{'g' * 64}@{'long.' * 30}example.org"]


def decode(page: Page, box: dict[str, float]) -> str:
    """Return the text of the QR code that a screenshot shows around `box`; empty if it cannot be read."""
    around = {"x": box["x"] - 16, "y": box["y"] - 16, "width": box["width"] + 32, "height": box["height"] + 32}
    return read_qr_code(cv2.imdecode(np.frombuffer(page.screenshot(clip=around), np.uint8), cv2.IMREAD_GRAYSCALE))


def _says(page: Page, code: Locator, text: str) -> bool:
    """Return whether `code` says `text` now; it moves for a frame or two after the window has changed."""
    box = code.bounding_box()
    return box is not None and decode(page, box) == text


def assert_readable(page: Page, code: Locator, text: str) -> None:
    """Assert that `code` says `text` in a window of every size, and in every look that a system can ask for."""
    for scheme, forced in LOOKS:
        page.emulate_media(color_scheme=scheme, forced_colors=forced, reduced_motion="reduce")
        for width, height in SCREENS if (scheme, forced) == LOOKS[0] else SCREENS_IN_OTHER_LOOKS:
            page.set_viewport_size({"width": width, "height": height})
            code.evaluate("code => code.scrollIntoView({ block: 'center' })")
            box = code.bounding_box()
            assert 0 <= box["x"] < box["x"] + box["width"] <= width
            readable = partial(_says, page, code, text)
            wait_for(readable, f"a readable code at {width} pixels, {scheme}, forced colours: {forced}")


@pytest.mark.parametrize("email", EMAILS, ids=["short address", "long address"])
def test_the_code_of_the_second_factor(page, full_site, email):
    begin(page, invitation(full_site, email))
    secret = page.locator("main code").inner_text().replace(" ", "")
    label = email if len(email) <= 64 else f"{email[:63]}…"
    uri = pyotp.TOTP(secret).provisioning_uri(name=label, issuer_name=ISSUER)
    assert_readable(page, page.locator(".qr-code svg"), uri)


def test_the_code_in_a_window_of_its_own(page, open_site):
    page.goto(f"{open_site.url}/qr.svg?lang=ru&ref=abcdefghijk")
    assert_readable(page, page.locator("svg"), f"{open_site.url}/ru/?ref=abcdefghijk&via=qr")


@pytest.mark.parametrize("path", ["", "thanks"])
def test_the_code_on_the_page(page, open_site, path):
    page.goto(f"{open_site.url}/en/{path}")
    assert_readable(page, _unfold(page), f"{open_site.url}/en/?via=qr")


def test_the_code_on_a_receipt(page, private):
    page.goto(private.url + path_in(private.mails(2)[0]))
    if "/confirm/" in page.url:
        page.locator("main form button").first.click()
    page.wait_for_url("**/receipt/*")
    code = _unfold(page)
    ref = page.locator("#share-link").input_value().partition("?ref=")[2].partition("&")[0]
    assert len(ref) == 11
    assert_readable(page, code, f"{private.url}/en/?ref={ref}&via=qr")


def _unfold(page: Page) -> Locator:
    """Open what the code is folded in, and return the code."""
    page.evaluate("() => { for (const part of document.querySelectorAll('main details')) part.open = true; }")
    code = page.locator(".share-offline-qr img")
    code.scroll_into_view_if_needed()
    wait_for(lambda: code.evaluate("code => code.complete && code.naturalWidth > 0"), "the picture of the code")
    return code
