"""The six digits of an authenticator app as a second factor (TOTP, RFC 6238)."""

import secrets
import time
from uuid import UUID

import pyotp
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from campaign.accounts.organisers import lock_organiser
from campaign.core.database import transaction
from campaign.core.secret_text import compact_code
from campaign.models import Organiser

STEP_SECONDS = 30
ISSUER = "Love Always Wins"
MAX_LABEL_LENGTH = 64  # characters of an email address in an authenticator app


def new_totp_secret() -> str:
    """Return a new secret to share with an authenticator app, in base 32."""
    return pyotp.random_base32()


def totp_uri(secret: str, *, email: str) -> str:
    """Return the otpauth:// address that a QR code shows to an app.

    A long email address is cut: its code would have modules too small for a camera.
    """
    name = email if len(email) <= MAX_LABEL_LENGTH else f"{email[: MAX_LABEL_LENGTH - 1]}…"
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def matching_step(secret: str, code: str) -> int | None:
    """Return the time step that `code` is of, if it is right; a clock may be half a minute wrong."""
    now, typed = int(time.time()) // STEP_SECONDS, compact_code(code).encode()
    app = pyotp.TOTP(secret, interval=STEP_SECONDS)
    steps = (step for step in (now, now - 1, now + 1) if secrets.compare_digest(app.generate_otp(step).encode(), typed))
    return next(steps, None)


def totp_secret(session: Session, key: bytes, organiser_id: UUID) -> str:
    """Return the app secret of an organiser who is registering; it is created at the first call.

    Two concurrent requests return the same secret.
    """
    with transaction(session):
        organiser = lock_organiser(session, organiser_id)
        secret = _decrypt_secret(key, organiser)
        if secret is None:
            secret = new_totp_secret()
            organiser.encrypted_totp_secret = bytes(Aead(key).encrypt(secret.encode(), aad=organiser_id.bytes))
            organiser.last_totp_step = None
    return secret


def accept_totp(session: Session, key: bytes, organiser: Organiser, code: str) -> bool:
    """Return whether `code` is right and has not been used before (RFC 6238, 5.2)."""
    secret = _decrypt_secret(key, organiser)
    step = matching_step(secret, code) if secret else None
    if step is None:
        return False
    unused = or_(Organiser.last_totp_step.is_(None), Organiser.last_totp_step < step)
    statement = update(Organiser).where(Organiser.id == organiser.id, unused).values(last_totp_step=step)
    with transaction(session):
        return session.execute(statement.returning(Organiser.id)).first() is not None


def _decrypt_secret(key: bytes, organiser: Organiser) -> str | None:
    if organiser.encrypted_totp_secret is None:
        return None
    try:
        return bytes(Aead(key).decrypt(organiser.encrypted_totp_secret, aad=organiser.id.bytes)).decode()
    except CryptoError:
        return None  # encrypted with another secret key
