"""What people sign, sealed, and the mail about it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, UtcDateTime, new_id, utcnow


class CampaignKey(Base):
    """The public half of a campaign key pair (X25519). The private half is not here: see `petition.keys`."""

    __tablename__ = "campaign_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class DataKey(Base):
    """A data key, sealed (libsodium sealed box) to a campaign key. Signatures are encrypted with data keys."""

    __tablename__ = "data_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    campaign_key_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_keys.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


def _index_where(name: str, column: str, condition: ColumnElement[bool]) -> Index:
    """An index of those rows alone that are looked for by it: the others cost nothing."""
    return Index(name, column, sqlite_where=condition, postgresql_where=condition)


class Signature(Base):
    """One person's signature. Who it is stands in `sealed` alone, which the server cannot open."""

    __tablename__ = "signatures"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    address_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    data_key_id: Mapped[UUID] = mapped_column(ForeignKey("data_keys.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    country: Mapped[str] = mapped_column(String(2))
    language: Mapped[str] = mapped_column(String(8))
    updates: Mapped[bool]
    shown_name: Mapped[str | None] = mapped_column(String(100))
    name_hidden_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    via: Mapped[str | None] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(16), unique=True)
    referred_by: Mapped[UUID | None] = mapped_column(ForeignKey("signatures.id", ondelete="SET NULL"))
    consent_version: Mapped[str] = mapped_column(String(20))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    noticed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    synthetic: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        _index_where("ix_signatures_confirmed", "confirmed_at", confirmed_at.is_not(None)),
        _index_where("ix_signatures_shown", "confirmed_at", shown_name.is_not(None)),
        _index_where("ix_signatures_referred", "referred_by", referred_by.is_not(None)),
    )


class RefusedAddress(Base):
    """The hash of an address whose owner wants no mail from us until a certain time."""

    __tablename__ = "refused_addresses"

    address_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class OutboxMessage(Base):
    """A message that waits to be sent, sealed with the server's key. `due_at` is empty when we gave up.

    `refusal` is the code by which a mail server refused it last (RFC 5321, 4.2.1), empty as long as none did.
    """

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    signature_id: Mapped[UUID | None] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    refusal: Mapped[int | None]


class UsedChallenge(Base):
    """The hash of a challenge that was solved and used, kept until the challenge expires by itself."""

    __tablename__ = "used_challenges"

    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
