"""Pictures are drawn one at a time, once each, and few requests wait for them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from campaign.core.capacity import MAX_RENDERING, RENDERING
from campaign.errors import Busy
from campaign.sharing.images.cache import get_or_render
from tests.live_server import wait_for


class Artist:
    """Draws a picture once it may, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.may_draw = Event()
        self.begun: list[str] = []

    def draws(self, name: str):
        """Return what draws the picture `name`."""

        def draw() -> bytes:
            self.begun.append(name)
            assert self.may_draw.wait(30)
            return name.encode()

        return draw


@pytest.fixture
def artist():
    """An artist who may draw at the end of the test in any case."""
    artist = Artist()
    yield artist
    artist.may_draw.set()


def test_a_picture_that_many_ask_for_is_drawn_once(artist, tmp_path):
    path = tmp_path / "card-en.1.png"
    with ThreadPoolExecutor(MAX_RENDERING) as pool:
        asked = [pool.submit(get_or_render, path, artist.draws("one")) for _ in range(MAX_RENDERING)]
        artist.may_draw.set()
        assert [answer.result() for answer in asked] == [(b"one", True)] * MAX_RENDERING
    assert artist.begun == ["one"]


def test_beyond_a_few_nobody_waits(artist, tmp_path):
    (tmp_path / "card-ru.0.png").write_bytes(b"older")
    with ThreadPoolExecutor(MAX_RENDERING) as pool:
        for number in range(MAX_RENDERING):
            pool.submit(get_or_render, tmp_path / f"poster-{number}.1.pdf", artist.draws(str(number)))
        wait_for(lambda: RENDERING._semaphore._value == 0, "a full queue")
        with pytest.raises(Busy):
            get_or_render(tmp_path / "card-de.1.png", artist.draws("beyond"))
        assert get_or_render(tmp_path / "card-ru.1.png", artist.draws("newer")) == (b"older", False)
        artist.may_draw.set()
    assert sorted(artist.begun) == sorted(map(str, range(MAX_RENDERING)))
