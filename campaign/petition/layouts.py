"""The columns of each purpose that signatures are exported for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaign.db import iso
from campaign.petition.sealing import Person

SYSTEM = "love_always_wins"  # names us in OSDI identifiers, which are "system:id"


@dataclass(frozen=True, slots=True)
class Opened:
    """A signature on its way out: its number in this export, its readable columns, and who it is."""

    number: int
    row: Any
    person: Person


Columns = dict[str, Callable[[Opened], str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one purpose, by their header; `opted_in`: only for those who want to hear from us."""

    columns: Columns
    opted_in: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """The first line."""
        return tuple(self.columns)

    def cells(self, opened: Opened) -> tuple[str, ...]:
        """Return the line for one signature."""
        return tuple([cell(opened) for cell in self.columns.values()])


def _time(moment: datetime | None) -> str:
    return iso(moment) if moment else ""


def _flag(value: bool) -> str:
    return "true" if value else "false"


_FULL: Columns = {
    "id": lambda of: str(of.row.id),
    "signed_at": lambda of: _time(of.row.signed_at),
    "confirmed_at": lambda of: _time(of.row.confirmed_at),
    "given_name": lambda of: of.person.given_name,
    "family_name": lambda of: of.person.family_name,
    "email": lambda of: of.person.email,
    "country": lambda of: of.row.country,
    "language": lambda of: of.row.language,
    "updates": lambda of: _flag(of.row.updates),
    "consent_version": lambda of: of.row.consent_version,
    "show_name": lambda of: _flag(of.row.shown_name is not None),
    "message": lambda of: of.person.message,
    "via": lambda of: of.row.via or "",
    "referred_by": lambda of: str(of.row.referred_by or ""),
}

# What the IOC gets: who signed, and no address of anybody.
_DELIVERY: Columns = {
    "number": lambda of: str(of.number),
    **{name: _FULL[name] for name in ("given_name", "family_name", "country", "signed_at")},
}

# The names that Action Network and OSDI (opensupporter.org) use.
_CRM: Columns = {
    "email": _FULL["email"],
    "first_name": _FULL["given_name"],
    "last_name": _FULL["family_name"],
    "country": _FULL["country"],
    "language": _FULL["language"],
    "source": _FULL["via"],
    "referrer": _FULL["referred_by"],
    "action_date": _FULL["signed_at"],
    "confirmed_at": _FULL["confirmed_at"],
    "email_opt_in": _FULL["updates"],
    "consent_version": _FULL["consent_version"],
    "comments": _FULL["message"],
    "identifier": lambda of: f"{SYSTEM}:{of.row.id}",
}

LAYOUTS = {"full": Layout(_FULL), "delivery": Layout(_DELIVERY), "crm": Layout(_CRM, opted_in=True)}
