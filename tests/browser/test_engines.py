"""What every visitor must be able to do, in each of the three browser engines."""

import pytest

from tests.browser.tab import Tab

# Now and then Firefox loses a window or never says that a page is loaded: that is tried again, a wrong page is not.
LOST = ["NoSuchWindowException", "TimeoutException"]
pytestmark = [pytest.mark.browser, pytest.mark.flaky(reruns=2, only_rerun=LOST)]

FILM = "section.film video"
FIELDS = {"given_name": "Мария", "family_name": "O'Hara-Nguyễn", "country": "RU", "message": "Любовь"}
FRAMES = """() => {
    const film = document.querySelector("section.film video");
    return film.currentTime > 0.5 && film.videoWidth > 0 && film.getVideoPlaybackQuality().totalVideoFrames > 5;
}"""
SHOWN = """(text) => [...document.querySelector("video").textTracks].some((track) =>
    track.mode === "showing" && [...(track.activeCues ?? [])].some((cue) => cue.text.includes(text)))"""
# Requests only the end of the film, like a player that jumps there.
ASK_FOR_END = """() => {
    const film = document.querySelector("section.film video").currentSrc;
    fetch(film, { headers: { Range: "bytes=-100" } }).then((answer) => { document.title = answer.status; });
}"""


def play(tab: Tab) -> None:
    """Start the film as a visitor does."""
    tab.click("[data-play-button]")


def watch(tab: Tab) -> None:
    play(tab)
    tab.wait_for(FRAMES)


def sign(tab: Tab) -> None:
    for name, value in FIELDS.items():
        tab.fill(f"[name={name}]", value)
    tab.fill("[name=email]", f"maria.{tab.engine}@example.org")
    tab.click("[name=updates]")
    tab.click("[data-submit]")
    tab.wait_for("document.querySelector('[data-thanks]')")


def test_the_film_plays(tab, open_site):
    tab.open(f"{open_site.url}/en/")
    watch(tab)
    assert tab.complaints() == []


@pytest.mark.long
def test_captions_are_shown_in_the_language_that_is_chosen(tab, open_site):
    tab.open(f"{open_site.url}/en/")
    watch(tab)
    tab.fill("[data-captions]", "ar")
    tab.evaluate("() => { document.querySelector('video').currentTime = 47; }")
    tab.wait_for(SHOWN, "ماذا لو كان عيش الحلم")


@pytest.mark.long
def test_the_end_invites_to_sign(tab, open_site):
    tab.open(f"{open_site.url}/en/#t=52")
    watch(tab)
    tab.wait_for("!document.querySelector('[data-end-screen]').hidden")
    tab.click("[data-end-screen] a")
    assert tab.url.endswith("#sign")


@pytest.mark.long
def test_a_long_film_adapts_to_the_connection(tab, long_film):
    tab.open(f"{long_film.url}/en/")
    watch(tab)
    playing = tab.evaluate("document.querySelector('video').currentSrc")
    assert playing.endswith("/master.m3u8") if has_hls(tab) else playing.startswith("blob:")
    tab.evaluate("() => { document.querySelector('video').currentTime = 70; }")
    tab.wait_for("() => document.querySelector('video').currentTime > 70.5")
    assert tab.complaints() == []


def has_hls(tab: Tab) -> bool:
    return bool(tab.evaluate("document.querySelector('video').canPlayType('application/vnd.apple.mpegurl')"))


@pytest.mark.long
def test_one_can_jump_to_the_end_of_the_film(tab, open_site):
    tab.open(f"{open_site.url}/en/")
    watch(tab)
    tab.evaluate("() => { const film = document.querySelector('video'); film.currentTime = film.duration - 0.5; }")
    tab.wait_for("document.querySelector('video').ended")
    tab.evaluate(ASK_FOR_END)
    tab.wait_for("document.title === '206'")


def test_one_can_sign(tab, open_site):
    tab.open(f"{open_site.url}/en/")
    sign(tab)
    assert "Thank you" in tab.text("[data-thanks]")
    assert tab.url == f"{open_site.url}/en/"  # answered in place
    assert tab.complaints() == []


@pytest.mark.long
def test_one_can_sign_without_javascript(plain_tab, open_site):
    plain_tab.open(f"{open_site.url}/en/")
    sign(plain_tab)
    assert "Thank you" in plain_tab.text("h1")


@pytest.mark.long
def test_nothing_sticks_out(tab, open_site):
    for path in ("/en/", "/ar/", "/en/thanks", "/en/privacy"):
        tab.open(open_site.url + path)
        for width in (360, 1366):
            tab.resize(width, 740)
            assert tab.evaluate("document.documentElement.scrollWidth") == width, path
