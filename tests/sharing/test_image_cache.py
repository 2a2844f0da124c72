"""Rendered images are cached, and requests wait no longer than necessary."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from campaign.sharing.images.cache import get_cached, get_or_render


def test_a_picture_is_drawn_once(tmp_path):
    path = tmp_path / "pictures" / "card-en.1.png"
    assert get_or_render(path, lambda: b"one") == (b"one", True)
    assert get_or_render(path, lambda: b"two") == (b"one", True)
    assert get_cached(path) == b"one"


def test_the_newest_of_each_kind_are_kept(tmp_path):
    for version in range(5):
        for kind in ("card-en", "card-ru"):
            get_or_render(tmp_path / f"{kind}.{version}.png", lambda: b"picture")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{kind}.{version}.png" for kind in ("card-en", "card-ru") for version in (2, 3, 4)}


def test_while_one_is_drawn_an_older_one_is_shown(tmp_path):
    get_or_render(tmp_path / "card-en.1.png", lambda: b"old")
    begun, go_on = Event(), Event()

    def slowly() -> bytes:
        begun.set()
        assert go_on.wait(10)
        return b"new"

    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(get_or_render, tmp_path / "card-en.2.png", slowly)
        assert begun.wait(10)
        assert get_or_render(tmp_path / "card-en.2.png", lambda: b"again") == (b"old", False)
        go_on.set()
        assert drawing.result() == (b"new", True)


def test_without_a_cache_the_image_is_rendered_each_time(tmp_path):
    (tmp_path / "pictures").touch()  # where the folder should be
    path = tmp_path / "pictures" / "card-en.1.png"
    assert get_or_render(path, lambda: b"one") == (b"one", True)
    assert get_or_render(path, lambda: b"two") == (b"two", True)


def test_a_failed_rendering_is_retried(tmp_path):
    def fail() -> bytes:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        get_or_render(tmp_path / "card-en.1.png", fail)
    assert get_or_render(tmp_path / "card-en.1.png", lambda: b"one") == (b"one", True)
