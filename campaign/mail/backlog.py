"""What waits in the outbox, how late it is, and which letters died."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from campaign.db import utcnow
from campaign.models import OutboxMessage

LATE = timedelta(minutes=5)
MANY = 10  # put off by so many servers at once, it is our own that is the matter


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages wait, since when the oldest does, how many were given up, and how many reminders will come.

    `bounced`: how many of those that wait or were given up a mail server has refused.
    """

    waiting: int
    oldest: datetime | None
    dead: int
    reminders: int
    bounced: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up: its signature, when it was due first, and the server's code if it was refused."""

    signature_id: UUID | None
    created_at: datetime
    refusal: int | None


def backlog(session: Session) -> Backlog:
    """Return what waits in the outbox."""
    waiting, dead, coming = _waiting(), OutboxMessage.due_at.is_(None), _coming()
    counts = select(
        func.count().filter(waiting),
        func.min(OutboxMessage.created_at).filter(waiting),
        func.count().filter(dead),
        func.count().filter(coming),
        func.count(OutboxMessage.refusal),
    )
    return Backlog(*session.execute(counts.select_from(OutboxMessage)).one())


def is_late(session: Session) -> bool:
    """Tell whether mail runs more than five minutes late.

    What the mail servers of a few recipients put off does not count: others' mail goes out meanwhile.
    """
    overdue = and_(OutboxMessage.created_at < utcnow() - LATE, _waiting())
    put_off = func.count(OutboxMessage.refusal)
    counts = select(func.count() - put_off, put_off).select_from(OutboxMessage).where(overdue)
    stuck, refused = session.execute(counts).one()
    return bool(stuck or refused >= MANY)


def dead_letters(session: Session, *, most: int) -> list[DeadLetter]:
    """Return up to `most` messages that were given up, the newest first."""
    columns = (OutboxMessage.signature_id, OutboxMessage.created_at, OutboxMessage.refusal)
    dead = select(*columns).where(OutboxMessage.due_at.is_(None)).order_by(OutboxMessage.id.desc())
    return [DeadLetter(*row) for row in session.execute(dead.limit(most))]


def _coming() -> ColumnElement[bool]:
    """A reminder whose time has not come; it may never be needed."""
    return and_(OutboxMessage.kind == "reminder", OutboxMessage.created_at > utcnow())


def _waiting() -> ColumnElement[bool]:
    """A message whose time has come: no reminder to come, and none that is held until tomorrow."""
    return and_(OutboxMessage.due_at.is_not(None), OutboxMessage.created_at <= utcnow())
