"""How much of the film is watched: a number an hour, by film, language and share watched, and nothing about anybody."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.analytics.counters import Tallies
from campaign.models import FilmTally

MARKS = (0, 25, 50, 75, 100)  # percent watched: 0 is a play, 100 the end


def count_watched(tallies: Tallies, *, film: str, language: str, percent: int) -> None:
    """Count one viewer who has watched `percent` of `film`. Raises `ValueError` for a share that is none of `MARKS`."""
    if percent not in MARKS:
        raise ValueError(f"{percent} is none of {MARKS}")
    tallies.count(FilmTally, film=film, language=language, percent=percent)


def watched(session: Session, *, since: datetime | None = None) -> list[tuple[str, str, int, int]]:
    """Return film, language, percent watched and how many did, from the hour of `since` on."""
    columns = (FilmTally.film, FilmTally.language, FilmTally.percent)
    asked = select(*columns, func.sum(FilmTally.viewers)).group_by(*columns).order_by(*columns)
    if since:
        asked = asked.where(FilmTally.hour >= since)
    return [(film, language, percent, viewers) for film, language, percent, viewers in session.execute(asked)]
