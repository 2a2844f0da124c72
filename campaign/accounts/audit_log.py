"""What organisers did: kept in order, each entry chained to all before it, so that none can be changed unseen.

The chain is keyed (HMAC-SHA-256): who can write to the database, but does not have the server's secret, cannot make a
chain that holds. Each link is logged as well, so that entries cut off at the end are missed.
"""

import hmac
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, iso, transaction, utcnow
from campaign.errors import CampaignError
from campaign.models import Activity

COMMAND_LINE = "flask"  # the command, for whoever runs the server
REFUSED = "refused"  # the action of an entry about a refused attempt

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what and when; `details` are plain values."""

    number: int
    at: datetime
    actor: str
    action: str
    details: dict[str, Any]


@dataclass(slots=True)
class Draft:
    """An entry that is still to be written; none is where nothing `happened`."""

    details: dict[str, object]
    happened: bool = True


@contextmanager
def recording(session: Session, key: bytes, *, actor: str, action: str, **details: object) -> Iterator[Draft]:
    """Carry out the block and add an entry about it in one transaction: both are kept, or neither.

    A `CampaignError` in the block undoes it, and is recorded as a refused attempt.
    """
    draft = Draft(details)
    try:
        with transaction(session, locks=Activity):
            yield draft
            link = _append(session, key, actor, action, draft.details) if draft.happened else None
    except CampaignError as error:
        record_refused(session, key, actor=actor, attempt=action, why=reason_of(error), **details)
        raise
    if link:
        log.info("activity", number=link[0], chained=link[1].hex())


def record(session: Session, key: bytes, *, actor: str, action: str, **details: object) -> None:
    """Add an entry about something that is done already."""
    with recording(session, key, actor=actor, action=action, **details):
        pass


def record_refused(session: Session, key: bytes, *, actor: str, attempt: str, why: str, **details: object) -> None:
    """Add an entry about an `attempt`, an action that was refused; `why` is a word like "last-owner"."""
    record(session, key, actor=actor, action=REFUSED, attempt=attempt, why=why, **details)


def reason_of(error: BaseException) -> str:
    """Return the name of an error as a word for `why`: "last-owner" for `LastOwner`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()


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


def _append(session: Session, key: bytes, actor: str, action: str, details: dict[str, object]) -> tuple[int, bytes]:
    """Add an entry, and return its number and its link."""
    written = json.dumps(details, sort_keys=True, ensure_ascii=False, default=_plain)
    before = session.execute(select(Activity.number, Activity.chained).order_by(Activity.number.desc()).limit(1))
    number, chained = before.first() or (0, b"")
    row = {"number": number + 1, "at": utcnow(), "actor": actor, "action": action, "details": written}
    link = _link(key, chained, row)
    session.execute(insert(session, Activity).values(**row, chained=link))
    return number + 1, link


def _link(key: bytes, before: bytes, row: dict[str, Any]) -> bytes:
    written = json.dumps([row["number"], row["at"].isoformat(), row["actor"], row["action"], row["details"]])
    return hmac.digest(key, before + written.encode(), "sha256")


def _entry(row: Activity) -> Entry:
    return Entry(row.number, row.at, row.actor, row.action, json.loads(row.details))


def _plain(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)
