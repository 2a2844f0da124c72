"""The status of the outbox: how many messages wait, how late they are, and any faults."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, literal, literal_column, select
from sqlalchemy.orm import Session

from campaign.core.database import utcnow
from campaign.mail.server_state import LATE_AFTER, load
from campaign.models import OutboxMessage

RECENT_PERIOD = timedelta(days=1)  # for so long a message that was given up is shown in red
STUCK_AFTER = 6  # attempts, the last of them more than an hour after the first


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The numbers of waiting and dead messages and pending reminders, and the due time of the `oldest`.

    `bounced` counts the waiting and dead messages that a mail server has refused.
    """

    waiting: int
    oldest: datetime | None
    dead: int
    reminders: int
    bounced: int


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """A message that was given up: its signature, when it was due first, the server's code if any, and its words."""

    signature_id: UUID | None
    created_at: datetime
    reply_code: int | None
    reply: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """The status of email for organisers and operators.

    `status`: "failing" (the mail server accepts nothing, and the workers pause), "late" (messages wait too long),
    "dead" (messages were given up in the last day) or "ok". `reply` is the server's reply without email addresses,
    `since` the beginning of the problem.
    """

    status: Literal["ok", "dead", "late", "failing"]
    reply: str | None = None
    since: datetime | None = None


def queue_status(session: Session, *, most: int | None = None) -> QueueStatus:
    """Return the numbers of waiting, dead and bounced messages, and the oldest due time.

    With `most`, each number is counted no further than that, so the answer takes as long however many messages wait.
    """
    now = utcnow()
    is_waiting = OutboxMessage.due_at.is_not(None)
    is_due = and_(is_waiting, OutboxMessage.created_at <= now)  # not held until tomorrow
    is_upcoming = and_(is_waiting, OutboxMessage.created_at > now, OutboxMessage.kind == "reminder")  # may be needless
    oldest = select(OutboxMessage.created_at).where(is_due).order_by(OutboxMessage.created_at).limit(1)
    is_bounced = and_(OutboxMessage.refused_at.is_not(None), OutboxMessage.reply_code.is_not(None))
    figures = (
        _count(is_due, OutboxMessage.created_at, most),
        oldest.scalar_subquery(),
        _count(OutboxMessage.due_at.is_(None), OutboxMessage.due_at, most),
        _count(is_upcoming, OutboxMessage.created_at, most),
        _count(is_bounced, OutboxMessage.refused_at, most),
    )
    return QueueStatus(*session.execute(select(*figures)).one())


def _count(condition: ColumnElement[bool], order: Any, most: int | None) -> ScalarSelect[int]:
    # Ordered, so that PostgreSQL reads the index and not the table, however old its statistics are.
    counted = select(literal(1).label("one")).where(condition).order_by(order if most else None).limit(most).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()


def is_late(session: Session) -> bool:
    """Return whether email is more than five minutes late.

    The public sees this, so a single email address must not change it: it depends on how long messages wait for their
    first attempt, decoys as well as emails, and on server failures that do not depend on one or two recipients.
    """
    untried = OutboxMessage.attempts == literal_column(
        "0"
    )  # as the index has it: SQLite compares no parameters with it
    overdue = select(OutboxMessage.id).where(OutboxMessage.due_at < utcnow() - LATE_AFTER, untried)
    # Ordered, so that PostgreSQL reads the index and not the table, however old its statistics are.
    first = overdue.order_by(OutboxMessage.due_at).limit(1)
    return load(session).is_late() or session.execute(first).first() is not None


def health(session: Session) -> Health:
    """Return the status of email. It depends on single messages and must not be public."""
    server = load(session)
    if server.is_failing:
        return Health("failing", server.reply, server.failing_since)
    stuck = _latest_refusal(OutboxMessage.due_at.is_not(None), OutboxMessage.attempts >= STUCK_AFTER)
    if refusal := session.execute(stuck).first():
        return Health("late", *refusal)
    if is_late(session):
        return Health("late")
    dead = _latest_refusal(OutboxMessage.due_at.is_(None), OutboxMessage.refused_at > utcnow() - RECENT_PERIOD)
    refusal = session.execute(dead).first()
    return Health("dead", *refusal) if refusal else Health("ok")


def _latest_refusal(*conditions: ColumnElement[bool]) -> Select[str | None, datetime | None]:
    """Return the words about the message that failed last, and when; its index holds only those that failed."""
    query = select(OutboxMessage.reply, OutboxMessage.refused_at).where(OutboxMessage.refused_at.is_not(None))
    return query.where(*conditions).order_by(OutboxMessage.refused_at.desc()).limit(1)


def dead_messages(session: Session, *, most: int) -> list[DeadMessage]:
    """Return up to `most` messages that were given up, the newest first."""
    columns = (OutboxMessage.signature_id, OutboxMessage.created_at, OutboxMessage.reply_code, OutboxMessage.reply)
    dead = select(*columns).where(OutboxMessage.due_at.is_(None)).order_by(OutboxMessage.id.desc())
    return [DeadMessage(*row) for row in session.execute(dead.limit(most))]
