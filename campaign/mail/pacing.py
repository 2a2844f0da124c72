"""Limits of emails per mailbox: at most three confirmations and one notice a day, whoever enters its address.

Each email uses one of the mailbox's slots, and the primary key prevents double use. A slot is in use from the creation
of its message until a day after the delivery. A message that is given up, or deleted unsent, frees it at once.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from campaign.core.database import insert, utcnow
from campaign.models import EmailSlot, OutboxMessage, Signature

CONFIRMATIONS_PER_DAY = 3  # slots 0, 1 and 2
NOTICE_SLOT = CONFIRMATIONS_PER_DAY  # "already signed", and the link that was asked for
EMAIL_INTERVAL = timedelta(days=1)


def start_pauses(session: Session, message_ids: Sequence[UUID]) -> None:
    """Start the pauses of the messages' slots, since they were delivered; within the caller's transaction."""
    delivered = update(EmailSlot).where(EmailSlot.message_id.in_(message_ids))
    session.execute(delivered.values(message_id=None, paused_until=utcnow() + EMAIL_INTERVAL))


def free_slot(session: Session, message_id: UUID) -> None:
    """Free the slot of a message that was given up, within the caller's transaction."""
    session.execute(delete(EmailSlot).where(EmailSlot.message_id == message_id))


def reclaim_slots(session: Session, *which: ColumnElement[bool]) -> list[UUID]:
    """Claim slots again for messages that were given up, within the caller's transaction; returns those that got one.

    The newest come first. The others must stay given up: their mailboxes have their emails of the day.
    """
    columns = (OutboxMessage.id, OutboxMessage.kind, Signature.mailbox_hash)
    dead = select(*columns).outerjoin(Signature, Signature.id == OutboxMessage.signature_id)
    dead = dead.where(OutboxMessage.due_at.is_(None), *which).order_by(OutboxMessage.id.desc())
    rows = session.execute(dead.with_for_update(of=OutboxMessage)).all()
    return [row.id for row in rows if row.mailbox_hash is None or _take_slot(session, *row)]


def _take_slot(session: Session, message_id: UUID, kind: str, mailbox_hash: bytes) -> bool:
    """Claim a free slot of the mailbox; a reminder needs none."""
    notice = (NOTICE_SLOT,)
    slots = {"confirmation": range(CONFIRMATIONS_PER_DAY), "already_signed": notice, "link_request": notice}.get(kind)
    for slot in slots or ():
        new = insert(session, EmailSlot).values(mailbox_hash=mailbox_hash, slot=slot, message_id=message_id)
        statement = new.on_conflict_do_update(
            index_elements=["mailbox_hash", "slot"],
            set_={"message_id": message_id, "paused_until": None},
            where=EmailSlot.paused_until <= utcnow(),
        )
        if session.execute(statement.returning(EmailSlot.slot)).first() is not None:
            return True
    return slots is None
