"""Look-up of a supporter's signature by email address, for data requests."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from campaign.models import Signature
from campaign.petition.display_names import display_name_for, is_visible
from campaign.petition.email_addresses import email_hash


@dataclass(frozen=True, slots=True)
class StoredSignature:
    """The part of a signature that the server can read. `referrals` counts its confirmed referrals.

    `others` counts further pending submissions with the same email address.
    """

    id: UUID
    country: str
    language: str
    updates: bool
    display_name: str | None
    via: str | None
    consent_version: str
    signed_at: datetime
    confirmed_at: datetime | None
    referrals: int
    others: int


def find_by_email(session: Session, key: bytes, email: str) -> StoredSignature | None:
    """Return the stored signature for a normalised email address, or None.

    The address is hashed with the server's `key`. If there is no confirmed signature, the newest submission is
    returned.
    """
    referral = aliased(Signature)
    number = select(func.count()).where(referral.referred_by == Signature.id, referral.confirmed_at.is_not(None))
    extra: dict[str, Any] = {"display_name": is_visible().label("display_name")}
    names = [name for name in StoredSignature.__slots__ if name not in ("referrals", "others")]
    columns = [extra.get(name, getattr(Signature, name)) for name in names]
    is_theirs = Signature.email_hash == email_hash(key, email)
    query = select(*columns, number.scalar_subquery()).where(is_theirs)
    rows: Any = session.execute(query.order_by(Signature.confirmed_at.is_(None), Signature.id.desc())).all()
    if not rows:
        return None
    return replace(StoredSignature(*(*rows[0], len(rows) - 1)), display_name=display_name_for(rows[0].display_name))
