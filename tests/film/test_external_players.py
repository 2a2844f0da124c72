"""Films that play from elsewhere: which address is framed and which one is linked."""

import pytest

from campaign.film.external_players import external_player


def test_youtube_is_framed_from_its_host_without_cookies():
    found = external_player("youtube:dQw4w9WgXcQ")
    assert found.frame.startswith("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?")
    assert (found.host, found.link) == ("www.youtube-nocookie.com", "https://www.youtube.com/watch?v=dQw4w9WgXcQ")


def test_vimeo_is_asked_not_to_track():
    found = external_player("vimeo:76979871")
    assert found.frame.startswith("https://player.vimeo.com/video/76979871?dnt=1&")
    assert (found.host, found.link) == ("player.vimeo.com", "https://vimeo.com/76979871")


def test_an_unlisted_film_keeps_its_key():
    found = external_player("vimeo:76979871/8272103f6e")
    assert found.frame.endswith("&h=8272103f6e")
    assert found.link == "https://vimeo.com/76979871/8272103f6e"


@pytest.mark.parametrize("setting", ["", "sochi"])
def test_other_films_play_here(setting):
    assert external_player(setting) is None
