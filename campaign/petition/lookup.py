"""What people ask of the campaign: what is kept of them, their link once more, to be erased. Found by their address."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from campaign.models import Signature
from campaign.petition.display_names import showable, visible
from campaign.petition.email_addresses import address_hash


@dataclass(frozen=True, slots=True)
class Stored:
    """What the server can read of a signature; `brought`: how many came by its link and confirmed.

    `others`: how many more submissions there are with its address, none of them confirmed.
    """

    id: UUID
    country: str
    language: str
    updates: bool
    shown_name: str | None
    via: str | None
    consent_version: str
    signed_at: datetime
    confirmed_at: datetime | None
    brought: int
    others: int


def by_address(session: Session, key: bytes, email: str) -> Stored | None:
    """Return what is stored for an address (normalised), by its hash with the server's `key`; None if nothing is.

    It is the confirmed signature, or else the newest submission.
    """
    brought = aliased(Signature)
    number = select(func.count()).where(brought.referred_by == Signature.id, brought.confirmed_at.is_not(None))
    shown: dict[str, Any] = {"shown_name": visible().label("shown_name")}
    names = [name for name in Stored.__slots__ if name not in ("brought", "others")]
    columns = [shown.get(name, getattr(Signature, name)) for name in names]
    wanted = Signature.address_hash == address_hash(key, email)
    found = select(*columns, number.scalar_subquery()).where(wanted)
    rows: Any = session.execute(found.order_by(Signature.confirmed_at.is_(None), Signature.id.desc())).all()
    if not rows:
        return None
    return replace(Stored(*(*rows[0], len(rows) - 1)), shown_name=showable(rows[0].shown_name))
