"""A film whose files are elsewhere: two servers without them show it, and browsers load it only when asked."""

import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page

from campaign.film import library
from campaign.film.importer.publish import import_film
from campaign.film.tracks import TrackFiles
from tests.film.conftest import film_file, make_film  # noqa: F401 - fixtures
from tests.live_server import Site, wait_for

pytestmark = pytest.mark.browser


class Storage(SimpleHTTPRequestHandler):
    """Object storage that anyone may read."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def films(film_file, tmp_path_factory) -> Path:  # noqa: F811
    """The folder of a machine that imports films."""
    films = tmp_path_factory.mktemp("importing") / "films"
    import_film(films, film_file, name="sochi", texts=TrackFiles(), show=lambda *_: None)
    return films


@pytest.fixture
def storage(films) -> Iterator[tuple[str, list[str]]]:
    """The address of the films, and the paths that were asked for."""
    asked: list[str] = []

    class Here(Storage):
        def __init__(self, *arguments, **options):
            self.asked = asked
            super().__init__(*arguments, directory=str(films), **options)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(ready, films, storage, tmp_path) -> Site:
    """A server that has all but the media."""
    site = ready.site(tmp_path, CAMPAIGN_FILM="sochi", CAMPAIGN_FILMS_URL=storage[0])
    ignore = shutil.ignore_patterns("*.mp4", "*.webm", "*.m3u8", "*.m4s", ".lock")
    shutil.copytree(films, site.instance / "films", ignore=ignore)
    return site


def test_it_plays_from_there_once_it_is_asked_for(page: Page, site, storage):
    url, asked = storage
    with site.served():
        page.goto(f"{site.url}/en/", wait_until="networkidle")
        assert asked == []
        assert page.locator(".film-poster").first.evaluate("image => image.complete && image.naturalWidth > 0")
        assert "The film plays from 127.0.0.1 when you start it" in page.locator(".film-notes").inner_text()
        play = "async video => { video.muted = true; await video.play(); }"
        page.locator("video").evaluate(play)
        wait_for(lambda: page.locator("video").evaluate("video => video.currentTime") > 0.5, "the film to play")
        assert page.locator("video").evaluate("video => video.currentSrc").startswith(url)
    assert asked
    assert all(path.startswith("/sochi/") for path in asked)


def test_its_page_allows_that_host_and_no_other(site, storage):
    url, _ = storage
    with site.served(), urlopen(f"{site.url}/en/") as response:
        policy = response.headers["Content-Security-Policy"]
        page = response.read().decode()
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["media-src"].split() == ["'self'", url]
    assert directives["connect-src"].split() == ["'self'", url]
    assert directives["img-src"] == "'self'"
    assert f'"contentUrl":"{url}/sochi/' in page.replace('": "', '":"').replace("\\/", "/")


def test_without_the_address_a_server_without_the_media_does_not_start(site, films):
    site.set(CAMPAIGN_FILMS_URL="")
    server = site.command("serve", with_errors=True)
    said = server.communicate(timeout=60)[0].decode()
    assert server.returncode == 1
    assert "the film 'sochi' is damaged" in said
    assert library.load_film(films, "sochi", has_media=False)
