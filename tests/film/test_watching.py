"""Counting how much is watched: numbers an hour, and nothing about anybody."""

import pytest
from sqlalchemy import select

from campaign.db import db
from campaign.film.watching import count_watched
from campaign.models import FilmTally


def tallies(campaign) -> list[tuple[str, str, int, int]]:
    with campaign.app.app_context():
        rows = db.session.execute(select(FilmTally.film, FilmTally.language, FilmTally.percent, FilmTally.viewers))
        return sorted(tuple(row) for row in rows)


def test_viewers_add_up(campaign):
    with campaign.app.app_context():
        for percent in (0, 0, 25):
            count_watched(db.session, film="sochi", language="ru", percent=percent)
    assert tallies(campaign) == [("sochi", "ru", 0, 2), ("sochi", "ru", 25, 1)]


def test_an_hour_is_all_that_is_known_of_the_time(campaign):
    with campaign.app.app_context():
        count_watched(db.session, film="sochi", language="ru", percent=0)
        hour = db.session.scalar(select(FilmTally.hour))
    assert (hour.minute, hour.second, hour.microsecond) == (0, 0, 0)


def test_other_shares_are_refused(campaign):
    with campaign.app.app_context(), pytest.raises(ValueError, match="none of"):
        count_watched(db.session, film="sochi", language="ru", percent=33)
