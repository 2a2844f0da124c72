"""The outbox: messages wait here, encrypted with the server's own key, until the worker has sent them."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID

import structlog
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from sqlalchemy import Connection, delete, literal_column, select, update
from sqlalchemy.orm import Session, aliased

from campaign.core.database import new_id, retry_on_deadlock, transaction, utcnow
from campaign.crypto.padding import pad
from campaign.mail import domain_budget, pacing
from campaign.models import OutboxMessage, Signature, SuppressedEmail

log = structlog.get_logger(__name__)

# A decoy is never sent. It takes the place of an email that must not be sent, so that the time that signing takes does
# not reveal earlier signers.
Kind = Literal["confirmation", "already_signed", "link_request", "reminder", "blank"]

# Pauses after each failed attempt; the last one repeats (RFC 5321, 4.5.4.1: for four to five days). A greylist lets
# the second attempt pass after a minute, or after five.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 10, 20, 40, 80, 160, 320))
MAX_ATTEMPTS = 30  # with these pauses, five days
RETRY_PERIOD = timedelta(days=5)  # for a message encrypted with a secret key that has not come back
LEASE = timedelta(minutes=5)  # a worker that dies with a message gives it up to others after this
_UNTRIED: dict[str, Any] = {
    "attempts": 0,
    "reply_code": None,
    "refused_at": None,
    "reply": None,
    "recipient_failures": 0,
}
_RETRY_BATCH = 500  # in one transaction, since signers wait for it
_BLOCK = 64  # bytes; padding hides the length of the email address


@dataclass(frozen=True, slots=True)
class Recipient:
    """The email address and language of a message; everything else follows from its kind and signature."""

    to: str
    language: str


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message claimed from the outbox; without `letter` if it was encrypted with another secret key."""

    id: UUID
    kind: Kind
    signature_id: UUID | None
    letter: Recipient | None
    created_at: datetime
    due_at: datetime
    attempts: int = 1
    refused_at: datetime | None = None
    recipient_failures: int = 0

    def with_own_failure(self) -> "ClaimedMessage":
        """Return the message with one more failure that the mail server is not to blame for."""
        return replace(self, recipient_failures=self.recipient_failures + 1)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """The columns of a message that is due now, except its kind and signature, which the database determines."""

    id: UUID
    encrypted_message: bytes
    domain_hash: bytes | None
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    reply_code: int | None = None


def new_message(key: bytes, letter: Recipient, *, budgeted: bool = True) -> NewMessage:
    """Return a message to `letter`, encrypted with the server's `key`.

    A `budgeted` message counts towards the daily budget of its domain, whatever its kind.
    """
    identity, now = new_id(), utcnow()
    encrypted = Aead(key).encrypt(pad(json.dumps(asdict(letter)).encode()), aad=identity.bytes)
    hashed = domain_budget.domain_hash(key, domain_budget.domain_of(letter.to)) if budgeted else None
    return NewMessage(identity, bytes(encrypted), hashed, created_at=now, due_at=now)


def claim(
    session: Session, key: bytes, *, most: int, untried_first: bool = False, domain_limit: int = 0
) -> list[ClaimedMessage]:
    """Claim up to `most` due messages, earliest first, for this worker only.

    A claimed message is due again after `LEASE`: until then no other worker sees it, and if this worker dies it is
    claimed again. `untried_first` prefers messages that no server has refused yet. Messages over the daily
    `domain_limit` of their mail domain are held until tomorrow; 0 means no limit.
    """
    while True:
        now = utcnow()
        with transaction(session):
            rows = _due_rows(session, now, most=most, untried_first=untried_first)
            within_limit = domain_budget.hold_beyond_limit(session, rows, domain_limit, partial(_domain_of, key))
            claimed = [_claimed(key, row, now=now) for row in within_limit]
        if claimed or not rows:  # else all of them are held, and there may be more behind them
            return claimed


def _due_rows(session: Session, now: datetime, *, most: int, untried_first: bool) -> list[OutboxMessage]:
    """Return up to `most` messages that are due and lock them, without those that another worker has."""
    due = select(OutboxMessage).where(OutboxMessage.due_at <= now).order_by(OutboxMessage.due_at)
    untried, retried = OutboxMessage.refused_at.is_(None), OutboxMessage.refused_at.is_not(None)
    again = due.where(retried).order_by(None).order_by(OutboxMessage.refused_at)
    rows: list[OutboxMessage] = []
    for query in (due.where(untried), again) if untried_first else (due,):
        if remaining := most - len(rows):
            rows += session.scalars(query.limit(remaining).with_for_update(skip_locked=True)).all()
    return rows


def release(session: Session, untried: Sequence[ClaimedMessage]) -> None:
    """Release messages that were claimed but not attempted, at their old place in the order."""
    for message in untried:  # one by one: locking several could deadlock with an erasure
        old = {"due_at": message.due_at, "attempts": message.attempts - 1, "refused_at": message.refused_at}
        _update(session, message.id, **old)


def defer(session: Session, message: ClaimedMessage, *, code: int | None, reply: str, at_once: bool = False) -> None:
    """Schedule the next attempt of a message that was not accepted: after its pause, or once the server works.

    `reply` is the server's reply without email addresses.
    """
    now, pause = utcnow(), PAUSES[min(message.attempts, len(PAUSES)) - 1]
    due_at, attempts = (message.created_at, 1) if at_once else (now + pause, message.attempts)
    failure = {"reply_code": code, "reply": reply, "refused_at": now, "recipient_failures": message.recipient_failures}
    _update(session, message.id, due_at=due_at, attempts=attempts, **failure)


def delete_sent(session: Session, sent: Sequence[ClaimedMessage], *, reminder_due: datetime | None = None) -> None:
    """Delete messages that the mail server accepted, and start the pauses of their mailboxes, in one transaction.

    With `reminder_due`, a confirmation turns into a reminder due then, if one is needed.
    """
    if sent:
        retry_on_deadlock(partial(_delete_sent, session, sent, reminder_due))


def _delete_sent(session: Session, sent: Sequence[ClaimedMessage], reminder_due: datetime | None) -> None:
    confirmations = {message.id for message in sent if message.kind == "confirmation"} if reminder_due else set()
    with transaction(session):
        _note_deliveries(session, [message.id for message in sent])
        kept = {each for each in confirmations if _keep_as_reminder(session, each, reminder_due)}
        deleted = [message.id for message in sent if message.id not in kept]
        session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(deleted)))


def _keep_as_reminder(session: Session, message_id: UUID, due: datetime | None) -> bool:
    """Turn a sent confirmation into a reminder, and return True if one is needed.

    No reminder is needed once the signature is confirmed, or if another submission with the same email has one.
    """
    other, other_message = aliased(Signature), aliased(OutboxMessage)
    reminded = select(other.id).join(other_message, other_message.signature_id == other.id)
    reminded = reminded.where(other.email_hash == Signature.email_hash, other_message.kind == "reminder")
    unconfirmed = select(Signature.id).where(
        Signature.id == OutboxMessage.signature_id, Signature.confirmed_at.is_(None), ~reminded.exists()
    )
    again = update(OutboxMessage).where(OutboxMessage.id == message_id, unconfirmed.exists())
    values = {"kind": "reminder", "created_at": due, "due_at": due, **_UNTRIED}
    return session.execute(again.values(**values).returning(OutboxMessage.id)).first() is not None


def opted_out_among(session: Session, messages: Sequence[ClaimedMessage]) -> set[UUID]:
    """Return the signatures whose owners suppressed email at the very moment their address was entered again."""
    hashes = (Signature.email_hash, Signature.mailbox_hash)
    query = select(Signature.id).join(SuppressedEmail, SuppressedEmail.email_hash.in_(hashes))
    signature_ids = [message.signature_id for message in messages if message.signature_id]
    return set(session.scalars(query.where(Signature.id.in_(signature_ids), SuppressedEmail.expires_at > utcnow())))


def drop_reminders(session: Session) -> None:
    """Delete all reminders, once reminders are off."""
    with transaction(session):
        # As the index has it: SQLite cannot see into parameters.
        session.execute(delete(OutboxMessage).where(OutboxMessage.kind == literal_column("'reminder'")))


def cancel_for(connection: Connection, signature_id: UUID) -> None:
    """Delete all that waits for a signature, within the caller's transaction."""
    connection.execute(delete(OutboxMessage).where(OutboxMessage.signature_id == signature_id))


def give_up(session: Session, message_id: UUID, *, code: int | None, reply: str, recipient_failures: int = 0) -> None:
    """Mark a message as dead: it cannot be delivered and is not sent again. `code` is the refusal's code, if any.

    Its mailbox received nothing, so it may get another message at once.
    """
    values = {
        "reply_code": code,
        "reply": reply,
        "refused_at": utcnow(),
        "recipient_failures": recipient_failures,
        "due_at": None,
    }
    with transaction(session):
        session.execute(update(OutboxMessage).where(OutboxMessage.id == message_id).values(**values))
        pacing.free_slot(session, message_id)


def retry_dead(session: Session) -> int:
    """Make dead messages due again as if they were new, and return their number.

    Messages over the daily limit of their mailbox stay dead.
    """
    dead = session.scalars(
        select(OutboxMessage.id).where(OutboxMessage.due_at.is_(None)).order_by(OutboxMessage.id.desc())
    ).all()
    now, revived = utcnow(), 0
    for start in range(0, len(dead), _RETRY_BATCH):
        with transaction(session):
            reclaimed = pacing.reclaim_slots(session, OutboxMessage.id.in_(dead[start : start + _RETRY_BATCH]))
            again = update(OutboxMessage).where(OutboxMessage.id.in_(reclaimed))
            session.execute(again.values(created_at=now, due_at=now, **_UNTRIED))
        revived += len(reclaimed)
    return revived


def _update(session: Session, message_id: UUID, **values: object) -> None:
    with transaction(session):
        session.execute(update(OutboxMessage).where(OutboxMessage.id == message_id).values(**values))


def _note_deliveries(session: Session, message_ids: Sequence[UUID]) -> None:
    """Start the pauses of the mailboxes and charge the domains' budgets.

    Notices and decoys are charged as well: else a colleague could enter an address when the budget is nearly used up,
    and learn from the next email to the same domain whether that address has signed.
    """
    # The messages are locked before their slots, as everywhere: deleting a message deletes its slot.
    messages = select(OutboxMessage.kind, OutboxMessage.domain_hash).where(OutboxMessage.id.in_(message_ids))
    rows = session.execute(messages.order_by(OutboxMessage.id).with_for_update()).all()
    pacing.start_pauses(session, message_ids)  # a decoy has no slot
    charged = Counter(row.domain_hash for row in rows if row.kind != "reminder" and row.domain_hash)
    domain_budget.count_sent(session, charged)


def _domain_of(key: bytes, row: OutboxMessage) -> str | None:
    letter = _decrypt(key, row)
    return domain_budget.domain_of(letter.to) if letter else None


def _claimed(key: bytes, row: OutboxMessage, *, now: datetime) -> ClaimedMessage:
    due, refused_at = row.due_at or now, row.refused_at
    # Without `refused_at`, else another worker could bring back a message that is being sent: see `server_state`.
    row.due_at, row.attempts, row.refused_at = now + LEASE, row.attempts + 1, None
    kind: Any = row.kind
    letter = _decrypt(key, row)
    return ClaimedMessage(
        row.id, kind, row.signature_id, letter, row.created_at, due, row.attempts, refused_at, row.recipient_failures
    )


def _decrypt(key: bytes, row: OutboxMessage) -> Recipient | None:
    try:
        packed = json.loads(Aead(key).decrypt(row.encrypted_message, aad=row.id.bytes))
        return Recipient(to=packed["to"], language=packed["language"])
    except (CryptoError, KeyError, TypeError, ValueError):
        log.warning("a message in the outbox was encrypted with another secret key")
        return None
