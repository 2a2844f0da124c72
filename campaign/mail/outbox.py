"""The outbox: letters wait here, sealed with the server's own key, until the worker has sent them."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import structlog
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from campaign.db import insert, new_id, transaction, utcnow
from campaign.models import OutboxMessage

log = structlog.get_logger(__name__)

Kind = Literal["confirmation", "already_signed"]

# Pauses after each failed attempt; the last one repeats until GIVE_UP (RFC 5321, 4.5.4.1: four to five days).
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 80, 160, 320))
GIVE_UP = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message needs in order to be written when its time comes."""

    kind: Kind
    to: str
    language: str
    token: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter taken from the outbox, to be sent now."""

    id: UUID
    letter: Letter
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many letters wait, since when the oldest does, and how many were given up."""

    waiting: int
    oldest: datetime | None
    dead: int


def post(session: Session, key: bytes, letter: Letter, *, signature_id: UUID) -> None:
    """Put `letter` into the outbox, within the caller's transaction."""
    identity, now = new_id(), utcnow()
    sealed = Aead(key).encrypt(json.dumps(asdict(letter)).encode(), aad=identity.bytes)
    row = {"id": identity, "signature_id": signature_id, "sealed": bytes(sealed), "created_at": now, "due_at": now}
    session.execute(insert(session, OutboxMessage).values(**row, attempts=0))


def take(session: Session, key: bytes, *, most: int) -> list[Waiting]:
    """Take up to `most` due letters, oldest first, for this worker alone.

    Taking one moves its due time past the next pause: so it comes back by itself when the worker fails or dies, and
    no other worker sees it until then.
    """
    now = utcnow()
    due = select(OutboxMessage).where(OutboxMessage.due_at <= now).order_by(OutboxMessage.due_at).limit(most)
    with transaction(session):
        rows = session.scalars(due.with_for_update(skip_locked=True)).all()
        taken = [_taken(key, row, now=now) for row in rows]
    return [waiting for waiting in taken if waiting]


def put_back(session: Session, message_ids: list[UUID]) -> None:
    """Give back letters that were taken and not tried."""
    chosen = update(OutboxMessage).where(OutboxMessage.id.in_(message_ids))
    with transaction(session):
        session.execute(chosen.values(due_at=utcnow(), attempts=OutboxMessage.attempts - 1))


def done(session: Session, message_id: UUID) -> None:
    """Delete a letter that was sent."""
    with transaction(session):
        session.execute(delete(OutboxMessage).where(OutboxMessage.id == message_id))


def give_up(session: Session, message_id: UUID) -> None:
    """Keep a letter that cannot be delivered, but send it no more."""
    with transaction(session):
        session.execute(update(OutboxMessage).where(OutboxMessage.id == message_id).values(due_at=None))


def backlog(session: Session) -> Backlog:
    """Return what waits in the outbox."""
    waiting, dead = OutboxMessage.due_at.is_not(None), OutboxMessage.due_at.is_(None)
    counts = select(func.count().filter(waiting), func.min(OutboxMessage.created_at).filter(waiting))
    row = session.execute(counts.add_columns(func.count().filter(dead)).select_from(OutboxMessage)).one()
    return Backlog(*row)


def _pause(attempts: int) -> timedelta:
    return PAUSES[min(attempts, len(PAUSES) - 1)]


def _taken(key: bytes, row: OutboxMessage, *, now: datetime) -> Waiting | None:
    """Take one row. One sealed with another secret key waits on: the right key may come back."""
    row.due_at, row.attempts = now + _pause(row.attempts), row.attempts + 1
    try:
        letter = Letter(**json.loads(Aead(key).decrypt(row.sealed, aad=row.id.bytes)))
    except (CryptoError, ValueError, TypeError):
        log.warning("a letter in the outbox was sealed with another secret key")
        return None
    return Waiting(row.id, letter, row.created_at)
