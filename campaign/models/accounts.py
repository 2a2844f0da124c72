"""Tables of the organisers' accounts, log-ins and keys, and the audit log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from campaign.core.database import Base, UtcDateTime, new_id, utcnow


class Organiser(Base):
    """An organiser's account. Without `activated_at`, registration is incomplete and the organiser cannot log in."""

    __tablename__ = "organisers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[str] = mapped_column(String(10))
    password_hash: Mapped[str] = mapped_column(String(128))
    encrypted_totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    last_totp_step: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lookups: Mapped[int] = mapped_column(default=0, server_default="0")  # of signatures, since `lookups_since`
    lookups_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


def _organiser_key() -> Mapped[UUID]:
    """Return a foreign key to the organiser; the row is deleted together with the organiser."""
    return mapped_column(ForeignKey("organisers.id", ondelete="CASCADE"), index=True)


class Passkey(Base):
    """A passkey of an organiser (W3C, Web Authentication)."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organiser_id: Mapped[UUID] = _organiser_key()
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    name: Mapped[str | None] = mapped_column(String(60))
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BackupCode(Base):
    """The hash of a single-use code that replaces a second factor."""

    __tablename__ = "backup_codes"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    organiser_id: Mapped[UUID] = _organiser_key()


class OrganiserSession(Base):
    """A session of an organiser, by the hash of its token.

    `reauthenticated_at` is the last step-up authentication. `proof_hash` is the hash of a value that only the cookie of
    that browser contains.
    """

    __tablename__ = "organiser_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    organiser_id: Mapped[UUID] = _organiser_key()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reauthenticated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    proof_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class ShortLivedToken(Base):
    """What an organiser has shown already at log-in, or must answer with a passkey, by the hash of a random token."""

    __tablename__ = "short_lived_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    organiser_id: Mapped[UUID] = _organiser_key()
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Invitation(Base):
    """An invitation, by the hash of its token.

    `encrypted_keys` are campaign keys, encrypted with a key derived from the token.
    """

    __tablename__ = "invitations"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(10))
    may_export: Mapped[bool]
    encrypted_keys: Mapped[bytes | None] = mapped_column(LargeBinary)
    organiser_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisers.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class KeyHolder(Base):
    """An organiser who may export, with a key pair whose private half is wrapped with their passphrase."""

    __tablename__ = "key_holders"

    organiser_id: Mapped[UUID] = mapped_column(ForeignKey("organisers.id", ondelete="CASCADE"), primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    wrapped_private_key: Mapped[bytes] = mapped_column(LargeBinary)


class KeyCopy(Base):
    """The private half of a campaign key, encrypted to a key holder."""

    __tablename__ = "key_copies"

    organiser_id: Mapped[UUID] = mapped_column(
        ForeignKey("key_holders.organiser_id", ondelete="CASCADE"), primary_key=True
    )
    campaign_key_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_keys.id"), primary_key=True)
    encrypted_key: Mapped[bytes] = mapped_column(LargeBinary(80))


class FailedAttempt(Base):
    """The number of consecutive wrong attempts at one secret, by a hash of its subject, and the resulting pause."""

    __tablename__ = "failed_attempts"

    subject_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    blocked_until: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditLogEntry(Base):
    """What an organiser did. The database refuses to change or delete it; `chain_hash` depends on all rows before."""

    __tablename__ = "audit_log"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(40))
    details: Mapped[str] = mapped_column(Text)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
