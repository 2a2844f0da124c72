"""Creates the PDF for delivery from the signatures that are confirmed when the task starts."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from campaign.core.database import db, utcnow
from campaign.core.fonts import REGULAR, closest_form
from campaign.crypto.data_keys import Decryptor
from campaign.exports.columns import LAYOUTS
from campaign.exports.delivery_pdf import Name, Words, render_document
from campaign.exports.export import ExportFilter, by_country, iter_rows, named_countries
from campaign.key_worker.results import Job, Progress

REPORT_SECONDS = 1.0  # between two reports at least, each of which is a transaction


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """The texts of the PDF, and the names of countries by their ISO codes."""

    words: Words
    countries: dict[str, str]


def make(session: Session, decryptor: Decryptor, request: DeliveryRequest, job: Job) -> int:
    """Create the PDF and store it with `job`. Returns how many rows could not be decrypted and are left out."""
    export_filter, unreadable = ExportFilter(until=utcnow()), list[UUID]()
    counts = by_country(session, export_filter)
    total = sum(counts.values())
    country_names = {code: request.countries.get(code, code) for code in named_countries(counts)}
    replaced: list[int] = []

    next_report = 0.0

    def report(done: int) -> None:
        nonlocal next_report
        if time.monotonic() > next_report:
            job.report(Progress(done, total))
            next_report = time.monotonic() + REPORT_SECONDS

    report(0)
    rows = iter_rows(db.engine, decryptor, export_filter, LAYOUTS["delivery"], on_unreadable=unreadable.append)
    names = _names(rows, country_names, elsewhere=request.words.elsewhere, on_replaced=replaced.append)
    content = render_document(request.words, _totals(counts, country_names, request.words.elsewhere), names, report)
    job.finish(content, total - len(unreadable), replaced=replaced)
    return len(unreadable)


def parse_request(values: dict[str, Any]) -> DeliveryRequest:
    """Return the request that JSON `values` describe."""
    return DeliveryRequest(Words(**values["words"]), values["countries"])


def _totals(counts: dict[str, int], country_names: dict[str, str], elsewhere: str) -> dict[str, int]:
    """Return the counts by country name, highest first; small countries are added up as `elsewhere`, at the end."""
    totals = {country_names[code]: number for code, number in counts.items() if code in country_names}
    rest = sum(counts.values()) - sum(totals.values())
    return totals | ({elsewhere: rest} if rest else {})


def _names(
    rows: Iterator[tuple[str, ...]],
    country_names: dict[str, str],
    *,
    elsewhere: str,
    on_replaced: Callable[[int], None],
) -> Iterator[Name]:
    """Yield the names. The numbers of names that the fonts cannot show exactly go to `on_replaced`."""
    for number, given_name, family_name, country, _signed_at in rows:
        form = closest_form(f"{given_name} {family_name}", REGULAR)
        if not form.is_exact:
            on_replaced(int(number))
        yield Name(f"{int(number):,}", form.text, country_names.get(country, elsewhere))
