"""What an organiser can switch on and off while the campaign runs."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, delete, exists, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.models import FeatureFlag

Name = Literal["bot-check", "closed", "delivered", "names-off"]


def enabled_since(session: Session | Connection) -> dict[str, datetime]:
    """Return the switches that are on, each with the time since when."""
    rows = session.execute(select(FeatureFlag.name, FeatureFlag.enabled_at))
    return {row.name: row.enabled_at for row in rows}


def is_enabled(session: Session, name: Name) -> bool:
    """Return whether the feature `name` is on."""
    return name in enabled_since(session)


def enabled_flags(*names: Name) -> ColumnElement[bool]:
    """Return an SQL condition: one of the features is on."""
    return exists(select(FeatureFlag.name).where(FeatureFlag.name.in_(names)))


def enable(session: Session, name: Name, *, since: datetime | None = None, instead_of: tuple[Name, ...] = ()) -> bool:
    """Turn it on, and others off; returns whether it was off."""
    with transaction(session, locks=FeatureFlag):
        session.execute(delete(FeatureFlag).where(FeatureFlag.name.in_(instead_of)))
        row = insert(session, FeatureFlag).values(name=name, enabled_at=since or utcnow())
        return session.scalar(row.on_conflict_do_nothing().returning(FeatureFlag.name)) is not None


def disable(session: Session, *names: Name) -> bool:
    """Turn them off; returns whether one of them was on."""
    statement = delete(FeatureFlag).where(FeatureFlag.name.in_(names)).returning(FeatureFlag.name)
    with transaction(session):
        return bool(session.scalars(statement).all())
