"""What an organiser can switch on and off while the campaign runs."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.models import Switch

Name = Literal["bot-check", "closed", "delivered", "names-off"]


def since(session: Session) -> dict[str, datetime]:
    """Return the switches that are on, each with the time since when."""
    rows = session.execute(select(Switch.name, Switch.since))
    return {row.name: row.since for row in rows}


def is_on(session: Session, name: Name) -> bool:
    """Tell whether the switch `name` is on."""
    return name in since(session)


def on(*names: Name) -> ColumnElement[bool]:
    """Return the condition that one of the switches is on, for a statement that must judge at once."""
    return exists(select(Switch.name).where(Switch.name.in_(names)))


def turn_on(session: Session, name: Name, *, since: datetime | None = None, instead_of: tuple[Name, ...] = ()) -> bool:
    """Turn it on, and others off; returns whether it was off."""
    with transaction(session, locks=Switch):
        session.execute(delete(Switch).where(Switch.name.in_(instead_of)))
        row = insert(session, Switch).values(name=name, since=since or utcnow())
        return session.scalar(row.on_conflict_do_nothing().returning(Switch.name)) is not None


def turn_off(session: Session, *names: Name) -> bool:
    """Turn them off; returns whether one of them was on."""
    gone = delete(Switch).where(Switch.name.in_(names)).returning(Switch.name)
    with transaction(session):
        return bool(session.scalars(gone).all())
