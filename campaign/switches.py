"""What an organiser can switch on and off while the campaign runs."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from campaign.db import insert, transaction, utcnow
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


def turn_on(session: Session, name: Name, *, since: datetime | None = None, instead_of: tuple[Name, ...] = ()) -> None:
    """Turn it on, and others off; if it is on, nothing changes."""
    with transaction(session):
        session.execute(delete(Switch).where(Switch.name.in_(instead_of)))
        row = insert(session, Switch).values(name=name, since=since or utcnow())
        session.execute(row.on_conflict_do_nothing())


def turn_off(session: Session, *names: Name) -> None:
    """Turn them off; nothing changes if they are."""
    with transaction(session):
        session.execute(delete(Switch).where(Switch.name.in_(names)))
