"""Totals of confirmed signatures, without counting rows.

Database triggers record each confirmation and each erasure of a signature in the same transaction, so that none is
missed. The recorded changes are rolled up into totals every few seconds; a total includes the changes still pending.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select, union_all
from sqlalchemy.orm import Session

from campaign.core.database import insert, retry_on_deadlock, transaction
from campaign.models import ConfirmedTotal, Signature, SignatureChange
from campaign.petition.cleanup import NO_CHANNEL

BATCH = 10_000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_ALL_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # where a total is not of one hour

Kind = Literal["country", "language", "via"]
_Key = tuple[str, datetime, str]


def confirmed(session: Session) -> int:
    """Return how many signatures are confirmed: the public count."""
    added = select(func.coalesce(func.sum(ConfirmedTotal.number), 0)).where(ConfirmedTotal.kind == "hour")
    changes = select(func.coalesce(func.sum(SignatureChange.number), 0))
    return int(session.scalar(select(added.scalar_subquery() + changes.scalar_subquery())) or 0)


def by_hour(session: Session, *, since: datetime) -> dict[datetime, int]:
    """Return how many were confirmed in each hour (UTC) from `since` on, where there are any."""
    added = select(ConfirmedTotal.period, ConfirmedTotal.number).where(
        ConfirmedTotal.kind == "hour", ConfirmedTotal.period >= since
    )
    changes = select(SignatureChange.confirmed_at, SignatureChange.number).where(SignatureChange.confirmed_at >= since)
    hours: Counter[datetime] = Counter()
    for moment, number in session.execute(union_all(added, changes)):  # in one statement, while others add up
        hours[_start(moment, HOUR)] += number
    return {hour: number for hour, number in sorted(hours.items()) if number}


def by_day(session: Session) -> dict[datetime, int]:
    """Return how many were confirmed on each day (UTC), where there are any."""
    days: Counter[datetime] = Counter()
    for hour, number in by_hour(session, since=_ALL_TIME).items():
        days[_start(hour, DAY)] += number
    return dict(sorted(days.items()))


def by_dimension(session: Session, kind: Kind) -> dict[str, int]:
    """Return how many are confirmed by country, language or channel, the most first."""
    added = select(ConfirmedTotal.value, func.sum(ConfirmedTotal.number)).where(ConfirmedTotal.kind == kind)
    value = func.coalesce(getattr(SignatureChange, kind), NO_CHANNEL)
    changes = select(value, func.sum(SignatureChange.number)).group_by(value)
    totals: Counter[str] = Counter()
    for value, number in session.execute(union_all(added.group_by(ConfirmedTotal.value), changes)):
        totals[value] += int(number)
    return {value: number for value, number in totals.most_common() if number}


def by_channel(session: Session, shares: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Return, by channel, its uses (`shares`) and the number of confirmed signatures it brought."""
    came = by_dimension(session, "via")
    channels = sorted({*shares, *came}, key=lambda channel: (-shares.get(channel, 0), channel))
    return {channel: (shares.get(channel, 0), came.get(channel, 0)) for channel in channels}


def roll_up(session: Session) -> None:
    """Add pending changes to the totals; several processes may do so at the same time."""
    while retry_on_deadlock(lambda: _add_batch(session)) == BATCH:
        pass


def _add_batch(session: Session) -> int:
    some = select(SignatureChange.id).limit(BATCH).with_for_update(skip_locked=True)
    statement = delete(SignatureChange).where(SignatureChange.id.in_(some.scalar_subquery())).returning(*_CHANGE)
    if session.scalar(select(SignatureChange.id).limit(1)) is None:
        return 0  # checked outside of a write transaction, which would block other writers
    with transaction(session):
        rows = session.execute(statement).all()
        totals = _sums(rows)
        for kind, period, value in sorted(totals):  # in one order, so that two do not wait for each other
            key, number = {"kind": kind, "period": period, "value": value}, totals[kind, period, value]
            new = insert(session, ConfirmedTotal).values(**key, number=number)
            added = {"number": ConfirmedTotal.number + number}
            session.execute(new.on_conflict_do_update(index_elements=list(key), set_=added))
    return len(rows)


def _sums(rows: Iterable[Any]) -> Counter[_Key]:
    sums: Counter[_Key] = Counter()
    for row in rows:
        sums.update(dict.fromkeys(_keys(row), row.number))
    return sums


_CHANGE = (
    *(SignatureChange.confirmed_at, SignatureChange.country, SignatureChange.language),
    *(SignatureChange.via, SignatureChange.number),
)


def _keys(row: Any) -> list[_Key]:
    return [
        ("hour", _start(row.confirmed_at, HOUR), ""),
        ("country", _ALL_TIME, row.country),
        ("language", _ALL_TIME, row.language),
        ("via", _ALL_TIME, row.via or NO_CHANNEL),
    ]


def _start(moment: datetime, period: timedelta) -> datetime:
    """Return the start of the hour or day that `moment` is in."""
    whole = {"minute": 0, "second": 0, "microsecond": 0} | ({"hour": 0} if period == DAY else {})
    return moment.replace(**whole)  # type: ignore[arg-type]


def unconfirmed(session: Session) -> int:
    """Return how many signatures wait for confirmation."""
    return session.scalar(select(func.count()).where(Signature.confirmed_at.is_(None))) or 0
