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

    `referrals` counts signatures through their link that were confirmed before today (UTC), and
    `second_degree_referrals` those through the links of these. Each is 0 below `MIN_COUNT_SHOWN`.
    """

    signed_at: datetime
    confirmed_at: datetime | None
    language: str
    referral_code: str
    display_name: str | None
    updates: bool
    referrals: int
    second_degree_referrals: int


def load_receipt(session: Session, signature_id: UUID) -> Receipt:
    """Return the readable part of a signature, for its owner.

    Raises `UnknownLink` when it is gone or another submission with its address is confirmed, and `ExpiredLink` when it
    was not confirmed in 30 days.
    """
    columns = (
        *(Signature.signed_at, Signature.confirmed_at, Signature.language, Signature.referral_code),
        *(is_visible().label("display_name"), Signature.updates),
    )
    row = session.execute(select(*columns).where(Signature.id == signature_id)).first()
    if row is None:
        raise link_error(signature_id)
    if has_expired(signed_at=row.signed_at, confirmed_at=row.confirmed_at):
        raise ExpiredLink
    if row.confirmed_at is None and _another_is_confirmed(session, signature_id):
        raise UnknownLink
    referrals = _referrals_of([signature_id])
    return Receipt(
        signed_at=row.signed_at,
        confirmed_at=row.confirmed_at,
        language=row.language,
        referral_code=row.referral_code,
        display_name=display_name_for(row.display_name),
        updates=row.updates,
        referrals=_shown_count(session, referrals),
        second_degree_referrals=_shown_count(session, _referrals_of(referrals)),
    )


def _another_is_confirmed(session: Session, signature_id: UUID) -> bool:
    """Return whether this submission came at the very moment when another with its address was confirmed."""
    address = select(Signature.email_hash).where(Signature.id == signature_id).scalar_subquery()
    other = select(Signature.id).where(Signature.email_hash == address, Signature.confirmed_at.is_not(None))
    return session.scalar(other) is not None


def _referrals_of(supporters: Select[UUID] | list[UUID]) -> Select[UUID]:
    """Select the signatures through the links of `supporters` that were confirmed before today (UTC).

    A number that changes only at midnight does not reveal when a certain person confirmed.
    """
    referral, midnight = aliased(Signature), utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    return select(referral.id).where(referral.referred_by.in_(supporters), referral.confirmed_at < midnight)


def _shown_count(session: Session, rows: Select[UUID]) -> int:
    number = session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    return number if number >= MIN_COUNT_SHOWN else 0
