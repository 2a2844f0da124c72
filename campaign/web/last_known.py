"""The data on public pages, as last known while the database is away: so pages and the form are still shown.

Only what everybody may see is kept. It decides nothing: each write checks in its own transaction.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from flask import Flask, current_app, g

from campaign.core.database import DatabaseError, db, is_unavailable, utcnow
from campaign.mail import queue_status
from campaign.petition import display_names, feature_flags, settings, totals
from campaign.petition.settings import PetitionSettings
from campaign.petition.status import PetitionStatus, status_of

MAX_NAMES_SHOWN = 6  # names of supporters who ticked the box
_EXTENSION = "last known"  # in app.extensions


def init_last_known(app: Flask) -> None:
    """Keep values with `app`."""
    app.extensions[_EXTENSION] = {}


def note_outage() -> None:
    """Do not ask the database again in this request."""
    g.is_database_away = True


def read_all() -> dict[str, Any]:
    """Read everything and return it by name. Raises `DatabaseError` if the database is away."""
    values = {name: read(db.session) for name, read in _READERS.items()}
    _known().update(values)
    return values


def count() -> int:
    """Return the number of confirmed signatures."""
    return counted()[0]


def counted() -> tuple[int, datetime]:
    """Return the number of confirmed signatures, and when it was read."""
    return cast("tuple[int, datetime]", _read("counted"))


def flags() -> Mapping[str, datetime]:
    """Return the features that are on, read once in a request."""
    if "flags" not in g:
        g.flags = _read("flags")
    return cast("Mapping[str, datetime]", g.flags)


def status() -> PetitionStatus:
    """Return the status of the petition."""
    return status_of(flags())


def petition_settings() -> PetitionSettings:
    """Return the settings that organisers changed."""
    return cast("PetitionSettings", _read("settings"))


def names() -> list[str]:
    """Return the names to show, the latest first; none if an organiser has switched them off."""
    return [] if "names-off" in flags() else cast("list[str]", _read("names"))


def is_mail_late() -> bool:
    """Return whether email is late."""
    return bool(_read("is_mail_late"))


_READERS: dict[str, Callable[[Any], Any]] = {
    "counted": lambda session: (totals.confirmed(session), utcnow()),
    "flags": feature_flags.enabled_since,
    "settings": settings.load_settings,
    "names": lambda session: display_names.latest_names(session, most=MAX_NAMES_SHOWN),
    "is_mail_late": queue_status.is_late,
}


def _read(name: str) -> Any:
    """Return a value as read now, or as last known if the database is unavailable."""
    known = _known()
    if name in known and g.get("is_database_away"):
        return known[name]  # each attempt may take seconds
    try:
        known[name] = _READERS[name](db.session)
    except DatabaseError as error:
        if name not in known or not is_unavailable(error):
            raise
        note_outage()
        db.session.rollback()
    return known[name]


def _known() -> dict[str, Any]:
    return cast("dict[str, Any]", current_app.extensions[_EXTENSION])
