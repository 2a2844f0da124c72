"""Film views: counts per hour, film, language and watched percentage."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.analytics.counters import Counters
from campaign.models import FilmViewCount

MILESTONES = (0, 25, 50, 75, 100)  # percent watched: 0 is a play, 100 the end


def count_film_view(tallies: Counters, *, film: str, language: str, percent: int) -> None:
    """Count one viewer who has watched `percent` of `film`. Raises `ValueError` unless it is one of `MILESTONES`."""
    if percent not in MILESTONES:
        raise ValueError(f"{percent} is none of {MILESTONES}")
    tallies.count(FilmViewCount, film=film, language=language, percent=percent)


def film_views(session: Session, *, since: datetime | None = None) -> list[tuple[str, str, int, int]]:
    """Return film, language, percent watched and how many did, from the hour of `since` on."""
    columns = (FilmViewCount.film, FilmViewCount.language, FilmViewCount.percent)
    query = select(*columns, func.sum(FilmViewCount.viewers)).group_by(*columns).order_by(*columns)
    if since:
        query = query.where(FilmViewCount.hour >= since)
    return [(film, language, percent, viewers) for film, language, percent, viewers in session.execute(query)]
