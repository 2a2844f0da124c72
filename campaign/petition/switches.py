"""What an organiser can switch on and off while the campaign runs."""

from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.db import insert, transaction, utcnow
from campaign.models import Switch

Name = Literal["bot-check"]


def is_on(session: Session, name: Name) -> bool:
    """Tell whether the switch `name` is on."""
    return session.scalar(select(Switch.name).where(Switch.name == name)) is not None


def turn_on(session: Session, name: Name) -> None:
    """Turn it on; nothing changes if it is."""
    with transaction(session):
        session.execute(insert(session, Switch).values(name=name, since=utcnow()).on_conflict_do_nothing())


def turn_off(session: Session, name: Name) -> None:
    """Turn it off; nothing changes if it is."""
    with transaction(session):
        session.execute(delete(Switch).where(Switch.name == name))
