"""Proof of work (ALTCHA, altcha.org): a challenge that a browser solves in about a second, costly for mass signing.

Each solution is accepted once.
"""

import hashlib
from datetime import timedelta
from typing import Any

import altcha
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.models import UsedChallenge

CHALLENGE_LIFETIME = timedelta(hours=1)  # long enough to write a message after opening the page
ALGORITHM = "PBKDF2/SHA-256"
ITERATIONS = 5000  # of each try; one in 256 tries fits


def challenge(key: bytes) -> dict[str, Any]:
    """Return a new challenge as the widget wants it, signed with `key`."""
    new = altcha.create_challenge(ALGORITHM, ITERATIONS, expires_at=utcnow() + CHALLENGE_LIFETIME, hmac_secret=key)
    return dict(new.to_dict())


def accept_solution(session: Session, key: bytes, payload: str) -> bool:
    """Return whether the widget's `payload` solves one of our challenges; each solution is accepted once."""
    if not altcha.verify_solution(payload, key).verified:
        return False
    signature = str(altcha.Payload.from_base64(payload).challenge.signature)
    values = {
        "challenge_hash": hashlib.sha256(signature.encode()).digest(),
        "expires_at": utcnow() + CHALLENGE_LIFETIME,
    }
    with transaction(session):
        new = insert(session, UsedChallenge).values(**values).on_conflict_do_nothing()
        return session.execute(new.returning(UsedChallenge.expires_at)).first() is not None
