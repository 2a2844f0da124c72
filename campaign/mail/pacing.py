"""How often one mailbox gets an email: at most three confirmations and one notice a day, whoever enters its address.

Each email that may be sent takes a slot of the mailbox, and the key of the table lets nobody take a slot twice. A slot
is taken from the moment its message is written until a day after the delivery; a message that is given up, or deleted
unsent, frees it at once.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from campaign.db import utcnow
from campaign.models import EmailSlot

CONFIRMATIONS_PER_DAY = 3  # slots 0, 1 and 2
NOTICE_SLOT = CONFIRMATIONS_PER_DAY  # "already signed", and the link that was asked for
PAUSE = timedelta(days=1)


def start_pause(session: Session, message_id: UUID) -> None:
    """Start the pause of the message's slot, since it was delivered; within the caller's transaction."""
    delivered = update(EmailSlot).where(EmailSlot.message_id == message_id)
    session.execute(delivered.values(message_id=None, paused_until=utcnow() + PAUSE))


def free_slot(session: Session, message_id: UUID) -> None:
    """Free the slot of a message that was given up, within the caller's transaction."""
    session.execute(delete(EmailSlot).where(EmailSlot.message_id == message_id))
