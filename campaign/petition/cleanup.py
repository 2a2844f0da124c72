"""Deletion in bulk: floods of fake signatures that match a filter, and expired data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningDelete

from campaign.core.database import Base, retry_on_deadlock, transaction, utcnow
from campaign.mail import domain_budget
from campaign.models import DomainEmailCount, EmailSlot, OutboxMessage, Signature, SuppressedEmail, UsedChallenge
from campaign.petition.expiry import LINK_LIFETIME

BATCH = 1000  # rows deleted in one transaction, so that signing never waits for long
NO_CHANNEL = "none"


@dataclass(frozen=True, slots=True)
class SignatureFilter:
    """Which signatures an organiser means; the period is that of signing. `via` may be `NO_CHANNEL`."""

    since: datetime | None = None
    until: datetime | None = None
    via: str | None = None
    country: str | None = None
    language: str | None = None
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class MatchCounts:
    """How many signatures were meant, and how many of them are confirmed."""

    all: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class PurgeCounts:
    """The numbers of expired rows: unconfirmed signatures, suppressions, challenges, dead messages.

    `pauses` counts mailboxes that may get an email again, `domain_budget` rows about earlier days.
    """

    signatures: int
    refusals: int
    challenges: int
    letters: int
    pauses: int
    domain_budget: int


def count_matching(session: Session, burst: SignatureFilter) -> MatchCounts:
    """Return how many signatures `burst` means."""
    count = select(func.count(), func.count(Signature.confirmed_at)).select_from(Signature).where(*_conditions(burst))
    return MatchCounts(*session.execute(count).one())


def erase_matching(session: Session, burst: SignatureFilter) -> int:
    """Erase the signatures that match `burst`, with their queued messages. Returns their number."""
    return _erase(session, Signature, *_conditions(burst))


def count_expired(session: Session) -> PurgeCounts:
    """Return how much `purge` would erase."""
    return PurgeCounts(*(_count(session, table, *conditions) for table, conditions in _expired_signatures()))


def purge(session: Session) -> PurgeCounts:
    """Erase all that `PurgeCounts` names; returns how much that was."""
    return PurgeCounts(*(_erase(session, table, *conditions) for table, conditions in _expired_signatures()))


def _expired_signatures() -> Iterator[tuple[type[Base], tuple[ColumnElement[bool], ...]]]:
    now = utcnow()
    yield Signature, (Signature.confirmed_at.is_(None), Signature.signed_at <= now - LINK_LIFETIME)
    yield SuppressedEmail, (SuppressedEmail.expires_at <= now,)
    yield UsedChallenge, (UsedChallenge.expires_at <= now,)
    yield OutboxMessage, (OutboxMessage.due_at.is_(None), OutboxMessage.created_at <= now - LINK_LIFETIME)
    yield EmailSlot, (EmailSlot.paused_until <= now,)
    yield DomainEmailCount, (DomainEmailCount.day < domain_budget.oldest_retained_day(),)


def _conditions(burst: SignatureFilter) -> Iterator[ColumnElement[bool]]:
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
        # In the meantime a row may have been confirmed.
        statement = delete(table).where(key.in_(keys), *conditions).returning(key)
        erased += retry_on_deadlock(partial(_execute, session, statement))
    return erased


def _execute(session: Session, statement: ReturningDelete[Any]) -> int:
    with transaction(session):
        return len(session.execute(statement).all())
