"""Typed second factors: the six digits of an authenticator app (TOTP, RFC 6238), and backup codes."""

import secrets
import time
from hashlib import blake2b
from uuid import UUID

import pyotp
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from campaign.accounts.organisers import lock_organiser
from campaign.core.database import insert, transaction
from campaign.core.secret_text import compact_code
from campaign.models import BackupCode, Organiser

STEP_SECONDS = 30
ISSUER = "Love Always Wins"
MAX_LABEL_LENGTH = 64  # characters of an email address in an authenticator app
BACKUP_CODE_COUNT = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that are easily confused
_CODE_LENGTH = 12  # 59 bits


def new_totp_secret() -> str:
    """Return a new secret to share with an authenticator app, in base 32."""
    return pyotp.random_base32()


def totp_uri(secret: str, *, email: str) -> str:
    """Return the otpauth:// address that a QR code shows to an app.

    A long email address is cut: its code would have modules too small for a camera.
    """
    name = email if len(email) <= MAX_LABEL_LENGTH else f"{email[: MAX_LABEL_LENGTH - 1]}…"
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def is_totp_code(secret: str, code: str) -> int | None:
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
        known = _decrypt_secret(key, organiser)
        if known is None:
            known = new_totp_secret()
            organiser.encrypted_totp_secret, organiser.last_totp_step = _encrypt_secret(key, organiser_id, known), None
    return known


def accept_totp(session: Session, key: bytes, organiser: Organiser, code: str) -> bool:
    """Return whether `code` is right and has not been used before (RFC 6238, 5.2)."""
    secret = _decrypt_secret(key, organiser)
    step = is_totp_code(secret, code) if secret else None
    if step is None:
        return False
    unused = or_(Organiser.last_totp_step.is_(None), Organiser.last_totp_step < step)
    taken = update(Organiser).where(Organiser.id == organiser.id, unused).values(last_totp_step=step)
    with transaction(session):
        return session.execute(taken.returning(Organiser.id)).first() is not None


def new_backup_codes(session: Session, organiser_id: UUID) -> list[str]:
    """Return ten new single-use backup codes, which replace all earlier ones."""
    with transaction(session):
        lock_organiser(session, organiser_id)
        return _replace_codes(session, organiser_id)


def first_backup_codes(session: Session, organiser_id: UUID) -> list[str] | None:
    """Return ten backup codes for an organiser who has none yet, otherwise None."""
    with transaction(session):
        lock_organiser(session, organiser_id)
        return None if backup_codes_left(session, organiser_id) else _replace_codes(session, organiser_id)


def accept_backup_code(session: Session, organiser_id: UUID, code: str) -> bool:
    """Return whether `code` is an unused backup code of this organiser, and mark it as used."""
    used = delete(BackupCode).where(BackupCode.code_hash == _hash_code(organiser_id, compact_code(code)))
    with transaction(session):
        return session.execute(used.returning(BackupCode.code_hash)).first() is not None


def backup_codes_left(session: Session, organiser_id: UUID) -> int:
    """Return the number of an organiser's unused backup codes."""
    return session.scalar(select(func.count()).where(BackupCode.organiser_id == organiser_id)) or 0


def _decrypt_secret(key: bytes, organiser: Organiser) -> str | None:
    if organiser.encrypted_totp_secret is None:
        return None
    try:
        return bytes(Aead(key).decrypt(organiser.encrypted_totp_secret, aad=organiser.id.bytes)).decode()
    except CryptoError:
        return None  # encrypted with another secret key


def _replace_codes(session: Session, organiser_id: UUID) -> list[str]:
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)) for _ in range(BACKUP_CODE_COUNT)]
    rows = [{"code_hash": _hash_code(organiser_id, code), "organiser_id": organiser_id} for code in codes]
    session.execute(delete(BackupCode).where(BackupCode.organiser_id == organiser_id))
    session.execute(insert(session, BackupCode), rows)
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def _encrypt_secret(key: bytes, organiser_id: UUID, secret: str) -> bytes:
    return bytes(Aead(key).encrypt(secret.encode(), aad=organiser_id.bytes))


def _hash_code(organiser_id: UUID, code: str) -> bytes:
    return blake2b(organiser_id.bytes + code.encode(), digest_size=32, person=b"recovery codes").digest()
