"""What every visitor must be able to do, in each of the three browser engines."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.engines import Tab

pytestmark = pytest.mark.browser

FILM = "section.film video"
FIELDS = {"given_name": "Мария", "family_name": "O'Hara-Nguyễn", "country": "RU", "message": "Любовь"}
FRAMES = """() => {
    const film = document.querySelector("section.film video");
    return film.currentTime > 0.5 && film.videoWidth > 0 && film.getVideoPlaybackQuality().totalVideoFrames > 5;
}"""
# Asks for the end of the film alone, as a player does when somebody jumps there.
ASK_FOR_END = """() => {
    const film = document.querySelector("section.film video").currentSrc;
    fetch(film, { headers: { Range: "bytes=-100" } }).then((answer) => { document.title = answer.status; });
}"""


def play(tab: Tab) -> None:
    """Start the film as a visitor does: WebKit's controls know no keys, and Chromium's play button is in a corner."""
    if tab.engine == "webkit":
        tab.click(FILM)
    else:
        tab.press(FILM, Keys.SPACE)


def watch(tab: Tab) -> None:
    play(tab)
    tab.wait_for(FRAMES)


def sign(tab: Tab) -> None:
    for name, value in FIELDS.items():
        tab.fill(f"[name={name}]", value)
    tab.fill("[name=email]", f"maria.{tab.engine}@example.org")
    tab.click("[name=updates]")
    tab.click("form[action^='/sign'] button")
    tab.wait_for("location.pathname === '/en/thanks'")


def test_the_film_plays(tab, open_site):
    tab.open(f"{open_site.url}/en/")
    watch(tab)
    assert tab.complaints() == []


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
    assert "Thank you" in tab.text("h1")
    assert tab.complaints() == []


def test_one_can_sign_without_javascript(plain_tab, open_site):
    plain_tab.open(f"{open_site.url}/en/")
    sign(plain_tab)
    assert "Thank you" in plain_tab.text("h1")


def test_nothing_sticks_out(tab, open_site):
    for path in ("/en/", "/ar/", "/en/thanks", "/en/privacy"):
        tab.open(open_site.url + path)
        for width in (360, 1366):
            tab.resize(width, 740)
            assert tab.evaluate("document.documentElement.scrollWidth") == width, path
