"""The player in a real browser: keys, clicks, and the files it loads at each point."""

import re

import pytest
from playwright.sync_api import Page, expect

from campaign.film.default_film import DEFAULT_FILM
from campaign.web.headers import EXIT_URL
from tests.live_server import wait_for

pytestmark = pytest.mark.browser

FRAMES = """video => video.currentTime > 0.3 && video.videoWidth > 0
    && video.getVideoPlaybackQuality().totalVideoFrames > 5"""
SHIFTS = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => { for (const shift of list.getEntries()) sum += shift.value; })
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 300);
})"""


@pytest.fixture
def backend() -> str:
    """One database is enough: the pages look the same on both."""
    return "sqlite"


def opened(page: Page, site, where: str = "") -> Page:
    page.goto(f"{site.url}/en/{where}")
    return page


def play(page: Page) -> None:
    page.get_by_role("button", name="Watch the film").click()
    wait_for(lambda: page.locator("video").evaluate(FRAMES), "the film")


def now(page: Page) -> float:
    return page.locator("video").evaluate("video => video.currentTime")


def jump_to_the_end(page: Page) -> None:
    page.locator("video").evaluate("video => { video.currentTime = video.duration - 0.3; }")


def test_the_film_plays_and_pauses_by_keyboard(page, open_site):
    opened(page, open_site)
    page.get_by_role("button", name="Watch the film").press("Enter")
    wait_for(lambda: page.locator("video").evaluate(FRAMES), "the film")
    expect(page.locator("video")).to_be_focused()
    page.keyboard.press("Space")
    assert page.locator("video").evaluate("video => video.paused")


def test_before_play_nothing_but_the_poster_is_loaded(page, open_site):
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url.rpartition("/")[2]))
    opened(page, open_site).wait_for_load_state("networkidle")
    assert [name for name in requested if name.endswith((".webm", ".mp4", ".vtt", ".mjs", ".m3u8"))] == []
    assert len([name for name in requested if name.startswith("poster-")]) == 1


def test_the_page_does_not_move_when_the_film_loads_and_plays(page, open_site):
    opened(page, open_site).wait_for_load_state("networkidle")
    play(page)
    assert page.evaluate(SHIFTS) == 0


def test_captions_are_shown_in_the_language_that_is_chosen(page, open_site):
    opened(page, open_site)
    play(page)
    page.get_by_label("Captions").select_option("ru")
    page.locator("video").evaluate("video => { video.currentTime = 47; }")
    shown = """video => [...video.textTracks].filter(track => track.mode === "showing")
        .flatMap(track => [...track.activeCues].map(cue => cue.text)).join()"""
    wait_for(lambda: "жить во лжи?" in page.locator("video").evaluate(shown), "the caption")
    page.get_by_label("Captions").select_option("")
    assert page.locator("video").evaluate(shown) == ""


def test_the_choice_follows_the_browsers_own_menu(page, open_site):
    opened(page, open_site)
    play(page)
    page.locator("video").evaluate("video => { video.textTracks[2].mode = 'showing'; }")
    language = page.locator("video").evaluate("video => video.textTracks[2].language")
    expect(page.get_by_label("Captions")).to_have_value(language)


def test_a_chapter_is_played_from_its_start(page, open_site):
    opened(page, open_site)
    page.get_by_role("link", name="The glass").click()
    wait_for(lambda: now(page) > 29.9, "the chapter")
    expect(page.get_by_role("link", name="The glass")).to_have_attribute("aria-current", "step")
    jump_to_the_end(page)
    page.get_by_role("link", name="The glass").click()
    wait_for(lambda: 29.9 < now(page) < 40, "the chapter once more")


def test_a_shared_moment_is_where_the_film_starts(page, open_site):
    opened(page, open_site, "?via=copy#t=20")
    expect(page.get_by_role("button", name="Watch the film")).to_contain_text("0:20")
    play(page)
    assert now(page) >= 20


def test_a_moment_is_shared(page, open_site, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, open_site, "#t=20")
    expect(page.locator("[data-share-time]")).not_to_be_visible()  # nothing has been seen yet
    page.evaluate("delete Navigator.prototype.share")
    play(page)
    page.get_by_role("button", name=re.compile("Share from 0:2")).click()
    expect(page.get_by_role("status")).to_contain_text("Link copied")
    assert re.fullmatch(rf"{open_site.url}/en/\?via=copy#t=2\d", page.evaluate("navigator.clipboard.readText()"))


def test_the_end_invites_to_sign_to_share_and_to_watch_again(page, open_site):
    opened(page, open_site)
    play(page)
    jump_to_the_end(page)
    end = page.get_by_role("group", name="After the film")
    expect(end.get_by_role("link", name="Sign the petition")).to_be_focused()
    expect(end.get_by_role("link", name="Share the film")).to_have_attribute("href", "#share")
    end.get_by_role("button", name="Watch again").click()
    expect(end).to_be_hidden()
    wait_for(lambda: 0 < now(page) < 20, "the film from its start")


def test_a_screen_reader_reads_the_descriptions(page, open_site):
    opened(page, open_site)
    play(page)
    page.locator("video").evaluate("video => { video.currentTime = 31; }")
    expect(page.locator("[data-description-output]")).to_contain_text("A pane of glass slides in between them.")


def test_a_film_that_cannot_be_loaded_says_so(page, open_site):
    page.route(re.compile(r"\.(webm|mp4)$"), lambda route: route.abort())
    opened(page, open_site)
    page.get_by_role("button", name="Watch the film").click()
    expect(page.locator(".film [role=alert]")).to_contain_text("The film can’t be played here.")
    expect(page.locator(".film [role=alert] a")).to_have_attribute("href", re.compile(r"-1080\.mp4$"))


@pytest.mark.long
def test_a_playlist_that_cannot_be_loaded_gives_way_to_the_files(page, long_film):
    page.route(re.compile(r"\.m3u8$"), lambda route: route.abort())
    opened(page, long_film)
    play(page)
    assert page.locator("video").evaluate("video => video.currentSrc").endswith(".mp4")


@pytest.mark.long
def test_watched_parts_are_counted_and_skipped_ones_are_not(page, site):
    opened(page, site)
    play(page)
    jump_to_the_end(page)
    expect(page.get_by_role("group", name="After the film")).to_be_visible()
    assert watched(site, 1) == {"0": "1"}
    page.get_by_role("button", name="Watch again").click()
    page.locator("video").evaluate("video => { video.playbackRate = 8; }")
    expect(page.get_by_role("group", name="After the film")).to_be_visible(timeout=20_000)
    assert watched(site, 5) == dict.fromkeys(("0", "25", "50", "75", "100"), "1")


def watched(site, lines: int) -> dict[str, str]:
    def told() -> list[list[str]]:
        return [line.split() for line in site.flask("film", "watched").splitlines()[1:]]

    wait_for(lambda: len(told()) >= lines, "the count")
    assert {row[0] for row in told()} == {DEFAULT_FILM.name}
    return {row[2].rstrip("%"): row[3] for row in told()}


@pytest.fixture
def elsewhere(ready, tmp_path):
    with ready.site(tmp_path, CAMPAIGN_FILM="youtube:dQw4w9WgXcQ").served() as site:
        yield site


def test_a_film_from_elsewhere_connects_only_once_it_is_asked_for(page, elsewhere):
    foreign: list[str] = []
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.route(re.compile(r"^https://"), lambda route: (foreign.append(route.request.url), route.fulfill(body="film")))
    opened(page, elsewhere).wait_for_load_state("networkidle")
    assert foreign == []
    page.get_by_role("link", name="Watch the film on YouTube This connects you to www.youtube-nocookie.com").click()
    expect(page.frame_locator("iframe").locator("body")).to_have_text("film")
    assert foreign == ["https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1&rel=0&playsinline=1"]
    assert complaints == []


def test_leaving_quickly_ends_a_film_from_elsewhere(page, elsewhere):
    page.route(re.compile(r"^https://"), lambda route: route.fulfill(body="film"))
    page.route(EXIT_URL, lambda route: route.fulfill(status=204))  # the browser stays where it is
    opened(page, elsewhere)
    page.get_by_role("link", name="Watch the film on YouTube").click()
    expect(page.locator("iframe")).to_have_count(1)
    page.get_by_role("link", name="Exit this page").click()
    expect(page.locator("iframe")).to_have_count(0)


def test_no_other_site_can_be_framed(page, elsewhere):
    page.route(re.compile(r"^https://"), lambda route: route.fulfill(body="other"))
    opened(page, elsewhere)
    with page.expect_console_message(lambda message: "frame-src" in message.text):
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('iframe'), {src: 'https://a.example'}))"
        )
