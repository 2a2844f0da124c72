"""Counting how much is watched: numbers an hour, and nothing about anybody."""

import pytest
from sqlalchemy import select

from campaign.analytics.counters import Tallies
from campaign.analytics.film_views import count_watched
from campaign.core.database import db
from campaign.maintenance import write_down
from campaign.models import FilmTally


def tallies(campaign) -> list[tuple[str, str, int, int]]:
    write_down(campaign.app)
    with campaign.app.app_context():
        rows = db.session.execute(select(FilmTally.film, FilmTally.language, FilmTally.percent, FilmTally.viewers))
        return sorted(tuple(row) for row in rows)


def test_viewers_add_up(campaign):
    counted = Tallies()
    for percent in (0, 0, 25):
        count_watched(counted, film="sochi", language="ru", percent=percent)
    with campaign.app.app_context():
        counted.write(db.session)
    assert tallies(campaign) == [("sochi", "ru", 0, 2), ("sochi", "ru", 25, 1)]


def test_other_shares_are_refused():
    with pytest.raises(ValueError, match="none of"):
        count_watched(Tallies(), film="sochi", language="ru", percent=33)
