"""Guessing: whoever is wrong again and again must wait longer and longer, at whichever process they try."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import blake2b
from math import ceil

from sqlalchemy import case, delete, func, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.errors import TooManyTries
from campaign.models import FailedTry

FREE = 3  # wrong tries without a pause: people mistype
LOCKED_AT = 10
LOCK = timedelta(minutes=15)
FORGOTTEN = timedelta(days=1)
_CLOCK_READ_EARLIER = timedelta(minutes=1)  # by a request that then waited for this row, and must not be refused


@contextmanager
def guessed(session: Session, subject: str) -> Iterator[None]:
    """Compare something secret about `subject` within the block. Raises `TooManyTries`.

    Counted before it is compared, so that many tries at once are no way around. Only a block that ends without an
    exception resets the count: an attacker can provoke errors.
    """
    _count(session, subject)
    yield
    _forget(session, subject)


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row: nothing, then 2, 4, 8 … seconds, then 15 minutes."""
    if failures >= LOCKED_AT:
        return LOCK
    return timedelta(seconds=2 ** (failures - FREE) if failures > FREE else 0)


def forget_old(session: Session) -> None:
    """Let go of failures that were a day ago."""
    with transaction(session):
        session.execute(delete(FailedTry).where(FailedTry.until < utcnow() - FORGOTTEN))


def _count(session: Session, subject: str) -> None:
    """Count a try as failed until it is known to be right."""
    now, subject_hash = utcnow(), _hashed(subject)
    again = case((FailedTry.until < now - FORGOTTEN, 1), else_=FailedTry.failures + 1)
    with transaction(session):
        row = insert(session, FailedTry).values(subject_hash=subject_hash, failures=1, until=now)
        counted = row.on_conflict_do_update(
            index_elements=["subject_hash"], set_={"failures": again}, where=FailedTry.until <= now
        ).returning(FailedTry.failures)
        failures = session.scalar(counted)
        if failures is not None:
            known = session.get_one(FailedTry, subject_hash, populate_existing=True)
            pause = pause_after(failures)
            known.until = now + pause if pause else now - _CLOCK_READ_EARLIER
    if failures is None:
        raise TooManyTries(_seconds_left(session, subject_hash))


def _seconds_left(session: Session, subject_hash: bytes) -> int:
    until = session.scalar(select(func.max(FailedTry.until)).where(FailedTry.subject_hash == subject_hash))
    return max(ceil((until - utcnow()).total_seconds()), 1) if until else 1


def _forget(session: Session, subject: str) -> None:
    with transaction(session):
        session.execute(delete(FailedTry).where(FailedTry.subject_hash == _hashed(subject)))


def _hashed(subject: str) -> bytes:
    return blake2b(subject.encode(), digest_size=32, person=b"failed tries").digest()
