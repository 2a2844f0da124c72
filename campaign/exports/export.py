"""Which signatures leave: a stream of rows, opened with the campaign's private key."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any
from typing import cast as cast_to
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, String, case, cast, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from campaign.core.driver_statement import stream
from campaign.crypto.data_keys import Decryptor
from campaign.errors import DecryptionFailed
from campaign.exports.columns import ELSEWHERE, SYSTEM, Layout, Row
from campaign.models import Signature

MIN_COUNTRY_COUNT = 10  # signatures of a country; with fewer, a delivery does not name it
FETCH_ROWS = 5000  # rows fetched at a time, so that memory stays the same however many there are


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which signatures to export. A period counts from the confirmation, or the signing where there is none."""

    country: str | None = None
    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    include_unconfirmed: bool = False
    opted_in: bool = False


def row_count(session: Session, choice: ExportFilter) -> int:
    """Return how many signatures `choice` holds."""
    return session.scalar(select(func.count()).select_from(Signature).where(*_conditions(choice))) or 0


def by_country(session: Session, choice: ExportFilter) -> dict[str, int]:
    """Return how many signatures `choice` holds by country, the most first."""
    number = func.count().label("number")
    counts = select(Signature.country, number).where(*_conditions(choice)).group_by(Signature.country)
    rows = session.execute(counts.order_by(number.desc(), Signature.country))
    return {row.country: row.number for row in rows}


def named_countries(counts: Mapping[str, int]) -> set[str]:
    """Return which countries a delivery names: in the others a name would tell which person signed.

    `counts`: the signatures by country of all that is delivered.
    """
    return {country for country, number in counts.items() if number >= MIN_COUNTRY_COUNT}


def iter_rows(
    engine: Engine, opener: Decryptor, choice: ExportFilter, layout: Layout, *, on_unreadable: Callable[[UUID], None]
) -> Iterator[Row]:
    """Yield the columns of each matching signature, in order of signing.

    A row that cannot be decrypted is skipped, and `on_unreadable` gets its id. The database formats times and ids
    several times faster than Python.
    """
    sources = _sources(engine.dialect.name)
    if layout.hides_small_countries:
        with Session(engine) as session:
            named_codes = named_countries(by_country(session, choice))
        sources["country"] = case((Signature.country.in_(named_codes), Signature.country), else_=ELSEWHERE)
    columns = [sources[name] for name in ("identity", "key", "encrypted_person", *layout.stored)]
    query = select(*columns).where(*_conditions(choice)).order_by(Signature.id)
    pick, number = layout.picker(), 0
    decrypt = opener.decrypt_fields
    with engine.connect() as connection:
        for rows in stream(connection, query, FETCH_ROWS):
            for identity, key, blob, *stored_values in rows:
                try:
                    person = decrypt(key, blob, bytes.fromhex(identity))
                except DecryptionFailed:
                    on_unreadable(UUID(identity))
                    continue
                number += 1
                yield pick((str(number), *stored_values, *person))


def _sources(dialect: str) -> dict[str, Any]:
    """Return the SQL expressions that can be selected, by name; all give text, except encrypted columns.

    `identity` and `key` are the 32 hexadecimal digits of a UUID.
    """
    digits, moment = (_sqlite_digits, _sqlite_time) if dialect == "sqlite" else (_postgresql_digits, _postgresql_time)
    return {
        "identity": digits(Signature.id),
        "key": digits(Signature.data_key_id),
        "id": _group_digits(digits(Signature.id)),
        "identifier": literal(f"{SYSTEM}:").concat(_group_digits(digits(Signature.id))),
        "referred_by": func.coalesce(_group_digits(digits(Signature.referred_by)), ""),
        "signed_at": moment(Signature.signed_at),
        "confirmed_at": func.coalesce(moment(Signature.confirmed_at), ""),
        "updates": _flag(Signature.updates),
        "show_name": _flag(Signature.display_name.is_not(None)),
        "via": func.coalesce(Signature.via, ""),
        **{name: getattr(Signature, name) for name in ("encrypted_person", "country", "language", "consent_version")},
    }


def _sqlite_digits(column: Any) -> ColumnElement[str]:
    return type_coerce(column, String)  # keeps the digits as they are stored


def _postgresql_digits(column: Any) -> ColumnElement[str]:
    return func.replace(cast(column, String), "-", "", type_=String)


def _group_digits(digits: ColumnElement[str]) -> ColumnElement[str]:
    """Write the digits of a UUID in its five groups (RFC 9562, 4)."""
    first, *others = (func.substr(digits, at, length, type_=String) for at, length in _GROUPS)
    return reduce(lambda before, group: before.concat("-").concat(group), others, cast_to("ColumnElement[str]", first))


_GROUPS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


def _sqlite_time(column: Any) -> ColumnElement[str]:
    date_and_time = func.substr(type_coerce(column, String), 1, 19, type_=String)  # 2013-11-22 18:30:00
    return func.replace(date_and_time, " ", "T", type_=String).concat("Z")


def _postgresql_time(column: Any) -> ColumnElement[str]:
    return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=String)


def _flag(condition: Any) -> ColumnElement[str]:
    return case((condition, "true"), else_="false")


def _conditions(choice: ExportFilter) -> Iterator[ColumnElement[bool]]:
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
