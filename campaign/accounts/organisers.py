"""Every query and write on organisers: their addresses, roles and passwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from campaign.core.database import new_id, transaction, utcnow
from campaign.core.secret_text import normalize_secret
from campaign.errors import EmailAlreadyRegistered, LastExporter, LastOwner, TooManyLookups, UnknownOrganiser
from campaign.models import Invitation, KeyHolder, Organiser, ShortLivedToken

Role = Literal["reader", "organiser", "owner"]
ROLES: tuple[Role, ...] = ("reader", "organiser", "owner")  # ascending: each role includes the earlier ones
EXPORT_ROLES: tuple[Role, ...] = ("organiser", "owner")
MAX_LOOKUPS = 60  # of signatures by one organiser, in `LOOKUP_PERIOD`
LOOKUP_PERIOD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Member:
    """An organiser as the pages know them; `exports`: whether they hold a copy of the campaign's keys."""

    id: UUID
    email: str
    role: Role
    may_export: bool
    created_at: datetime
    activated_at: datetime | None

    def has_role(self, role: Role) -> bool:
        """Return whether this organiser has `role` or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def members(session: Session) -> list[Member]:
    """Return all organisers, the first one first."""
    return [_member(row) for row in session.execute(_MEMBERS.order_by(Organiser.created_at, Organiser.id))]


def member(session: Session, organiser_id: UUID) -> Member:
    """Return one organiser. Raises `UnknownOrganiser`."""
    row = session.execute(_MEMBERS.where(Organiser.id == organiser_id)).first()
    if row is None:
        raise UnknownOrganiser("unknown organiser")
    return _member(row)


def by_email(session: Session, email: str) -> Organiser | None:
    """Return the organiser with an address, however it is cased."""
    return session.scalar(select(Organiser).where(Organiser.email == normalize_email(email)))


def normalize_email(email: str) -> str:
    """Return an email address in its stored form: lower case, without surrounding spaces or invisible characters."""
    return normalize_secret(email).lower()


def add(session: Session, *, email: str, role: Role, password_hash: str) -> UUID:
    """Add an organiser whose registration is incomplete, within the caller's transaction.

    Raises `EmailAlreadyRegistered`. An incomplete registration with the same email address is deleted.
    """
    identity, email = new_id(), normalize_email(email)
    session.execute(delete(Organiser).where(Organiser.email == email, Organiser.activated_at.is_(None)))
    session.add(Organiser(id=identity, email=email, role=role, password_hash=password_hash))
    try:
        session.flush()
    except IntegrityError:
        raise EmailAlreadyRegistered("an organiser with this email address exists already") from None
    return identity


def activate(session: Session, organiser_id: UUID) -> None:
    """Allow an organiser to log in, within the caller's transaction."""
    newcomer = update(Organiser).where(Organiser.id == organiser_id, Organiser.activated_at.is_(None))
    session.execute(newcomer.values(activated_at=utcnow()))


def lock_organiser(session: Session, organiser_id: UUID) -> Organiser:
    """Return an organiser whose factors no other request changes before the end of the caller's transaction."""
    return session.get_one(Organiser, organiser_id, with_for_update=True, populate_existing=True)


def set_role(session: Session, organiser_id: UUID, role: Role) -> None:
    """Change an organiser's role. A viewer's copies of the campaign keys are deleted.

    Raises `UnknownOrganiser`, `LastOwner` and `LastExporter`.
    """
    with transaction(session, locks=Organiser):
        if role != "owner":
            _require_another_owner(session, organiser_id)
        changed = update(Organiser).where(Organiser.id == organiser_id).values(role=role)
        _require_one(session.scalar(changed.returning(Organiser.id)))
        if role not in EXPORT_ROLES:
            revoke_export(session, organiser_id)


def revoke_export(session: Session, organiser_id: UUID) -> bool:
    """Delete an organiser's copy of the keys, and an invitation that would give them another.

    Returns whether there was either. Raises `LastExporter`.
    """
    with transaction(session, locks=Organiser):
        _require_another_exporter(session, organiser_id)
        revoked = [
            session.scalar(delete(table).where(table.organiser_id == organiser_id).returning(table.organiser_id))
            for table in (KeyHolder, Invitation)
        ]
    return any(revoked)


def set_password(session: Session, organiser_id: UUID, password_hash: str) -> None:
    """Change an organiser's password. A log-in in progress with the old password fails."""
    with transaction(session):
        session.execute(update(Organiser).where(Organiser.id == organiser_id).values(password_hash=password_hash))
        session.execute(delete(ShortLivedToken).where(ShortLivedToken.organiser_id == organiser_id))


def remove(session: Session, organiser_id: UUID) -> None:
    """Remove an organiser, with their sessions, second factors and copy of the keys.

    Raises `UnknownOrganiser`, `LastOwner` and `LastExporter`.
    """
    with transaction(session, locks=Organiser):
        _require_another_owner(session, organiser_id)
        _require_another_exporter(session, organiser_id)
        statement = delete(Organiser).where(Organiser.id == organiser_id).returning(Organiser.id)
        _require_one(session.scalar(statement))


def count_lookup(session: Session, organiser_id: UUID) -> None:
    """Count one look-up of a signature by an organiser. Raises `TooManyLookups` beyond `MAX_LOOKUPS` in an hour."""
    now, mine = utcnow(), Organiser.id == organiser_id
    over = or_(Organiser.lookups_since.is_(None), Organiser.lookups_since <= now - LOOKUP_PERIOD)
    values = {
        "lookups": case((over, 1), else_=Organiser.lookups + 1),
        "lookups_since": case((over, now), else_=Organiser.lookups_since),
    }
    statement = update(Organiser).where(mine, or_(over, Organiser.lookups < MAX_LOOKUPS)).values(**values)
    with transaction(session):
        if session.scalar(statement.returning(Organiser.id)) is None:
            since = session.scalar(select(Organiser.lookups_since).where(mine)) or now
            raise TooManyLookups(max(ceil((since + LOOKUP_PERIOD - now).total_seconds()), 1))


def has_owner(session: Session) -> bool:
    """Return whether an owner is able to log in."""
    return bool(_owners(session))


def _require_another_owner(session: Session, organiser_id: UUID) -> None:
    """At least one owner must remain, to invite others."""
    if list(_owners(session)) == [organiser_id]:
        raise LastOwner("this is the only owner; make another organiser an owner first")


def _require_another_exporter(session: Session, organiser_id: UUID) -> None:
    """At least one organiser with the export right must remain, to grant it to others."""
    exporters = select(Organiser.id).join(KeyHolder, KeyHolder.organiser_id == Organiser.id)
    if session.scalars(exporters.where(Organiser.activated_at.is_not(None))).all() == [organiser_id]:
        raise LastExporter("this is the only organiser who may export; grant the right to another one first")


def _require_one(organiser_id: UUID | None) -> None:
    if organiser_id is None:
        raise UnknownOrganiser("unknown organiser")


def _owners(session: Session) -> Sequence[UUID]:
    owners = select(Organiser.id).where(Organiser.role == "owner", Organiser.activated_at.is_not(None))
    return session.scalars(owners).all()


def _member(row: Any) -> Member:
    return Member(*row)


_MEMBERS = (
    select(
        *(Organiser.id, Organiser.email, Organiser.role, func.count(KeyHolder.organiser_id) > 0),
        *(Organiser.created_at, Organiser.activated_at),
    )
    .outerjoin(KeyHolder, KeyHolder.organiser_id == Organiser.id)
    .group_by(Organiser.id)
)
