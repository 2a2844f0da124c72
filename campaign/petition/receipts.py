"""What the server can still tell a supporter about their own signature."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from campaign.core.database import utcnow
from campaign.errors import ExpiredLink, UnknownLink
from campaign.models import Signature
from campaign.petition.display_names import display_name_for, is_visible
from campaign.petition.expiry import has_expired, link_error

MIN_COUNT_SHOWN = 5  # a smaller number would tell whether a certain person has signed


@dataclass(frozen=True, slots=True)
class Receipt:
    """A supporter's own view of their signature. Referrals are numbers, never people.

    `brought` counts signatures through their link that were confirmed before today (UTC), and `brought_on` those
    brought in turn. Each is 0 below `MIN_COUNT_SHOWN`.
    """

    signed_at: datetime
    confirmed_at: datetime | None
    language: str
    code: str
    shown_name: str | None
    updates: bool
    brought: int
    brought_on: int


def load_receipt(session: Session, signature_id: UUID) -> Receipt:
    """Return the readable part of a signature, for its owner.

    Raises `UnknownLink` when it is gone or another submission with its address is confirmed, and `ExpiredLink` when it
    was not confirmed in 30 days.
    """
    columns = (
        *(Signature.signed_at, Signature.confirmed_at, Signature.language, Signature.code),
        *(is_visible().label("shown_name"), Signature.updates),
    )
    row = session.execute(select(*columns).where(Signature.id == signature_id)).first()
    if row is None:
        raise link_error(signature_id)
    if has_expired(signed_at=row.signed_at, confirmed_at=row.confirmed_at):
        raise ExpiredLink
    if row.confirmed_at is None and _another_is_confirmed(session, signature_id):
        raise UnknownLink
    brought = _referral_counts([signature_id])
    told = row._asdict() | {"shown_name": display_name_for(row.shown_name)}
    return Receipt(
        **told, brought=_shown_count(session, brought), brought_on=_shown_count(session, _referral_counts(brought))
    )


def _another_is_confirmed(session: Session, signature_id: UUID) -> bool:
    """Return whether this submission came at the very moment when another with its address was confirmed."""
    address = select(Signature.address_hash).where(Signature.id == signature_id).scalar_subquery()
    other = select(Signature.id).where(Signature.address_hash == address, Signature.confirmed_at.is_not(None))
    return session.scalar(other) is not None


def _referral_counts(supporters: Select[UUID] | list[UUID]) -> Select[UUID]:
    """Count the signatures through the links of `supporters` that were confirmed before today (UTC).

    A number that changes only at midnight does not reveal when a certain person confirmed.
    """
    brought, midnight = aliased(Signature), utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    return select(brought.id).where(brought.referred_by.in_(supporters), brought.confirmed_at < midnight)


def _shown_count(session: Session, rows: Select[UUID]) -> int:
    number = session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    return number if number >= MIN_COUNT_SHOWN else 0
