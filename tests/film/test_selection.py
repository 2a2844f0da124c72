"""Which film plays, and what of it the page shows."""

from dataclasses import replace

import pytest

from campaign.errors import ConfigError
from campaign.film.default_film import DEFAULT_FILM, FOLDER
from campaign.film.selection import MIN_CHAPTERED_SECONDS, Chapter, FilmPresentation, add_texts, load_presentation


def test_the_film_that_ships_plays_unless_another_is_named(tmp_path):
    found = load_presentation("", tmp_path)
    assert (found.film, found.folder, found.external_player) == (DEFAULT_FILM, FOLDER, None)


def test_a_film_that_was_not_imported_is_named_with_the_remedy(tmp_path):
    with pytest.raises(ConfigError, match=r"CAMPAIGN_FILM: .*'sochi'.*flask film import"):
        load_presentation("sochi", tmp_path)


def test_a_film_from_elsewhere_has_our_poster_and_the_name_of_its_site(tmp_path):
    found = load_presentation("vimeo:76979871", tmp_path)
    assert (found.film.posters, found.name) == (DEFAULT_FILM.posters, "vimeo")


@pytest.mark.parametrize(
    ("seconds", "playlist"), [(MIN_CHAPTERED_SECONDS - 1, ""), (MIN_CHAPTERED_SECONDS, "master.m3u8")]
)
def test_only_a_long_film_adapts_to_the_connection(tmp_path, seconds, playlist):
    assert FilmPresentation(replace(DEFAULT_FILM, seconds=seconds, hls="master.m3u8"), tmp_path).hls == playlist


def test_chapters_and_transcripts_are_read_from_the_films_folder(tmp_path):
    (tmp_path / "ru.vtt").write_text("WEBVTT\n\n00:00:10.600 --> 00:00:20.000\nСияние\n", encoding="utf-8")
    (tmp_path / "en.txt").write_text("A rink.\n[piano]\n\nA heart.\n", encoding="utf-8")
    film = replace(DEFAULT_FILM, chapters={"ru": "ru.vtt"}, transcripts={"en": "en.txt"})
    found = add_texts(film, tmp_path)
    assert found.chapters == {"ru": [Chapter(10.6, "Сияние")]}
    assert found.transcripts == {"en": [["A rink.", "[piano]"], ["A heart."]]}
