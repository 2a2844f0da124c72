"""Passing it on, as people do it: on a phone and at a desk, with words of their own, on walls and on other sites."""

import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live_server import Site, wait_for
from tests.qr_reader import read_qr_code

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SHEET = "window.shared = []; navigator.share = async (what) => { shared.push(what); };"
CANCELLED = "navigator.share = async () => { throw new DOMException('', 'AbortError'); };"


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A tab on a phone that has a share sheet."""
    context = browser.new_context(**PHONE)
    context.add_init_script(SHEET)
    yield context.new_page()
    context.close()


@pytest.fixture
def backend() -> str:
    """One database is enough: the pages look the same on both."""
    return "sqlite"


def ways(page: Page) -> list[str]:
    """The ways to share, in the order in which they stand, the big one first."""
    links = page.locator(".share-primary a:visible, .share-channels a")
    return [re.search(r"/share/(\w+)", link.get_attribute("href"))[1] for link in links.all()]


def shares(site: Site) -> dict[str, int]:
    """How often each channel was counted, once the server has written it down."""
    lines = [line.split() for line in site.flask("share", "counted").splitlines()[1:]]
    return {channel: int(number) for channel, number, _ in lines}


def test_phone_channels_come_later_on_desktops(page, open_site):
    page.goto(f"{open_site.url}/en/thanks")
    page.locator(".share-more > summary").click()
    assert ways(page)[0] == "facebook"
    assert set(ways(page)[-3:]) == {"whatsapp", "sms", "line"}
    expect(page.locator("[data-native-share]")).to_be_hidden()


def test_the_share_sheet_of_a_desk_stands_at_the_end_of_the_list(page, open_site):
    page.add_init_script(SHEET)
    page.goto(f"{open_site.url}/en/")
    page.locator(".share-channels li:last-child [data-native-share]").click()
    wait_for(lambda: page.evaluate("shared.length") == 1, "the share sheet")
    assert ways(page)[0] == "facebook"


def test_a_phone_has_its_own_share_sheet_in_first_place(phone, open_site):
    phone.goto(f"{open_site.url}/en/thanks")
    expect(phone.locator(".share-primary a")).to_have_count(0)
    phone.locator("[data-native-share]").tap()
    wait_for(lambda: phone.evaluate("shared.length") == 1, "the share sheet")
    [shared] = phone.evaluate("shared")
    assert shared["url"] == f"{open_site.url}/en/?via=sheet"
    assert "#LoveAlwaysWins" in shared["text"]
    expect(phone.locator(".share-more")).not_to_have_attribute("open", "")
    assert ways(phone)[0] == "whatsapp"


@pytest.mark.parametrize(
    ("locale", "language", "first"), [("ru-RU", "en", "telegram"), ("ja", "en", "line"), ("de-DE", "ru", "telegram")]
)
def test_the_first_channel_follows_the_visitors_languages(browser, open_site, locale, language, first):
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(f"{open_site.url}/{language}/thanks")
    assert ways(page)[0] == first
    context.close()


def test_words_of_ones_own_go_to_the_network_and_not_to_us(page, open_site):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    page.context.route(re.compile("twitter.com"), lambda route: route.fulfill(body="X"))
    page.goto(f"{open_site.url}/en/")
    page.locator("[data-share-message]").fill("For my sister & her wife")
    with page.expect_popup() as popup, page.expect_request("**/share/x?lang=en") as counted:
        page.get_by_role("link", name="Share via X").click()
    assert parse_qs(urlsplit(popup.value.url).query)["text"] == ["For my sister & her wife"]
    assert counted.value.method == "POST"
    assert not [url for url in asked if "sister" in url and url.startswith(open_site.url)]


def test_the_sample_message_comes_back_by_our_own_links(page, open_site):
    page.goto(f"{open_site.url}/en/")
    message = page.locator("[data-share-message]")
    sample = message.input_value()
    message.fill("Other words")
    message.fill(sample)
    assert "mastodon" in ways(page)
    assert len(ways(page)) == 14


def test_copying_is_counted_and_says_so(browser, site):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site.url}/en/")
    page.locator("[data-copy=share-link]").click()
    expect(page.locator("[data-copy=share-link]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}/en/?via=copy"
    wait_for(lambda: shares(site) == {"copy": 1}, "the count")
    context.close()


def test_a_sheet_that_was_closed_again_is_not_counted(browser, open_site):
    context = browser.new_context(**PHONE)
    context.add_init_script(CANCELLED)
    page, posted = context.new_page(), []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.goto(f"{open_site.url}/en/thanks")
    page.locator("[data-native-share]").tap()
    page.goto(f"{open_site.url}/en/")
    assert posted == []
    context.close()


@pytest.mark.parametrize("javascript", [True, False])
def test_every_way_works_with_and_without_javascript(whole_browser, open_site, javascript):
    context = whole_browser.new_context(java_script_enabled=javascript)
    context.route(re.compile(r"facebook\.com"), lambda route: route.fulfill(body="Facebook"))
    page = context.new_page()
    page.goto(f"{open_site.url}/de/")
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Facebook").click()
    popup.value.wait_for_url(re.compile("sharer.php"))
    assert parse_qs(urlsplit(popup.value.url).query)["u"] == [f"{open_site.url}/de/?via=facebook"]
    context.close()


@pytest.mark.parametrize("javascript", [True, False])
def test_mastodon_asks_once_where_one_is_at_home(browser, open_site, javascript):
    context = browser.new_context(java_script_enabled=javascript)
    context.route(re.compile("chaos.example"), lambda route: route.fulfill(body="Mastodon"))
    page = context.new_page()
    page.goto(f"{open_site.url}/share/mastodon?lang=en&ref=abcdefghijk#My%20own%20words")
    page.get_by_label("Which Mastodon server are you on?").fill("@ada@chaos.example.org")
    page.get_by_role("button", name="Share on Mastodon").click()
    if not javascript:
        page.get_by_role("link", name="chaos.example.org").click()
    page.wait_for_url(re.compile("^https://chaos.example.org/share"))
    [text] = parse_qs(urlsplit(page.url).query)["text"]
    assert text.endswith(f" {open_site.url}/en/?ref=abcdefghijk&via=mastodon")
    assert text.startswith("My own words" if javascript else "I’ve just called on the IOC")
    page.goto(f"{open_site.url}/en/mastodon")
    expect(page.get_by_label("Which Mastodon server are you on?")).to_have_value(
        "@ada@chaos.example.org" if javascript else ""
    )
    context.close()


def test_leaving_quickly_forgets_the_instance(page, open_site):
    page.route(re.compile("wikipedia.org"), lambda route: route.fulfill(body="elsewhere"))
    page.goto(f"{open_site.url}/en/mastodon")
    page.evaluate("localStorage.setItem('instance', 'chaos.example.org')")
    page.get_by_role("link", name="Exit this page").click()
    page.wait_for_url(re.compile("wikipedia"))
    page.goto(f"{open_site.url}/en/")
    assert page.evaluate("localStorage.length") == 0


def test_after_the_film_the_phones_own_sheet_opens(phone, open_site):
    phone.goto(f"{open_site.url}/en/")
    phone.evaluate("document.querySelector('[data-end-screen]').hidden = false")
    phone.get_by_role("link", name="Share the film").tap()
    wait_for(lambda: phone.evaluate("shared.length") == 1, "the share sheet")


def test_the_code_can_be_read_off_the_screen(page, open_site):
    page.goto(f"{open_site.url}/qr.svg?lang=ru&ref=abcdefghijk")
    picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert read_qr_code(picture) == f"{open_site.url}/ru/?ref=abcdefghijk&via=qr"


@pytest.fixture
def blog() -> Iterator[Callable[[str], str]]:
    """A site of somebody else, whose one page one writes; returns its address."""
    written: list[str] = []

    class Blog(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>A blog</title>{written[-1]}".encode())

        def log_message(self, *_arguments: object) -> None:
            """Suppress the log of requests."""

    with HTTPServer(("127.0.0.1", 0), Blog) as server:
        Thread(target=server.serve_forever, daemon=True).start()

        def write(page: str) -> str:
            written.append(page)
            return f"http://127.0.0.1:{server.server_port}/"

        yield write
        server.shutdown()


@pytest.fixture
def framed(page: Page, open_site: Site, blog: Callable[[str], str]) -> Page:
    """The page of somebody else, with what our page offers to paste."""
    page.goto(f"{open_site.url}/en/")
    page.goto(blog(page.locator("#share-snippet").input_value()))
    return page


def test_the_film_plays_on_another_site_and_leads_to_ours(framed, open_site):
    frame = framed.frame_locator("iframe")
    frame.get_by_role("button", name="Watch the film").click()
    video = frame.locator("video")
    wait_for(lambda: video.evaluate("video => video.videoWidth > 0 && video.currentTime > 0.2"), "the film")
    with framed.expect_popup() as popup:
        frame.get_by_role("link", name="Sign now").click()
    assert popup.value.url == f"{open_site.url}/en/?via=embed#sign"


@pytest.mark.parametrize("width", [320, 500, 1000])
def test_on_another_site_it_keeps_its_shape_and_all_is_seen(framed, width):
    framed.set_viewport_size({"width": width, "height": 800})
    box = framed.locator("iframe").bounding_box()
    assert box["height"] / box["width"] == pytest.approx(432 / 640, abs=0.01)
    body = framed.frame_locator("iframe").locator("html")
    assert body.evaluate("page => [page.scrollWidth - page.clientWidth, page.scrollHeight - page.clientHeight]") == [
        0,
        0,
    ]


def test_another_site_cannot_frame_the_page_itself(page, open_site, blog):
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(blog(f'<iframe src="{open_site.url}/en/"></iframe>'))
    wait_for(lambda: page.evaluate("1") and any("frame-ancestors" in text for text in refused), "the refusal")
