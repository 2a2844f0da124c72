"""What the server can still tell a supporter about their own signature."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, bindparam, exists, func, select
from sqlalchemy.orm import Session

from campaign.core.database import Base, utcnow
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
    midnight = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    row = session.connection().execute(_RECEIPT, {"signature_id": signature_id, "midnight": midnight}).first()
    if row is None:
        raise link_error(signature_id)
    if has_expired(signed_at=row.signed_at, confirmed_at=row.confirmed_at):
        raise ExpiredLink
    if row.confirmed_at is None and row.another_is_confirmed:
        raise UnknownLink
    return Receipt(
        signed_at=row.signed_at,
        confirmed_at=row.confirmed_at,
        language=row.language,
        referral_code=row.referral_code,
        display_name=display_name_for(row.display_name),
        updates=row.updates,
        referrals=_shown(row.referrals),
        second_degree_referrals=_shown(row.second_degree_referrals),
    )


def _shown(number: int) -> int:
    return number if number >= MIN_COUNT_SHOWN else 0


def _receipt() -> Select[Any]:
    """Select all of a receipt: once, since building the statement takes longer than executing it."""
    signatures = Base.metadata.tables[Signature.__tablename__]
    other, first, second = (signatures.alias(name) for name in ("other", "first", "second"))
    # Another submission with this address may have been confirmed at the very moment when this one came.
    another_is_confirmed = exists().where(other.c.email_hash == signatures.c.email_hash, _is_confirmed(other))
    return select(
        *(signatures.c[name] for name in ("signed_at", "confirmed_at", "language", "referral_code", "updates")),
        is_visible().label("display_name"),
        another_is_confirmed.label("another_is_confirmed"),
        _count(first, first.c.referred_by == signatures.c.id, _is_counted(first)).label("referrals"),
        _count(
            first.join(second, second.c.referred_by == first.c.id),
            first.c.referred_by == signatures.c.id,
            _is_counted(first),
            _is_counted(second),
        ).label("second_degree_referrals"),
    ).where(signatures.c.id == bindparam("signature_id", type_=signatures.c.id.type))


def _count(source: FromClause, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(source).where(*conditions).scalar_subquery()


def _is_confirmed(signatures: FromClause) -> ColumnElement[bool]:
    return signatures.c.confirmed_at.is_not(None)


def _is_counted(signatures: FromClause) -> ColumnElement[bool]:
    """A number that changes only at midnight (UTC) does not reveal when a certain person confirmed."""
    return signatures.c.confirmed_at < bindparam("midnight", type_=signatures.c.confirmed_at.type)


_RECEIPT = _receipt()
