"""The longest plausible content for every field of a served campaign."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.request import Request, urlopen

from tests.live_server import Site
from tests.personas import path_in

NAME = "W" * 100
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbea"  # 64 letters
EMAIL = "ada@example.org"
LONG_EMAIL = f"{'m' * 64}@{'long.' * 30}example.org"
COUNT = 10_000_000

_NAMES = [NAME, "W" * 40, WORD, "Мария-Александра" * 2, "أليكساندرا" * 4]
_COUNTRY = "GS"  # South Georgia and the South Sandwich Islands


@dataclass(frozen=True, slots=True)
class Links:
    """The paths of a signature that waits for its confirmation, and of one that is confirmed."""

    confirm: str
    receipt: str


def fill(site: Site) -> Links:
    """Sign as several people, set whatever organisers can set, and return the links of two signatures."""
    emails = [EMAIL, *(f"{number}@example.org" for number in range(len(_NAMES)))]
    for email, name in zip(emails, [NAME, *_NAMES], strict=True):
        fields = {"given_name": name, "family_name": NAME, "email": email, "country": _COUNTRY, "message": NAME}
        site.sign(fields | {"show_name": "1", "updates": "1"})
    links = {mail["To"]: path_in(mail) for mail in site.mails(len(emails))}
    receipts = [_confirm(site, links[email]) for email in emails[1:]]
    with closing(sqlite3.connect(site.instance / "campaign.sqlite3", timeout=30)) as database, database:
        _fill(database)
    return Links(confirm=links[EMAIL], receipt=receipts[0])


def _confirm(site: Site, link: str) -> str:
    """Confirm a signature and return the path of its receipt."""
    with urlopen(Request(f"{site.url}{link}", b"")) as response:
        return response.url.removeprefix(site.url)


def _fill(database: sqlite3.Connection) -> None:
    database.execute("UPDATE signatures SET display_name = ? WHERE display_name = ?", (NAME, "W" * 40))
    hour = datetime.now(UTC).strftime("%Y-%m-%d %H:00:00.000000")
    totals = [("hour", hour, ""), ("country", hour, _COUNTRY), ("language", hour, "en"), ("via", hour, "whatsapp")]
    for key in totals:
        database.execute("INSERT INTO confirmed_totals VALUES (?, ?, ?, ?)", (*key, COUNT))
    options = [("contact", "", LONG_EMAIL), ("letter", "nl", f"{WORD}\n\n{NAME}"), ("letter", "ar", NAME)]
    database.executemany("INSERT INTO settings VALUES (?, ?, ?)", options)
