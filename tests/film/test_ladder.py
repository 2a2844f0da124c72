"""Sizes, rates and posters: decisions made before ffmpeg runs."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import FilmError
from campaign.film.importer import encode, hls, posters
from campaign.film.importer.probe import Probe


def probe(width: int, height: int) -> Probe:
    return Probe(120, width, height, Fraction(24), 0, 1, 2)


@pytest.mark.parametrize(
    ("size", "rungs"),
    [
        ((1920, 1080), ["854x480", "1280x720", "1920x1080"]),
        ((3840, 2160), ["854x480", "1280x720", "1920x1080"]),
        ((1280, 720), ["854x480", "1280x720"]),
        ((1600, 900), ["854x480", "1280x720", "1600x900"]),
        ((854, 480), ["854x480"]),
        ((320, 180), ["320x180"]),
        ((1920, 804), ["854x358", "1280x536", "1920x804"]),
        ((4096, 1716), ["854x358", "1280x536", "1920x804"]),
        ((1440, 1080), ["640x480", "960x720", "1440x1080"]),
        ((1080, 1920), ["480x854", "720x1280", "1080x1920"]),
        ((720, 576), ["600x480", "720x576"]),
        ((321, 181), ["320x180"]),
    ],
)
def test_the_ladder_goes_up_to_the_source_and_never_above(size, rungs):
    found = encode.ladder(probe(*size))
    assert [f"{rung.width}x{rung.height}" for rung in found] == rungs
    assert len({rung.name for rung in found}) == len(rungs)
    assert all(rung.width <= size[0] and rung.height <= size[1] for rung in found)


@given(st.integers(8, 4096), st.integers(8, 4096))
def test_every_shape_has_sizes_of_its_own_for_small_windows(width, height):
    found = encode.ladder(probe(width, height))
    assert len({rung.name for rung in found}) == len(found)
    windows = [rung.window for rung in found[:-1]]
    assert windows == sorted(windows)
    assert all(0 < rung.window <= rung.width for rung in found[:-1])
    assert found[-1].window == 0
    sheet = posters.sheets(7200, width, height)
    assert max(sheet.width * 5, sheet.height * sheet.rows) < 65_500  # JPEG's longest side


@pytest.mark.parametrize(
    ("rate", "group"), [("24", 48), ("24000/1001", 48), ("25", 50), ("30000/1001", 60), ("12.1", 25)]
)
def test_a_group_of_pictures_never_takes_less_than_two_seconds(rate, group):
    of = Probe(120, 320, 180, Fraction(rate), 0, 1, 2)
    options = encode.h264(Path("film.mp4"), of, encode.ladder(of))
    assert options[options.index("-g") + 1] == str(group)


def grey(level: int, contrast: int = 0) -> bytes:
    size = posters.SAMPLE[0] * posters.SAMPLE[1]
    return bytes([level - contrast, level + contrast]) * (size // 2)


def test_posters_are_spread_over_the_film_and_never_dark_where_there_is_light():
    film = b"".join(grey(120, 20 + second // 2) if second % 20 == 10 else grey(38, 38) for second in range(100))
    assert posters.best_moments(film, 100) == [90, 70, 50, 30, 10]


def test_a_film_that_is_all_dark_still_has_posters():
    assert len(posters.best_moments(grey(16) * 50, 10)) == 5


@pytest.mark.parametrize(
    ("seconds", "count", "sheets"), [(1, 1, 1), (4, 4, 1), (30, 10, 1), (120, 24, 1), (3600, 720, 8)]
)
def test_the_preview_has_a_thumbnail_each_five_seconds(seconds, count, sheets):
    text = posters.sheets(seconds, 1920, 1080).webvtt()
    assert text.count("-->") == count
    assert len({line.partition("#")[0] for line in text.splitlines() if "#xywh=" in line}) == sheets


def test_a_short_last_segment_has_no_say_in_the_peak():
    peak, average = hls.bit_rates([(750_000, 6.0), (1_500_000, 6.0), (80_000, 0.1)])
    assert (peak, average) == (2_000_000, round(2_330_000 * 8 / 12.1))


def test_a_file_with_other_codecs_is_no_source():
    with pytest.raises(FilmError, match="different codec"):
        hls.codecs(b"\0\0\0\x10moovhvc1\0\0\0\0")
