"""What the server can still tell a supporter about their own signature."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from campaign.errors import ExpiredLink
from campaign.models import Signature
from campaign.petition.lifetimes import has_expired, missing
from campaign.petition.shown_names import showable, visible


@dataclass(frozen=True, slots=True)
class Receipt:
    """A supporter's own view of their signature; what came by their link are numbers, never people.

    `brought`: how many confirmed signatures came by it; `brought_on`: how many more those brought in turn.
    """

    signed_at: datetime
    confirmed_at: datetime | None
    language: str
    code: str
    shown_name: str | None
    updates: bool
    brought: int
    brought_on: int


def receipt(session: Session, signature_id: UUID) -> Receipt:
    """Return what stands readable about a signature, for its owner.

    Raises `UnknownLink` when it is gone, `ExpiredLink` when it was not confirmed in 30 days.
    """
    columns = (
        *(Signature.signed_at, Signature.confirmed_at, Signature.language, Signature.code),
        *(visible().label("shown_name"), Signature.updates),
    )
    row = session.execute(select(*columns).where(Signature.id == signature_id)).first()
    if row is None:
        raise missing(signature_id)
    if has_expired(signed_at=row.signed_at, confirmed_at=row.confirmed_at):
        raise ExpiredLink
    brought = _brought_by([signature_id])
    told = row._asdict() | {"shown_name": showable(row.shown_name)}
    return Receipt(**told, brought=_number(session, brought), brought_on=_number(session, _brought_by(brought)))


def _brought_by(supporters: Select[UUID] | list[UUID]) -> Select[UUID]:
    """The confirmed signatures that came by the links of `supporters`."""
    brought = aliased(Signature)
    return select(brought.id).where(brought.referred_by.in_(supporters), brought.confirmed_at.is_not(None))


def _number(session: Session, rows: Select[UUID]) -> int:
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0
