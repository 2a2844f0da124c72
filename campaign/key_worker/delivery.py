"""Making the document to hand in, from who has confirmed until now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from campaign.core.database import db, utcnow
from campaign.core.fonts import REGULAR, closest_form
from campaign.crypto.data_keys import Opener
from campaign.exports.columns import LAYOUTS
from campaign.exports.delivery_pdf import Name, Words, document
from campaign.exports.export import Choice, by_country, iter_rows, named_countries
from campaign.key_worker.results import Job, Progress


@dataclass(frozen=True, slots=True)
class Wanted:
    """The words of the document, and what the countries are called in it, by code."""

    words: Words
    countries: dict[str, str]


def make(session: Session, opener: Opener, wanted: Wanted, job: Job) -> int:
    """Make the document and keep it with its `job`; returns how many rows could not be opened, and are left out."""
    choice, missed = Choice(until=utcnow()), list[UUID]()
    counts = by_country(session, choice)
    total = sum(counts.values())
    named = {code: wanted.countries.get(code, code) for code in named_countries(counts)}
    replaced: list[int] = []
    tell = partial(_tell, job, total)
    tell(0)
    rows = iter_rows(db.engine, opener, choice, LAYOUTS["delivery"], on_unreadable=missed.append)
    names = _names(rows, named, elsewhere=wanted.words.elsewhere, on_replaced=replaced.append)
    content = document(wanted.words, _totals(counts, named, wanted.words.elsewhere), names, tell)
    job.finish(content, total - len(missed), replaced=replaced)
    return len(missed)


def _tell(job: Job, total: int, done: int) -> None:
    job.tell(Progress(done, total))


def _totals(counts: dict[str, int], named: dict[str, str], elsewhere: str) -> dict[str, int]:
    """Return how many signed by country in words, the most first, and last those from elsewhere."""
    totals = {named[code]: number for code, number in counts.items() if code in named}
    few = sum(counts.values()) - sum(totals.values())
    return totals | ({elsewhere: few} if few else {})


def _names(
    rows: Iterator[tuple[str, ...]], named: dict[str, str], *, elsewhere: str, on_replaced: Callable[[int], None]
) -> Iterator[Name]:
    """Yield the names; the numbers of those that are set in their closest form only go to `on_replaced`."""
    for number, given_name, family_name, country, _signed_at in rows:
        form = closest_form(f"{given_name} {family_name}", REGULAR)
        if not form.is_exact:
            on_replaced(int(number))
        yield Name(f"{int(number):,}", form.text, named.get(country, elsewhere))


def wanted(told: dict[str, Any]) -> Wanted:
    """Return what was asked for, from JSON."""
    return Wanted(Words(**told["words"]), told["countries"])
