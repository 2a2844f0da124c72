"""Settings that organisers change on the site: goals, the petition text in each language, and the contact address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction
from campaign.models import Setting

Name = Literal["goals", "contact", "letter"]


@dataclass(frozen=True, slots=True)
class PetitionSettings:
    """The settings that replace defaults; others are empty. `goals` are ascending counts; `letters` are by language."""

    goals: tuple[int, ...] = ()
    contact: str = ""
    letters: Mapping[str, str] = field(default_factory=dict)


def load_settings(session: Session) -> PetitionSettings:
    """Return the settings that organisers have changed."""
    rows = {(row.name, row.language): row.value for row in session.scalars(select(Setting))}
    goals = tuple(int(goal) for goal in rows.get(("goals", ""), "").split())
    letters = {language: value for (name, language), value in rows.items() if name == "letter"}
    return PetitionSettings(goals, rows.get(("contact", ""), ""), letters)


def set_setting(session: Session, name: Name, value: str, *, language: str = "") -> None:
    """Store one setting, for one `language` if it differs by language. An empty value restores the default."""
    key = {"name": name, "language": language}
    row = insert(session, Setting).values(**key, value=value)
    with transaction(session):
        if value:
            session.execute(row.on_conflict_do_update(index_elements=list(key), set_={"value": value}))
        else:
            session.execute(delete(Setting).where(Setting.name == name, Setting.language == language))
