"""Random tokens for the intermediate states of a log-in, valid for a few minutes.

A browser's cookie or a passkey's response carries only the token, and the database only its hash. So the server's
secret key, which signs cookies, is not enough to impersonate an organiser who has entered a password.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.models import ShortLivedToken


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a token is for, and how long it lives."""

    name: str
    life: timedelta


PASSWORD_VERIFIED = Purpose("password given", timedelta(minutes=5))
REGISTRATION_STARTED = Purpose("invitation begun", timedelta(hours=1))  # time to install an authenticator app
PASSKEY_LOGIN = Purpose("passkey login", timedelta(minutes=5))
PASSKEY_CREATION = Purpose("passkey creation", timedelta(minutes=5))


def issue(session: Session, purpose: Purpose, organiser_id: UUID, *, token: str = "") -> str:
    """Store a token for an organiser and return it: 43 characters, unless it is a `token` made elsewhere."""
    token = token or secrets.token_urlsafe(32)
    row = {"purpose": purpose.name, "organiser_id": organiser_id, "expires_at": utcnow() + purpose.life}
    with transaction(session):
        session.execute(insert(session, ShortLivedToken).values(token_hash=_hash_token(purpose, token), **row))
    return token


def organiser_of(session: Session, purpose: Purpose, token: str) -> UUID | None:
    """Return the organiser a token was issued for; None for one that is unknown, used or too old."""
    return session.scalar(select(ShortLivedToken.organiser_id).where(*_matches(purpose, token)))


def consume(session: Session, purpose: Purpose, token: str) -> UUID | None:
    """Delete a token, and return the organiser it was issued for; None if it was not valid any more.

    Of several requests with the same token only one gets the organiser.
    """
    statement = delete(ShortLivedToken).where(*_matches(purpose, token)).returning(ShortLivedToken.organiser_id)
    with transaction(session):
        return session.scalar(statement)


def delete_expired(session: Session) -> None:
    """Delete tokens that are too old."""
    with transaction(session):
        session.execute(delete(ShortLivedToken).where(ShortLivedToken.expires_at <= utcnow()))


def _matches(purpose: Purpose, token: str) -> tuple[ColumnElement[bool], ...]:
    return ShortLivedToken.token_hash == _hash_token(purpose, token), ShortLivedToken.expires_at > utcnow()


def _hash_token(purpose: Purpose, token: str) -> bytes:
    return blake2b(f"{purpose.name} {token}".encode(), digest_size=32, person=b"short-lived").digest()
