"""Tables of signatures, their encryption keys, and the emails about them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, String, TextClause, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from campaign.core.database import Base, UtcDateTime, new_id, utcnow


class CampaignKey(Base):
    """The public half of a campaign key pair (X25519). The private half is not here: see `crypto.campaign_keys`."""

    __tablename__ = "campaign_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class DataKey(Base):
    """A data key, encrypted to a campaign key (libsodium sealed box). Data keys encrypt signatures."""

    __tablename__ = "data_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    campaign_key_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_keys.id"))
    encrypted_key: Mapped[bytes] = mapped_column(LargeBinary(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


def _partial_index(
    name: str, column: str, condition: ColumnElement[bool] | TextClause, *, unique: bool = False
) -> Index:
    """Return an index that covers only the rows that are searched by it, so that the others cost nothing."""
    return Index(name, column, unique=unique, sqlite_where=condition, postgresql_where=condition)


class Signature(Base):
    """One submission of the form. The person's data is only in `encrypted_person`, which the server cannot decrypt.

    An email address may have several pending submissions and at most one confirmed signature. `email_hash` finds
    duplicates; `mailbox_hash` is the same for all email addresses that differ only in a `+tag`, and limits emails.
    """

    __tablename__ = "signatures"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    mailbox_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    data_key_id: Mapped[UUID] = mapped_column(ForeignKey("data_keys.id"))
    encrypted_person: Mapped[bytes] = mapped_column(LargeBinary)
    country: Mapped[str] = mapped_column(String(2))
    language: Mapped[str] = mapped_column(String(8))
    updates: Mapped[bool]
    display_name: Mapped[str | None] = mapped_column(String(100))
    name_hidden_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    via: Mapped[str | None] = mapped_column(String(20))
    referral_code: Mapped[str] = mapped_column(String(16))
    referred_by: Mapped[UUID | None] = mapped_column(ForeignKey("signatures.id", ondelete="SET NULL"))
    consent_version: Mapped[str] = mapped_column(String(20))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    synthetic: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        UniqueConstraint("referral_code", name="uq_signatures_code"),
        _partial_index("uq_signatures_confirmed_email", "email_hash", confirmed_at.is_not(None), unique=True),
        _partial_index("ix_signatures_confirmed", "confirmed_at", confirmed_at.is_not(None)),
        _partial_index("ix_signatures_shown", "confirmed_at", display_name.is_not(None)),
        _partial_index("ix_signatures_referred", "referred_by", referred_by.is_not(None)),
    )


class SuppressedEmail(Base):
    """The hash of an email address whose owner has suppressed emails, and until when."""

    __tablename__ = "suppressed_emails"

    email_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OutboxMessage(Base):
    """A message to be sent, encrypted with the server's key. `due_at` is empty for a dead message.

    `reply_code` is the code of its last refusal (RFC 5321, 4.2.1), if any; `reply` the server's reply without email
    addresses, and `refused_at` the time. `recipient_failures` counts failures after which the server accepted other
    messages, so that the server was not to blame. `domain_hash` is empty if no daily budget applies: for large mail
    providers, and for requested links.
    """

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    signature_id: Mapped[UUID | None] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    encrypted_message: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    reply_code: Mapped[int | None]
    domain_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    refused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reply: Mapped[str | None] = mapped_column(String(300))
    recipient_failures: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (
        _partial_index("ix_outbox_refused", "refused_at", refused_at.is_not(None)),
        _partial_index("ix_outbox_waiting", "created_at", due_at.is_not(None)),
        _partial_index("ix_outbox_untried", "due_at", text("attempts = 0")),
        _partial_index("ix_outbox_reminders", "id", text("kind = 'reminder'")),
    )


class EmailSlot(Base):
    """One of the few emails that a mailbox may get within a day (see `campaign.mail.pacing`).

    While its message waits, `message_id` names it; after the delivery, `paused_until` is set instead. If a message is
    deleted unsent, its row is deleted too, which frees the slot.
    """

    __tablename__ = "email_slots"

    mailbox_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # Deferred: the slot decides which message is written, so it comes first.
    message_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("outbox.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), unique=True
    )
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DomainEmailCount(Base):
    """The number of emails, including decoys, to one mail domain on one day (UTC), and of messages held.

    The domain itself is stored only once its budget is used up, for organisers to see.
    """

    __tablename__ = "domain_emails"

    domain_hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    sent: Mapped[int]
    held: Mapped[int]
    released: Mapped[bool]
    domain: Mapped[str | None] = mapped_column(String(255))


class UsedChallenge(Base):
    """The hash of a solved challenge, kept until the challenge expires."""

    __tablename__ = "used_challenges"

    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
