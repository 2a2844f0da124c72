"""The columns of each purpose that signatures are exported for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import itemgetter

from campaign.crypto.data_keys import Person

SYSTEM = "love_always_wins"  # names us in OSDI identifiers, which are "system:id"
NUMBER = "number"  # counts the lines of an export
ELSEWHERE = "elsewhere"  # instead of a country where a name could tell which person it is
ENCRYPTED_COLUMNS = tuple(field.name for field in fields(Person))

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one export purpose, each with its name and source.

    A source is the number of the row, a field of `Person`, or a text column that `exports.export` selects. `opted_in`
    restricts the export to supporters who asked for updates. `hides_small_countries` replaces countries with few
    signatures by `ELSEWHERE`.
    """

    columns: Mapping[str, str]
    opted_in: bool = False
    hides_small_countries: bool = False

    @property
    def header(self) -> Row:
        """The first line."""
        return tuple(self.columns)

    @property
    def stored(self) -> list[str]:
        """The names of the columns to select from the database."""
        return [name for name in self.columns.values() if name not in (NUMBER, *ENCRYPTED_COLUMNS)]

    def picker(self) -> Callable[[Sequence[str]], Row]:
        """Return a function that builds a row from its number, the selected columns and the decrypted fields."""
        available = (NUMBER, *self.stored, *ENCRYPTED_COLUMNS)
        return itemgetter(*(available.index(name) for name in self.columns.values()))


_FULL = {
    name: name
    for name in (
        *("id", "signed_at", "confirmed_at", "given_name", "family_name", "email", "country", "language", "updates"),
        *("consent_version", "show_name", "message", "via", "referred_by"),
    )
}

# For the IOC: names and countries, without email addresses.
_DELIVERY = {name: name for name in (NUMBER, "given_name", "family_name", "country", "signed_at")}

# The names that Action Network and OSDI (opensupporter.org) use.
_CRM = {
    "email": "email",
    "first_name": "given_name",
    "last_name": "family_name",
    "country": "country",
    "language": "language",
    "source": "via",
    "referrer": "referred_by",
    "action_date": "signed_at",
    "confirmed_at": "confirmed_at",
    "email_opt_in": "updates",
    "consent_version": "consent_version",
    "comments": "message",
    "identifier": "identifier",
}

LAYOUTS = {
    "full": Layout(_FULL),
    "delivery": Layout(_DELIVERY, hides_small_countries=True),
    "crm": Layout(_CRM, opted_in=True),
}
