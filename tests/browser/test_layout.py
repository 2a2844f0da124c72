"""No page is wider than its window, and no heading breaks inside a word: in nine languages and two sets of fonts."""

from collections.abc import Iterator

import cv2
import numpy as np
import pyotp
import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from tests import services
from tests.browser.full_site import EMAIL, LONG_EMAIL, NAME, Links, fill
from tests.browser.test_organisers import begin, come_in, invitation
from tests.live_server import Site
from tests.matrix import all_languages, each_language
from tests.organisers import PASSPHRASE, PASSWORD

pytestmark = pytest.mark.browser

HEIGHTS = {320: 568, 360: 740, 390: 844, 412: 915, 768: 1024, 1024: 768, 1366: 768, 1920: 1080}
FONTS = {
    "DejaVu": {"--sans": '"DejaVu Sans"', "--serif": '"DejaVu Serif"'},
    "Roboto and Noto": {
        "--sans": 'Roboto, "Noto Sans", "Noto Sans Arabic"',
        "--serif": '"Noto Serif", "Noto Naskh Arabic"',
    },
}
ALL_WINDOWS = [(fonts, width) for fonts in FONTS for width in HEIGHTS]
# The layout changes at 64 rem only, and on either side the narrowest window is the worst. The page that visitors come
# to is looked at in all windows, the others in these.
WORST_WINDOWS = [("DejaVu", 320), ("DejaVu", 1024), ("DejaVu", 1920), ("Roboto and Noto", 320)]
ROOMS = ["", "export?purpose=full&dialect=plain", "hand-in", "signatures", "organisers", "settings", "activity"]
ROOMS += ["account", "names"]

# Text that only machines read, and regions that scroll by themselves, are left out.
FAULTS = """async ([families, isFirstView]) => {
  for (const [name, fonts] of Object.entries(families)) document.documentElement.style.setProperty(name, fonts);
  scrollTo({ top: 0, left: 0, behavior: "instant" });
  const faults = [], width = innerWidth, page = document.documentElement;
  if (page.scrollWidth > width) faults.push(`the page is ${page.scrollWidth} wide`);
  const isSeen = (part) => part.checkVisibility({ visibilityProperty: true }) && part.offsetWidth > 1
    && !part.closest(".visually-hidden, .field-honeypot, .skip-link, .table-scroll, [aria-hidden]");
  const named = (part) => `${part.localName}.${part.className} “${part.textContent.trim().slice(0, 30)}”`;
  const texts = "a, button, label, h1, h2, h3, p, li, dd";
  for (const part of document.querySelectorAll(`${texts}, input, select, textarea, summary, th, img, svg`)) {
    if (!isSeen(part)) continue;
    const { left, right } = part.getBoundingClientRect();
    if (left < -0.5 || right > width + 0.5) faults.push(`${named(part)} goes from ${left} to ${right}`);
    const isCut = part.clientWidth && part.scrollWidth > part.clientWidth + 1;
    if (part.matches(texts) && isCut) faults.push(`${named(part)} is cut off`);
  }
  const range = document.createRange();
  for (const part of document.querySelectorAll("h1, h2, h3, th[scope=col], dt, .button, .admin-nav a")) {
    if (!part.checkVisibility() || part.querySelector("bdi") || part.closest("bdi")) continue;
    const nodes = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      for (const { 0: word, index } of nodes.currentNode.data.matchAll(/[\\p{L}\\p{M}\\p{N}’']+/gu)) {
        range.setStart(nodes.currentNode, index);
        range.setEnd(nodes.currentNode, index + word.length);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.bottom / 4)));
        if (lines.size > 1) faults.push(`“${word}” in ${part.localName} is broken`);
      }
    }
  }
  const isInView = (link) => {
    const { top, bottom } = link.getBoundingClientRect();
    return link.checkVisibility({ visibilityProperty: true }) && top >= 0 && bottom <= innerHeight;
  };
  const leadsToForm = () => [...document.querySelectorAll('a[href="#sign"]')].some(isInView);
  const end = performance.now() + 3000; // the bar comes and goes a frame or two after the window has changed
  while (isFirstView && !leadsToForm() && performance.now() < end) await new Promise(requestAnimationFrame);
  if (isFirstView && !leadsToForm()) faults.push("the button that leads to the form is out of sight");
  return faults;
}"""


@pytest.fixture(autouse=True)
def fonts() -> None:
    """The fonts that the pages are set in are there."""
    if reason := services.why_no_fonts():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def links(full_site: Site) -> Links:
    """The links of two signatures, once the campaign is full."""
    return fill(full_site)


@pytest.fixture(scope="session")
def organiser(full_site: Site, links: Links, browser: Browser) -> StorageState:
    """What the browser of a signed-in organiser stores."""
    context = browser.new_context()
    page = context.new_page()
    come_in(page, invitation(full_site, LONG_EMAIL))
    page.goto(f"{full_site.url}/organise/export?purpose=full&dialect=plain")
    page.fill("[name=reason]", "W" * 200)
    page.fill("[name=passphrase]", PASSPHRASE)
    with page.expect_download():
        page.click("main form[method=post] button")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def room(browser: Browser, organiser: dict) -> Iterator[Page]:
    """A tab of a signed-in organiser."""
    context = browser.new_context(storage_state=organiser)
    yield context.new_page()
    context.close()


def faults(page: Page, *, windows: list[tuple[str, int]] = WORST_WINDOWS, is_first_view: bool = False) -> list[str]:
    """Return the faults of the open page, unfolded, in each of `windows`: a set of fonts and a width."""
    page.wait_for_load_state()
    page.evaluate("() => { for (const part of document.querySelectorAll('details')) part.open = true; }")
    faults = []
    for fonts, width in windows:
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        found = page.evaluate(FAULTS, [FONTS[fonts], is_first_view])
        faults += [f"{page.url} {width} {fonts}: {fault}" for fault in found]
    return faults


def submit(page: Page) -> None:
    """Send the form without the script's help, and wait for the page that the server answers with."""
    with page.expect_navigation():
        page.locator("main form").first.evaluate("form => { HTMLFormElement.prototype.submit.call(form); }")


def press(page: Page, button: str) -> None:
    """Press a button, and wait for the page that the server answers with: a click alone returns before it is read."""
    with page.expect_navigation():
        page.click(button)


@each_language
def test_public_pages(page, full_site, links, language):
    found = []
    for path in ("", "thanks", "privacy", "link-sent", "mastodon", "embed"):
        page.goto(f"{full_site.url}/{language}/{path}")
        found += faults(page, is_first_view=not path, windows=WORST_WINDOWS if path else ALL_WINDOWS)
    for path in (links.confirm, links.receipt, "/confirm/abc", "/nothing"):
        page.goto(f"{full_site.url}{path}?lang={language}")
        found += faults(page)
    assert not found, "\n".join(found)


@each_language
def test_forms_full_of_text(page, full_site, links, language):
    page.goto(f"{full_site.url}/{language}/")
    fields = {"given_name": NAME, "family_name": NAME, "email": LONG_EMAIL.replace("example.org", "gmial.com")}
    for name, value in (fields | {"message": NAME}).items():
        page.fill(f"[name={name}]", value)
    page.locator("[name=email]").blur()
    page.locator("[data-submit]").click()
    found = faults(page)
    page.fill("[name=email]", "typo")
    submit(page)
    found += faults(page)
    page.goto(f"{full_site.url}/{language}/mastodon")
    page.fill("[name=instance]", f"{'w' * 60}.{'w' * 60}.example.org")
    submit(page)
    found += faults(page)
    assert not found, "\n".join(found)


@all_languages
@pytest.mark.parametrize("state", [["close"], ["deliver", "--on", "2013-12-10"]], ids=["closed", "delivered"])
def test_pages_after_the_end(page, full_site, links, state, languages):
    full_site.changes_petition(*state)
    try:
        found = []
        for language in languages:
            for path in (f"/{language}/", f"/{language}/thanks", f"/{language}/embed"):
                page.goto(full_site.url + path)
                found += faults(page)
            for path in (links.confirm, links.receipt):
                page.goto(f"{full_site.url}{path}?lang={language}")
                found += faults(page)
        assert not found, "\n".join(found)
    finally:
        full_site.changes_petition("open")


@each_language
def test_organisers_pages(room, full_site, language):
    found = []
    for path in ROOMS:
        room.goto(f"{full_site.url}/organise/{path}{'&' if '?' in path else '?'}lang={language}")
        found += faults(room)
    room.goto(f"{full_site.url}/organise/signatures?lang={language}")
    room.fill("main [name=email]", EMAIL)
    press(room, "main form button")
    found += confirmed(room)
    room.fill("[name=passphrase]", PASSPHRASE)
    press(room, "main form:has([name=passphrase]) button")
    found += faults(room)
    press(room, "main form[action$=erase] button")
    found += faults(room)  # of the question, which stays unanswered
    assert room.locator("[data-confirm]").count() == 1
    assert not found, "\n".join(found)


def confirmed(room: Page) -> list[str]:
    """Enter the password if the page asks for it, as it does every five minutes, and return that page's faults."""
    if not room.locator("[data-confirm]").count():
        return []
    found = faults(room)
    room.fill("[name=confirm-secret]", PASSWORD)
    press(room, "[data-confirm] button")
    return found


@all_languages
def test_the_steps_behind_an_invitation(page, full_site, languages):
    found = faults_in(page, f"{full_site.url}/organise/sign-in", languages)
    address = invitation(full_site, f"{languages[0]}{LONG_EMAIL[2:]}")
    found += faults_in(page, address, languages)
    begin(page, f"{address}?lang=en")
    secret = page.locator("main code").inner_text().replace(" ", "")
    found += faults_in(page, page.url, languages)
    page.fill("[name=code]", pyotp.TOTP(secret).now())
    press(page, "main form.form button")
    press(page, "main form button")
    found += faults(page)  # the codes, shown once
    found += faults_in(page, f"{address}/passphrase", languages)
    assert not found, "\n".join(found)


def faults_in(page: Page, address: str, languages: list[str]) -> list[str]:
    """Return the faults of the page at `address` in each of `languages`."""
    found = []
    for language in languages:
        page.goto(f"{address.partition('?')[0]}?lang={language}")
        found += faults(page)
    return found


# 1280 × 1024 and 1366 × 768 at 400%, a phone on its side, and a laptop at 175%.
@pytest.mark.parametrize(("width", "height"), [(320, 256), (342, 192), (844, 390), (1097, 439)])
def test_a_short_window_is_left_to_the_page(page, full_site, links, width, height):
    page.set_viewport_size({"width": width, "height": height})
    for url in (f"{full_site.url}/ru/", f"{full_site.url}{links.receipt}?lang=ru"):
        page.goto(url)
        page.evaluate("scrollTo({ top: 1.5 * innerHeight, behavior: 'instant' })")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        stuck = """() => [...document.querySelectorAll("body *")].filter((part) =>
            ["fixed", "sticky"].includes(getComputedStyle(part).position)
            && part.checkVisibility({ visibilityProperty: true })).map((part) => part.className)"""
        assert page.evaluate(stuck) == []


def test_the_way_to_the_form_stays_in_a_short_window(page, open_site):
    page.set_viewport_size({"width": 844, "height": 390})
    page.goto(f"{open_site.url}/en/")
    page.locator(".film-intro a.button").click()
    expect(page.locator("#sign-title")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_forced_colours_keep_the_sign_to_play(page, open_site, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(f"{open_site.url}/en/")
    sign = colours(page.locator(".film-play-icon"))
    middle, rim = (int(sign[len(sign) // 2, int(len(sign[0]) * across)]) for across in (0.5, 0.2))
    assert abs(middle - rim) > 100


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_forced_colours_keep_the_current_tab(room, full_site, scheme):
    room.emulate_media(forced_colors="active", color_scheme=scheme)
    room.goto(f"{full_site.url}/organise/")
    current, other = (
        colours(room.locator(f".admin-nav a{css}").first) for css in ("[aria-current]", ":not([aria-current])")
    )
    assert abs(int(current[-2].mean()) - int(other[-2].mean())) > 100


def colours(part: Locator) -> np.ndarray:
    """Return the brightness (0 to 255) of each pixel of a part of the page, by row and column."""
    return cv2.imdecode(np.frombuffer(part.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
