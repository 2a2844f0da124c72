"""An imported film plays in a real browser, every file of it."""

import pytest
from playwright.sync_api import Page

from campaign.film import library
from campaign.film.importer.publish import import_film
from campaign.film.tracks import TrackFiles
from tests.film.conftest import film_file, make_film  # noqa: F401 - fixtures

pytestmark = pytest.mark.browser

PLAYED = """async video => {
    video.muted = true;
    await video.play();
    await new Promise(resolve => video.onended = resolve);
    return [video.videoHeight, video.getVideoPlaybackQuality().totalVideoFrames > 50, Math.round(video.duration)];
}"""


@pytest.fixture(scope="module")
def imported(film_file, tmp_path_factory):  # noqa: F811
    films = tmp_path_factory.mktemp("instance") / "films"
    import_film(films, film_file, name="sochi", texts=TrackFiles(), show=lambda *_: None)
    return library.load_film(films, "sochi")


@pytest.mark.long
@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_source_plays_to_its_end_under_the_type_it_has(page: Page, imported, number):
    film, folder = imported
    source = film.sources[number]
    (folder / "play.html").write_text(f"<video><source src='{source.path}' type='{source.type}'></video>")
    page.goto(f"file://{folder}/play.html")
    assert page.locator("video").evaluate(PLAYED) == [source.height, True, 4]
    can_play = "(video, type) => video.canPlayType(type)"
    assert page.locator("video").evaluate(can_play, source.type) == "probably"


def test_each_kind_of_poster_is_drawn(page: Page, imported):
    film, folder = imported
    for picture in film.posters:
        (folder / "see.html").write_text(f"<img src='{picture.path}'>")
        page.goto(f"file://{folder}/see.html")
        page.wait_for_function("document.querySelector('img').naturalWidth > 0")
        assert page.locator("img").evaluate("image => image.naturalWidth") == picture.width
