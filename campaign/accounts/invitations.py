"""Invitations: a single-use token, valid for 48 hours, with which a person becomes an organiser.

An invitation with the export right carries the campaign's keys, encrypted with a key derived from the token. The token
itself is not stored, so the database is not enough to decrypt them.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import cast
from uuid import UUID

from nacl.public import PrivateKey
from nacl.secret import Aead
from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from campaign.accounts.organisers import Role, activate, add, normalize_email
from campaign.core.database import insert, transaction, utcnow
from campaign.errors import UnknownInvitation
from campaign.models import Invitation, Organiser

LIFETIME = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class InvitationDetails:
    """The terms of an invitation. `organiser_id` is set once a person has started to register with it."""

    token: str
    email: str | None
    role: Role
    may_export: bool
    carries_keys: bool
    organiser_id: UUID | None


def invite(
    session: Session,
    *,
    role: Role,
    email: str | None = None,
    may_export: bool = False,
    private_keys: Sequence[PrivateKey] = (),
    organiser_id: UUID | None = None,
) -> str:
    """Make an invitation and return its token, 43 characters. Earlier ones for the same address are void."""
    token = secrets.token_urlsafe(32)
    row = {
        "token_hash": _derive_key(token, b"invitation"),
        "email": normalize_email(email) if email else None,
        "role": role,
        "may_export": may_export,
        "encrypted_keys": _encrypt_keys(token, private_keys) if private_keys else None,
        "organiser_id": organiser_id,
        "expires_at": utcnow() + LIFETIME,
    }
    with transaction(session, locks=Invitation):  # two at the same moment: only the later one is left
        session.execute(delete(Invitation).where(Invitation.email == row["email"]))
        session.execute(insert(session, Invitation).values(**row))
    return token


def find_invitation(session: Session, token: str) -> InvitationDetails:
    """Return the terms of the invitation with `token`. Raises `UnknownInvitation` if it is used or expired."""
    invitation = _find(session, token)
    role = cast("Role", invitation.role)
    return InvitationDetails(
        token,
        invitation.email,
        role,
        invitation.may_export,
        invitation.encrypted_keys is not None,
        invitation.organiser_id,
    )


def decrypt_keys(session: Session, token: str) -> list[PrivateKey]:
    """Return the campaign's keys that the invitation carries. Raises `UnknownInvitation`."""
    encrypted_keys = _find(session, token).encrypted_keys
    raw = Aead(_derive_key(token, b"campaign keys")).decrypt(encrypted_keys) if encrypted_keys else b""
    return [PrivateKey(raw[at : at + PrivateKey.SIZE]) for at in range(0, len(raw), PrivateKey.SIZE)]


def start_registration(session: Session, token: str, *, email: str, password_hash: str) -> UUID | None:
    """Add the organiser who registers with the invitation. Returns None if another request has started already.

    Raises `EmailAlreadyRegistered` and `UnknownInvitation`.
    """
    with transaction(session):
        invitation = session.scalar(_is_valid(token).with_for_update())
        if invitation is None:
            raise UnknownInvitation("this invitation has been used or has expired")
        if invitation.organiser_id is not None:
            return None
        role, address = cast("Role", invitation.role), invitation.email or email
        invitation.organiser_id = add(session, email=address, role=role, password_hash=password_hash)
        return invitation.organiser_id


def complete_registration(session: Session, token: str, organiser_id: UUID) -> bool:
    """Delete the invitation with its keys, and allow its organiser to log in.

    Returns False if a concurrent request was faster. An app secret that was never confirmed is deleted.
    """
    theirs = (Invitation.token_hash == _derive_key(token, b"invitation"), Invitation.organiser_id == organiser_id)
    unused = (Organiser.id == organiser_id, Organiser.last_totp_step.is_(None))
    with transaction(session):
        if session.scalar(delete(Invitation).where(*theirs).returning(Invitation.organiser_id)) is None:
            return False
        activate(session, organiser_id)
        session.execute(update(Organiser).where(*unused).values(encrypted_totp_secret=None))
    return True


def revoke(session: Session, email: str | None) -> bool:
    """Delete the invitation for an email address, or the one without; returns whether there was one."""
    statement = delete(Invitation).where(Invitation.email == email).returning(Invitation.token_hash)
    with transaction(session):
        return bool(session.scalars(statement).all())


def pending_invitations(session: Session) -> list[Invitation]:
    """Return the invitations that were not used yet and still can be."""
    return list(session.scalars(select(Invitation).where(Invitation.expires_at > utcnow())))


def delete_expired(session: Session) -> None:
    """Delete invitations that are too old, with the keys that they carried."""
    with transaction(session):
        session.execute(delete(Invitation).where(Invitation.expires_at <= utcnow()))


def _find(session: Session, token: str) -> Invitation:
    invitation = session.scalar(_is_valid(token))
    if invitation is None:
        raise UnknownInvitation("this invitation has been used or has expired")
    return invitation


def _is_valid(token: str) -> Select[Invitation]:
    """Return a query for the invitation with `token`, if it is not too old."""
    conditions = (Invitation.token_hash == _derive_key(token, b"invitation"), Invitation.expires_at > utcnow())
    return select(Invitation).where(*conditions)


def _encrypt_keys(token: str, private_keys: Sequence[PrivateKey]) -> bytes:
    raw = b"".join(bytes(key) for key in private_keys)
    return bytes(Aead(_derive_key(token, b"campaign keys")).encrypt(raw))


def _derive_key(token: str, purpose: bytes) -> bytes:
    """Return 32 bytes made from a token for one purpose; a token is random, so no slow hash is needed."""
    return blake2b(token.encode(), digest_size=32, person=purpose).digest()
