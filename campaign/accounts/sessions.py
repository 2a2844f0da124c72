"""Sessions of organisers: the database has the hash of a random token, and only the cookie has the token."""

import secrets
from datetime import timedelta
from hashlib import blake2b
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.models import OrganiserSession

IDLE_TIMEOUT = timedelta(minutes=30)
MAX_DURATION = timedelta(hours=12)
STEP_UP_DURATION = timedelta(minutes=5)  # after a password or second factor was given again
_SEEN_INTERVAL = timedelta(seconds=30)  # use is noted as often as that, not at each request


def start(session: Session, organiser_id: UUID) -> str:
    """Begin a session; returns its token, 43 characters."""
    token, now = secrets.token_urlsafe(32), utcnow()
    row = {"token_hash": _hash_token(token), "organiser_id": organiser_id, "created_at": now, "last_seen_at": now}
    with transaction(session):
        session.execute(insert(session, OrganiserSession).values(**row))
    return token


def organiser_of(session: Session, token: str, *, used: bool) -> UUID | None:
    """Return the organiser of a valid session. With `used`, the session is extended by 30 minutes."""
    now, is_theirs = utcnow(), OrganiserSession.token_hash == _hash_token(token)
    row = session.execute(
        select(OrganiserSession.organiser_id, OrganiserSession.last_seen_at).where(is_theirs, ~_expired())
    ).first()
    if row is None:
        return None
    if used and row.last_seen_at < now - _SEEN_INTERVAL:
        with transaction(session):
            session.execute(update(OrganiserSession).where(is_theirs).values(last_seen_at=now))
    organiser_id: UUID = row.organiser_id
    return organiser_id


def confirm(session: Session, token: str) -> str:
    """Record that a session passed step-up authentication. Returns a proof of 43 characters for its cookie.

    An earlier copy of the cookie does not contain the proof.
    """
    proof = secrets.token_urlsafe(32)
    values = {"reauthenticated_at": utcnow(), "proof_hash": _hash_token(proof)}
    with transaction(session):
        session.execute(
            update(OrganiserSession).where(OrganiserSession.token_hash == _hash_token(token)).values(**values)
        )
    return proof


def is_confirmed(session: Session, token: str, proof: str) -> bool:
    """Return whether a secret was given again in the last five minutes, in the browser that holds `proof`."""
    theirs = (OrganiserSession.token_hash == _hash_token(token), OrganiserSession.proof_hash == _hash_token(proof))
    recent = OrganiserSession.reauthenticated_at > utcnow() - STEP_UP_DURATION
    return bool(session.scalar(select(exists().where(*theirs, recent, ~_expired()))))


def end(session: Session, token: str) -> None:
    """End a session."""
    with transaction(session):
        session.execute(delete(OrganiserSession).where(OrganiserSession.token_hash == _hash_token(token)))


def end_all_sessions(session: Session, organiser_id: UUID, *, except_token: str = "") -> None:
    """End all sessions of an organiser, except the one with the token `except_token`."""
    theirs = OrganiserSession.organiser_id == organiser_id
    with transaction(session):
        session.execute(
            delete(OrganiserSession).where(theirs, OrganiserSession.token_hash != _hash_token(except_token))
        )


def delete_expired(session: Session) -> None:
    """Delete sessions that are over."""
    with transaction(session):
        session.execute(delete(OrganiserSession).where(_expired()))


def _expired() -> ColumnElement[bool]:
    now = utcnow()
    return or_(OrganiserSession.last_seen_at <= now - IDLE_TIMEOUT, OrganiserSession.created_at <= now - MAX_DURATION)


def _hash_token(token: str) -> bytes:
    return blake2b(token.encode(), digest_size=32, person=b"session token").digest()
