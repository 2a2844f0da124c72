"""What organisers set in place of what ships: the goals, the letter in each language, whom to write to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction
from campaign.models import Option

Name = Literal["goals", "contact", "letter"]


@dataclass(frozen=True, slots=True)
class Options:
    """What was set; what was not is empty. `goals`: numbers of signatures, rising; `letters`: by language."""

    goals: tuple[int, ...] = ()
    contact: str = ""
    letters: Mapping[str, str] = field(default_factory=dict)


def options(session: Session) -> Options:
    """Return what organisers have set."""
    rows = {(row.name, row.language): row.value for row in session.scalars(select(Option))}
    goals = tuple(int(goal) for goal in rows.get(("goals", ""), "").split())
    letters = {language: value for (name, language), value in rows.items() if name == "letter"}
    return Options(goals, rows.get(("contact", ""), ""), letters)


def set_option(session: Session, name: Name, value: str, *, language: str = "") -> None:
    """Set one of them, in one `language` where it differs by that; what is set empty is as it ships again."""
    key = {"name": name, "language": language}
    row = insert(session, Option).values(**key, value=value)
    with transaction(session):
        if value:
            session.execute(row.on_conflict_do_update(index_elements=list(key), set_={"value": value}))
        else:
            session.execute(delete(Option).where(Option.name == name, Option.language == language))
