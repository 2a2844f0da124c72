"""Throttling of guesses: each further wrong attempt means a longer pause, across all server processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import blake2b
from math import ceil

from sqlalchemy import case, delete, func, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.errors import Throttled
from campaign.models import FailedAttempt

FREE_ATTEMPTS = 3  # wrong tries without a pause: people mistype
LOCKOUT_ATTEMPTS = 10
LOCKOUT_DURATION = timedelta(minutes=15)
RESET_AFTER = timedelta(days=1)
_CLOCK_TOLERANCE = timedelta(minutes=1)  # by a request that then waited for this row, and must not be refused


@contextmanager
def throttled(session: Session, subject: str) -> Iterator[None]:
    """Compare a secret about `subject` within the block. Raises `Throttled`.

    An attempt is counted before the comparison, so that concurrent attempts cannot evade the limit. Only a block
    without an exception resets the count, since an attacker can provoke errors.
    """
    _count_attempt(session, subject)
    yield
    _reset(session, subject)


def pause_after(failures: int) -> timedelta:
    """Return the pause after consecutive failures: none at first, then 2, 4, 8 … seconds, then 15 minutes."""
    if failures >= LOCKOUT_ATTEMPTS:
        return LOCKOUT_DURATION
    return timedelta(seconds=2 ** (failures - FREE_ATTEMPTS) if failures > FREE_ATTEMPTS else 0)


def delete_expired(session: Session) -> None:
    """Delete failed attempts that are more than a day old."""
    with transaction(session):
        session.execute(delete(FailedAttempt).where(FailedAttempt.blocked_until < utcnow() - RESET_AFTER))


def _count_attempt(session: Session, subject: str) -> None:
    """Count a try as failed until it is known to be right."""
    now, subject_hash = utcnow(), _hash_subject(subject)
    again = case((FailedAttempt.blocked_until < now - RESET_AFTER, 1), else_=FailedAttempt.failures + 1)
    with transaction(session):
        row = insert(session, FailedAttempt).values(subject_hash=subject_hash, failures=1, blocked_until=now)
        statement = row.on_conflict_do_update(
            index_elements=["subject_hash"], set_={"failures": again}, where=FailedAttempt.blocked_until <= now
        ).returning(FailedAttempt.failures)
        failures = session.scalar(statement)
        if failures is not None:
            attempt = session.get_one(FailedAttempt, subject_hash, populate_existing=True)
            pause = pause_after(failures)
            attempt.blocked_until = now + pause if pause else now - _CLOCK_TOLERANCE
    if failures is None:
        raise Throttled(_seconds_left(session, subject_hash))


def _seconds_left(session: Session, subject_hash: bytes) -> int:
    until = session.scalar(
        select(func.max(FailedAttempt.blocked_until)).where(FailedAttempt.subject_hash == subject_hash)
    )
    return max(ceil((until - utcnow()).total_seconds()), 1) if until else 1


def _reset(session: Session, subject: str) -> None:
    with transaction(session):
        session.execute(delete(FailedAttempt).where(FailedAttempt.subject_hash == _hash_subject(subject)))


def _hash_subject(subject: str) -> bytes:
    return blake2b(subject.encode(), digest_size=32, person=b"failed tries").digest()
