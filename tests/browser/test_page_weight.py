"""The weight of the first view: transferred bytes, requests, layout shifts and long tasks."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live_server import wait_for
from tests.machine import slowness

pytestmark = pytest.mark.browser

KB = 1000
SIZES = [(360, 740), (1366, 768)]
WATCH = """() => {
    window.seen = { shift: 0, long: [] };
    const watch = (type, note) =>
        new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
    watch("layout-shift", (entry) => { window.seen.shift += entry.value; });
    watch("longtask", (entry) => { window.seen.long.push(entry.duration); });
}"""


@pytest.fixture(scope="session")
def browser(whole_browser: Browser) -> Browser:
    """The browser that visitors have, since what travels depends on the encodings that it accepts."""
    return whole_browser


@dataclass
class Travelled:
    """Transferred bytes by file name, without headers."""

    sizes: dict[str, int] = field(default_factory=dict)

    def of(self, ending: str) -> int:
        return sum(size for name, size in self.sizes.items() if name.endswith(ending))


def loaded(page: Page, url: str) -> Travelled:
    """Open `url` with an empty cache and return what travelled for it, as it was compressed."""
    travelled = Travelled()
    names: dict[str, Any] = {}

    def note(event: dict) -> None:
        response = names[event["requestId"]]
        if response["url"].startswith("data:"):
            return  # the browser's own signs for the player's controls
        headers = sum(len(name) + len(value) + 4 for name, value in response["headers"].items())
        travelled.sizes[response["url"].rpartition("/")[2] or "page"] = int(event["encodedDataLength"]) - headers

    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on("Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]}))
    client.on("Network.loadingFinished", note)
    page.goto(url, wait_until="networkidle")
    return travelled


def long_tasks(page: Page, url: str) -> list[float]:
    """Open `url`, scroll down, and return the milliseconds of tasks over 50 ms. Nothing may shift in the process.

    The 50 ms are those of a usual machine.
    """
    page.goto(url, wait_until="networkidle")
    page.mouse.wheel(0, 4000)
    wait_for(lambda: page.evaluate("scrollY > 1000"), "the page to scroll")
    seen = page.evaluate("window.seen")
    assert seen["shift"] == 0
    limit = 50 * slowness()
    return [duration for duration in seen["long"] if duration > limit]


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
@pytest.mark.parametrize("size", SIZES)
def test_the_first_view_is_light(page, open_site, language, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    travelled = loaded(page, f"{open_site.url}/{language}/")
    assert sum(travelled.sizes.values()) < 60 * KB, travelled.sizes
    assert len(travelled.sizes) <= 12, travelled.sizes
    assert travelled.of(".js") < 12 * KB


def test_poster_and_player_are_light(page, open_site):
    travelled = loaded(page, f"{open_site.url}/en/")
    player = travelled.of(".avif") + travelled.of("film.js") + travelled.of("film.css")
    assert 8 * KB < player < 30 * KB


@pytest.mark.parametrize("size", SIZES)
def test_nothing_moves_and_nothing_holds_the_visitor_up(page, open_site, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{open_site.url}/healthz")  # so that the browser's own start is not counted
    page.add_init_script(f"({WATCH})()")
    # Tasks are measured in wall-clock time: what is not long in each of ten views was held up by other load.
    assert any(not long_tasks(page, f"{open_site.url}/en/") for _ in range(10))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "ru", "de", "ar"])
def test_the_ask_is_seen_without_scrolling(page, open_site, language, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{open_site.url}/{language}/")
    film, ask, bar = (page.locator(css).bounding_box() for css in (".film-stage", ".film-call-to-action", ".sign-bar"))
    end = bar["y"] if bar["y"] > size[1] / 2 else size[1]
    assert ask["y"] + ask["height"] <= end
    assert film["y"] < ask["y"]
    assert film["width"] >= min(size[0], 780)
    expect(page.locator('a[href="#sign"]:visible').last).to_be_in_viewport(ratio=1)
    expect(page.locator("progress")).to_be_in_viewport()


@pytest.mark.parametrize("width", [360, 1366])
def test_the_form_is_one_tap_away_wherever_one_is(page, open_site, width):
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"{open_site.url}/en/")
    page.locator(".facts").scroll_into_view_if_needed()
    page.locator(".sign-bar .button").click()
    top = "document.querySelector('#sign').getBoundingClientRect().top"
    wait_for(lambda: page.evaluate(top) < 200, "the form")
    assert re.search("#sign$", page.url)
