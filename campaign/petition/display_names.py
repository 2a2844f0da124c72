"""First names on the public page: which may be shown, which were shown last, and hiding them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unicodedata import category
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, or_, select, update
from sqlalchemy.orm import Session

from campaign.core.database import transaction, utcnow
from campaign.models import Signature

MAX_LENGTH = 40  # characters
MAX_MARKS = 5  # on one letter; Hebrew and Vietnamese take up to four

_JOINERS = "\u200c\u200d"  # which Persian and Indian scripts need
_SEPARATORS = " -\u2010\u2011'\u2019."
# Matches spam.example and t.me, but not J.R.R.; next to other scripts, the tone letters of Lisu look like full stops.
_ADDRESS = re.compile(r"\.[^\W\d_]\w|[\ua4f8-\ua4fd][^\W\d_\ua4d0-\ua4ff]")
_MAX_SCANNED = 10  # times as many rows are read as are shown, for names that do not obey the rule


@dataclass(frozen=True, slots=True)
class ShownName:
    """A name in the organisers' list; `hidden_at` is empty while the public page may show it."""

    id: UUID
    name: str
    country: str
    confirmed_at: datetime
    hidden_at: datetime | None


def display_name_for(name: str | None) -> str | None:
    """Return `name` if it looks like a name, otherwise None.

    A name begins with a letter and consists of letters and marks of any script, spaces, hyphens, apostrophes and full
    stops: no digits, no web or email address, at most `MAX_LENGTH` characters.
    """
    if not name or len(name) > MAX_LENGTH or not name[0].isalpha():
        return None
    # Without combining marks: some are invisible and would hide an email address only from this check.
    if _ADDRESS.search("".join(letter for letter in name if letter.isalpha() or letter in _SEPARATORS)):
        return None
    marks = 0
    for letter in name:
        kind = category(letter)[0]
        marks = marks + 1 if kind == "M" else 0
        if marks > MAX_MARKS or not (kind in "LM" or letter in _SEPARATORS or letter in _JOINERS):
            return None
    return name


def latest_names(session: Session, *, most: int) -> list[tuple[str, str]]:
    """Return the first name and country code of the latest confirmed supporters who ticked the box."""
    rows = session.execute(
        _opted_in(Signature.display_name, Signature.country)
        .where(Signature.name_hidden_at.is_(None))
        .limit(most * _MAX_SCANNED)
    )
    return [(row.display_name, row.country) for row in rows if display_name_for(row.display_name)][:most]


def list_names(
    session: Session, *, most: int, before: tuple[datetime, UUID] | None = None, search: str = ""
) -> tuple[list[ShownName], tuple[datetime, UUID] | None]:
    """Return up to `most` names for organisers, hidden ones too, newest first, and where the next page begins.

    `before` is where a page begins; `search` is a part of the name.
    """
    query = _opted_in(
        Signature.id, Signature.display_name, Signature.country, Signature.confirmed_at, Signature.name_hidden_at
    ).order_by(Signature.id.desc())
    if before:
        moment, identity = before
        earlier = (Signature.confirmed_at == moment) & (Signature.id < identity)
        query = query.where(Signature.confirmed_at <= moment, or_(Signature.confirmed_at < moment, earlier))
    if search:
        # SQLite folds the case of ASCII letters only.
        spellings = dict.fromkeys((search, search.lower(), search.capitalize(), search.title()))
        query = query.where(or_(*(Signature.display_name.icontains(text, autoescape=True) for text in spellings)))
    rows = [ShownName(*row) for row in session.execute(query.limit(most + 1))]
    page = rows[:most]
    further = (page[-1].confirmed_at, page[-1].id) if len(rows) > most else None
    return [row for row in page if display_name_for(row.name)], further


def set_hidden(session: Session, signature_id: UUID, *, hidden: bool) -> bool:
    """Hide a name from the public page, or show it again; returns whether there is one and that changed it."""
    present = Signature.name_hidden_at
    changed = update(Signature).where(
        Signature.id == signature_id,
        Signature.display_name.is_not(None),
        present.is_(None) if hidden else present.is_not(None),
    )
    when = utcnow() if hidden else None
    with transaction(session):
        return session.execute(changed.values(name_hidden_at=when).returning(Signature.id)).first() is not None


def is_visible() -> ColumnElement[str | None]:
    """Return the column of the name that may be shown: empty where it is hidden."""
    return case((Signature.name_hidden_at.is_(None), Signature.display_name), else_=None)


def _opted_in(*columns: Any) -> Select[Any]:
    """Select confirmed signatures whose owners ticked the box, newest first."""
    rows = select(*columns).where(Signature.display_name.is_not(None), Signature.confirmed_at.is_not(None))
    return rows.order_by(Signature.confirmed_at.desc())
