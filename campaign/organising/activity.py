"""What organisers did: kept in order, each entry chained to all before it, so that none can be changed unseen.

The chain is keyed (HMAC-SHA-256): who can write to the database, but does not have the server's secret, cannot make a
chain that holds. Each link is logged as well, so that entries cut off at the end are missed.
"""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.db import insert, iso, transaction, utcnow
from campaign.models import Activity

COMMAND_LINE = "flask"  # the command, for whoever runs the server

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what and when; `details` are plain values."""

    number: int
    at: datetime
    actor: str
    action: str
    details: dict[str, Any]


def record(session: Session, key: bytes, *, actor: str, action: str, **details: object) -> None:
    """Add an entry, in a transaction of its own. It is written before what it tells of is done."""
    told = json.dumps(details, sort_keys=True, ensure_ascii=False, default=_plain)
    with transaction(session, locks=Activity):
        before = session.execute(
            select(Activity.number, Activity.chained).order_by(Activity.number.desc()).limit(1)
        ).first()
        number, chained = before if before else (0, b"")
        row = {"number": number + 1, "at": utcnow(), "actor": actor, "action": action, "details": told}
        link = _link(key, chained, row)
        session.execute(insert(session, Activity).values(**row, chained=link))
    log.info("activity", number=number + 1, chained=link.hex())


def entries(session: Session, *, most: int, before: int | None = None, action: str | None = None) -> list[Entry]:
    """Return up to `most` entries, the newest first: those with a number below `before`, and of one `action`."""
    query = select(Activity).order_by(Activity.number.desc()).limit(most)
    if before is not None:
        query = query.where(Activity.number < before)
    if action is not None:
        query = query.where(Activity.action == action)
    return [_entry(row) for row in session.scalars(query)]


def iter_entries(session: Session) -> Iterator[Entry]:
    """Yield all entries, the oldest first."""
    for row in session.scalars(select(Activity).order_by(Activity.number).execution_options(yield_per=1000)):
        yield _entry(row)


def number_of_entries(session: Session) -> int:
    """Return how many entries there are."""
    return session.scalar(select(func.count()).select_from(Activity)) or 0


def first_broken(session: Session, key: bytes) -> int | None:
    """Return the number of the first entry at which the chain does not hold, or None if it does."""
    chained = b""
    for expected, row in enumerate(session.scalars(select(Activity).order_by(Activity.number)), start=1):
        kept = {name: getattr(row, name) for name in ("number", "at", "actor", "action", "details")}
        link = _link(key, chained, kept)
        if row.number != expected or not hmac.compare_digest(link, row.chained):
            return expected
        chained = link
    return None


def _link(key: bytes, before: bytes, row: dict[str, Any]) -> bytes:
    written = json.dumps([row["number"], row["at"].isoformat(), row["actor"], row["action"], row["details"]])
    return hmac.digest(key, before + written.encode(), "sha256")


def _entry(row: Activity) -> Entry:
    return Entry(row.number, row.at, row.actor, row.action, json.loads(row.details))


def _plain(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)
