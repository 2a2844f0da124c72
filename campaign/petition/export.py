"""Which signatures leave: a stream of rows, opened with the campaign's private key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import Session

from campaign.errors import Unreadable
from campaign.models import Signature
from campaign.petition.layouts import Layout, Opened
from campaign.petition.sealing import Opener, SealedPerson

FETCH = 5000  # rows fetched at a time, so that memory stays the same however many there are


@dataclass(frozen=True, slots=True)
class Choice:
    """Which signatures to export. A period counts from the confirmation, or the signing where there is none."""

    country: str | None = None
    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    include_unconfirmed: bool = False
    opted_in: bool = False


def row_count(session: Session, choice: Choice) -> int:
    """Return how many signatures `choice` holds."""
    return session.scalar(select(func.count()).select_from(Signature).where(*_conditions(choice))) or 0


def iter_rows(
    engine: Engine, opener: Opener, choice: Choice, layout: Layout, *, on_unreadable: Callable[[UUID], None]
) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each chosen signature, in the order of signing.

    A row that cannot be opened is left out and its id told to `on_unreadable`.
    """
    query = select(*_COLUMNS).where(*_conditions(choice)).order_by(Signature.id)
    number = 0
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=FETCH).execute(query):
            try:
                person = opener.open(SealedPerson(row.data_key_id, row.sealed), identity=row.id)
            except Unreadable:
                on_unreadable(row.id)
                continue
            number += 1
            yield layout.cells(Opened(number, row, person))


_COLUMNS = (
    *(Signature.id, Signature.data_key_id, Signature.sealed, Signature.country, Signature.language, Signature.updates),
    *(Signature.shown_name, Signature.via, Signature.referred_by, Signature.consent_version),
    *(Signature.signed_at, Signature.confirmed_at),
)


def _conditions(choice: Choice) -> Iterator[ColumnElement[bool]]:
    moment = func.coalesce(Signature.confirmed_at, Signature.signed_at)
    if not choice.include_unconfirmed:
        yield Signature.confirmed_at.is_not(None)
    if choice.country:
        yield Signature.country == choice.country
    if choice.language:
        yield Signature.language == choice.language
    if choice.since:
        yield moment >= choice.since
    if choice.until:
        yield moment < choice.until
    if choice.opted_in:
        yield Signature.updates.is_(True)
