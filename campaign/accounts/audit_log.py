"""The audit log: the actions of organisers, each entry chained to all earlier ones.

The chain is keyed (HMAC-SHA-256): write access to the database is not enough to forge it without the server's secret
key. Each chain hash is logged too, which shows if entries were cut off at the end.
"""

import hmac
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.core.database import call_after_commit, insert, iso, transaction, utcnow
from campaign.errors import (
    CampaignError,
    DecryptionFailed,
    EmailAlreadyRegistered,
    InvalidAgeKey,
    InvalidEmailAddress,
    InvalidRecoveryKey,
    LastSecondFactor,
    NothingDecrypted,
    RateLimited,
    RealSignaturesExist,
    Throttled,
    WorkerFailed,
    WrongCredential,
)
from campaign.models import AuditLogEntry

COMMAND_LINE = "flask"  # the actor of commands on the server
REFUSED = "refused"  # the action of an entry about a refused attempt

_STORED_REASONS: dict[type[BaseException], str] = {
    InvalidAgeKey: "bad-recipient",
    InvalidEmailAddress: "invalid-address",
    InvalidRecoveryKey: "bad-recovery-key",
    DecryptionFailed: "unreadable",
    EmailAlreadyRegistered: "address-taken",
    LastSecondFactor: "last-factor",
    NothingDecrypted: "nothing-readable",
    RateLimited: "must-wait",
    RealSignaturesExist: "real-signatures",
    Throttled: "too-many-tries",
    WorkerFailed: "broken",
    WrongCredential: "wrong-factor",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One action: its actor (an email address or `flask`), its time, and details as JSON values."""

    number: int
    occurred_at: datetime
    actor: str
    action: str
    details: dict[str, Any]


@dataclass(slots=True)
class Draft:
    """An entry that has not been written yet. Nothing is written unless something `happened`."""

    details: dict[str, object]
    happened: bool = True


@contextmanager
def recording(session: Session, key: bytes, *, actor: str, action: str, **details: object) -> Iterator[Draft]:
    """Run the block and add an entry about it in one transaction: either both are stored, or neither.

    A `CampaignError` in the block rolls it back and is recorded as a refused attempt.
    """
    draft = Draft(details)
    try:
        with transaction(session, locks=AuditLogEntry):
            yield draft
            if draft.happened:
                number, chain_hash = _append(session, key, actor, action, draft.details)
                note = partial(log.info, "activity", number=number, chain_hash=chain_hash.hex())
                call_after_commit(session, note)
    except CampaignError as error:
        record_refused(session, key, actor=actor, attempt=action, why=reason_of(error), **details)
        raise


def record(session: Session, key: bytes, *, actor: str, action: str, **details: object) -> None:
    """Add an entry about an action that has been carried out already."""
    with recording(session, key, actor=actor, action=action, **details):
        pass


def record_refused(session: Session, key: bytes, *, actor: str, attempt: str, why: str, **details: object) -> None:
    """Add an entry about a refused action, `attempt`; `why` is a word such as "last-owner"."""
    record(session, key, actor=actor, action=REFUSED, attempt=attempt, why=why, **details)


def reason_of(error: BaseException) -> str:
    """Return a word for `why`: "last-owner" for `LastOwner`. Stored words outlive the renaming of a class."""
    if reason := _STORED_REASONS.get(type(error)):
        return reason
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()


def entries(session: Session, *, most: int, before: int | None = None, action: str | None = None) -> list[Entry]:
    """Return up to `most` entries, newest first; below the number `before` and of one `action`, if given."""
    query = select(AuditLogEntry).order_by(AuditLogEntry.number.desc()).limit(most)
    if before is not None:
        query = query.where(AuditLogEntry.number < before)
    if action is not None:
        query = query.where(AuditLogEntry.action == action)
    return [_entry(row) for row in session.scalars(query)]


def iter_entries(session: Session) -> Iterator[Entry]:
    """Yield all entries, oldest first."""
    for row in session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.number).execution_options(yield_per=1000)):
        yield _entry(row)


def count_entries(session: Session) -> int:
    """Return the number of entries."""
    return session.scalar(select(func.count()).select_from(AuditLogEntry)) or 0


def first_invalid_entry(session: Session, key: bytes) -> int | None:
    """Return the number of the first entry whose chain hash is wrong, or None if the chain is intact."""
    chain_hash = b""
    for expected, row in enumerate(session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.number)), start=1):
        fields = {name: getattr(row, name) for name in ("number", "occurred_at", "actor", "action", "details")}
        link = _chain_hash(key, chain_hash, fields)
        if row.number != expected or not hmac.compare_digest(link, row.chain_hash):
            return expected
        chain_hash = link
    return None


def _append(session: Session, key: bytes, actor: str, action: str, details: dict[str, object]) -> tuple[int, bytes]:
    """Add an entry, and return its number and chain hash."""
    details_json = json.dumps(details, sort_keys=True, ensure_ascii=False, default=_serialize)
    before = session.execute(
        select(AuditLogEntry.number, AuditLogEntry.chain_hash).order_by(AuditLogEntry.number.desc()).limit(1)
    )
    number, chain_hash = before.first() or (0, b"")
    row = {"number": number + 1, "occurred_at": utcnow(), "actor": actor, "action": action, "details": details_json}
    link = _chain_hash(key, chain_hash, row)
    session.execute(insert(session, AuditLogEntry).values(**row, chain_hash=link))
    return number + 1, link


def _chain_hash(key: bytes, before: bytes, row: dict[str, Any]) -> bytes:
    entry_json = json.dumps(
        [row["number"], row["occurred_at"].isoformat(), row["actor"], row["action"], row["details"]]
    )
    return hmac.digest(key, before + entry_json.encode(), "sha256")


def _entry(row: AuditLogEntry) -> Entry:
    return Entry(row.number, row.occurred_at, row.actor, row.action, json.loads(row.details))


def _serialize(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)
