"""Counting how much is watched: numbers an hour, and nothing about anybody."""

import pytest
from sqlalchemy import select

from campaign.analytics.counters import Counters
from campaign.analytics.film_views import count_film_view
from campaign.core.database import db
from campaign.maintenance import flush_counters
from campaign.models import FilmViewCount


def tallies(campaign) -> list[tuple[str, str, int, int]]:
    flush_counters(campaign.app)
    with campaign.app.app_context():
        rows = db.session.execute(
            select(FilmViewCount.film, FilmViewCount.language, FilmViewCount.percent, FilmViewCount.viewers)
        )
        return sorted((film, language, percent, viewers) for film, language, percent, viewers in rows)


def test_viewers_add_up(campaign):
    counted = Counters()
    for percent in (0, 0, 25):
        count_film_view(counted, film="sochi", language="ru", percent=percent)
    with campaign.app.app_context():
        counted.write(db.session)
    assert tallies(campaign) == [("sochi", "ru", 0, 2), ("sochi", "ru", 25, 1)]


def test_other_shares_are_refused():
    with pytest.raises(ValueError, match="none of"):
        count_film_view(Counters(), film="sochi", language="ru", percent=33)
