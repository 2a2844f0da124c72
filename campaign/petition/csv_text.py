"""Rows as CSV text: RFC 4180, UTF-8, CRLF; raw for imports, or inert for spreadsheets."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CHUNK = 64 * 1024

# A spreadsheet takes a cell that starts like this for a formula (OWASP, CSV Injection); the wide forms are what East
# Asian keyboards type, and spreadsheets treat them alike.
_FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class Dialect:
    """`bom`: start with a UTF-8 byte order mark; `inert`: an apostrophe before what a spreadsheet would run."""

    bom: bool = False
    inert: bool = False


DIALECTS = {"plain": Dialect(), "excel": Dialect(bom=True, inert=True)}


def iter_csv(rows: Iterable[tuple[str, ...]], *, header: tuple[str, ...], dialect: Dialect) -> Iterator[bytes]:
    """Yield `header` and `rows` as CSV (RFC 4180), in chunks of about 64 KiB."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    if dialect.bom:
        yield codecs.BOM_UTF8
    for row in rows:
        writer.writerow(_inert(row) if dialect.inert else row)
        if text.tell() >= CHUNK:
            yield _taken(text)
    yield _taken(text)


def _inert(row: tuple[str, ...]) -> list[str]:
    return [f"'{cell}" if cell and cell[0] in _FORMULA_STARTS else cell for cell in row]


def _taken(text: io.StringIO) -> bytes:
    taken = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return taken
