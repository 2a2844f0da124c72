"""How much of the film is watched: a number an hour, by film, language and share watched, and nothing about anybody."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.db import insert, transaction, utcnow
from campaign.models import FilmTally

MARKS = (0, 25, 50, 75, 100)  # percent watched: 0 is a play, 100 the end


def count_watched(session: Session, *, film: str, language: str, percent: int) -> None:
    """Count one viewer who has watched `percent` of `film`. Raises `ValueError` for a share that is none of `MARKS`."""
    if percent not in MARKS:
        raise ValueError(f"{percent} is none of {MARKS}")
    hour = utcnow().replace(minute=0, second=0, microsecond=0)
    new = insert(session, FilmTally).values(hour=hour, film=film, language=language, percent=percent, viewers=1)
    key = ["hour", "film", "language", "percent"]
    with transaction(session):
        session.execute(new.on_conflict_do_update(index_elements=key, set_={"viewers": FilmTally.viewers + 1}))


def watched(session: Session, *, since: datetime | None = None) -> list[tuple[str, str, int, int]]:
    """Return film, language, percent watched and how many did, from the hour of `since` on."""
    columns = (FilmTally.film, FilmTally.language, FilmTally.percent)
    asked = select(*columns, func.sum(FilmTally.viewers)).group_by(*columns).order_by(*columns)
    if since:
        asked = asked.where(FilmTally.hour >= since)
    return [(film, language, percent, viewers) for film, language, percent, viewers in session.execute(asked)]
