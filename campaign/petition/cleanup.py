"""Erasing many: bursts of fakes that an organiser describes, and what has outlived its time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningDelete

from campaign.core.database import Base, despite_deadlocks, transaction, utcnow
from campaign.mail import domain_budget
from campaign.models import DomainEmails, EmailSlot, OutboxMessage, RefusedAddress, Signature, UsedChallenge
from campaign.petition.expiry import LINK_LIFE

BATCH = 1000  # rows erased in one transaction, so that nobody who signs waits for long
NO_CHANNEL = "none"


@dataclass(frozen=True, slots=True)
class Burst:
    """Which signatures an organiser means; the period is that of signing. `via` may be `NO_CHANNEL`."""

    since: datetime | None = None
    until: datetime | None = None
    via: str | None = None
    country: str | None = None
    language: str | None = None
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """How many signatures were meant, and how many of them are confirmed."""

    all: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Outlived:
    """What has outlived its time: unconfirmed signatures, refusals, challenges of the bot check, dead letters.

    `pauses`: of mailboxes that may get an email again; `domains`: counts of emails to mail domains on earlier days.
    """

    signatures: int
    refusals: int
    challenges: int
    letters: int
    pauses: int
    domain_budget: int


def found(session: Session, burst: Burst) -> Found:
    """Return how many signatures `burst` means."""
    count = select(func.count(), func.count(Signature.confirmed_at)).select_from(Signature).where(*_meant(burst))
    return Found(*session.execute(count).one())


def erase_burst(session: Session, burst: Burst) -> int:
    """Erase what `burst` means, with all mail that waits for it; returns how many signatures that were."""
    return _erase(session, Signature, *_meant(burst))


def outlived(session: Session) -> Outlived:
    """Return how much `purge` would erase."""
    return Outlived(*(_count(session, table, *conditions) for table, conditions in _too_old()))


def purge(session: Session) -> Outlived:
    """Erase all that `Outlived` names; returns how much that was."""
    return Outlived(*(_erase(session, table, *conditions) for table, conditions in _too_old()))


def _too_old() -> Iterator[tuple[type[Base], tuple[ColumnElement[bool], ...]]]:
    now = utcnow()
    yield Signature, (Signature.confirmed_at.is_(None), Signature.signed_at <= now - LINK_LIFE)
    yield RefusedAddress, (RefusedAddress.until <= now,)
    yield UsedChallenge, (UsedChallenge.until <= now,)
    yield OutboxMessage, (OutboxMessage.due_at.is_(None), OutboxMessage.created_at <= now - LINK_LIFE)
    yield EmailSlot, (EmailSlot.paused_until <= now,)
    yield DomainEmails, (DomainEmails.day < domain_budget.oldest_kept(),)


def _meant(burst: Burst) -> Iterator[ColumnElement[bool]]:
    if burst.since:
        yield Signature.signed_at >= burst.since
    if burst.until:
        yield Signature.signed_at < burst.until
    if burst.via:
        yield Signature.via.is_(None) if burst.via == NO_CHANNEL else Signature.via == burst.via
    if burst.country:
        yield Signature.country == burst.country
    if burst.language:
        yield Signature.language == burst.language
    if burst.unconfirmed:
        yield Signature.confirmed_at.is_(None)


def _count(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _erase(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    """Erase by batches. They are looked for outside of the write transaction, which is over soon."""
    erased = 0
    key: Any = Base.metadata.tables[table.__tablename__].primary_key.columns[0]
    while keys := session.scalars(select(key).where(*conditions).limit(BATCH)).all():
        # Somebody may have confirmed meanwhile.
        gone = delete(table).where(key.in_(keys), *conditions).returning(key)
        erased += despite_deadlocks(partial(_carried_out, session, gone))
    return erased


def _carried_out(session: Session, gone: ReturningDelete[Any]) -> int:
    with transaction(session):
        return len(session.execute(gone).all())
