"""What the server can still tell a supporter about their own signature."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.errors import ExpiredLink
from campaign.models import Signature
from campaign.petition.lifetimes import has_expired, missing


@dataclass(frozen=True, slots=True)
class Receipt:
    """A supporter's own view of their signature; `brought`: how many confirmed signatures came by their link."""

    signed_at: datetime
    confirmed_at: datetime | None
    language: str
    code: str
    shown_name: str | None
    updates: bool
    brought: int


def receipt(session: Session, signature_id: UUID) -> Receipt:
    """Return what stands readable about a signature, for its owner.

    Raises `UnknownLink` when it is gone, `ExpiredLink` when it was not confirmed in 30 days.
    """
    columns = (
        *(Signature.signed_at, Signature.confirmed_at, Signature.language, Signature.code),
        *(Signature.shown_name, Signature.updates),
    )
    row = session.execute(select(*columns).where(Signature.id == signature_id)).first()
    if row is None:
        raise missing(signature_id)
    if has_expired(signed_at=row.signed_at, confirmed_at=row.confirmed_at):
        raise ExpiredLink
    brought = select(func.count()).where(Signature.referred_by == signature_id, Signature.confirmed_at.is_not(None))
    return Receipt(*row, brought=session.scalar(brought) or 0)
