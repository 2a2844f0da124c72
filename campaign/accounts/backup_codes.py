"""Backup codes: ten single-use codes that replace a second factor."""

import secrets
from hashlib import blake2b
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from campaign.accounts.organisers import lock_organiser
from campaign.core.database import insert, transaction
from campaign.core.secret_text import compact_code
from campaign.models import BackupCode

BACKUP_CODE_COUNT = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that are easily confused
_CODE_LENGTH = 12  # 59 bits


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
    statement = delete(BackupCode).where(BackupCode.code_hash == _hash_code(organiser_id, compact_code(code)))
    with transaction(session):
        return session.execute(statement.returning(BackupCode.code_hash)).first() is not None


def backup_codes_left(session: Session, organiser_id: UUID) -> int:
    """Return the number of an organiser's unused backup codes."""
    return session.scalar(select(func.count()).where(BackupCode.organiser_id == organiser_id)) or 0


def _replace_codes(session: Session, organiser_id: UUID) -> list[str]:
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)) for _ in range(BACKUP_CODE_COUNT)]
    rows = [{"code_hash": _hash_code(organiser_id, code), "organiser_id": organiser_id} for code in codes]
    session.execute(delete(BackupCode).where(BackupCode.organiser_id == organiser_id))
    session.execute(insert(session, BackupCode), rows)
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def _hash_code(organiser_id: UUID, code: str) -> bytes:
    return blake2b(organiser_id.bytes + code.encode(), digest_size=32, person=b"recovery codes").digest()
