"""Rows as CSV text: RFC 4180, UTF-8, CRLF; raw for imports, or with nothing that a spreadsheet would evaluate."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

CHUNK_ROWS = 300  # of about 200 bytes each

# A spreadsheet takes a cell that starts like this for a formula (OWASP, CSV Injection). The wide, small, raised and
# lowered forms count as well: East Asian keyboards type some of them, and spreadsheets read them as the plain ones.
_FORMULA = r"=+\-@\u2212\u207a-\u207c\u208a-\u208c\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"

# A spreadsheet with other settings than RFC 4180 splits a cell here, even inside quotes: in half of Europe Excel
# separates columns by semicolons.
_SEPARATOR = r",;|\t\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"

# What a spreadsheet may skip before it looks at the first character: quotes, spaces, control and invisible characters.
_SKIPPED = (
    r"\"'\x00-\x08\x0e-\x1b\x1f \x7f-\x84\x86-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    r"\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# The places for an apostrophe: before the whole cell, and after each separator inside it. No run of skipped characters
# holds a separator, so the time grows with the length of the cell and not faster.
_AT_START = rf"\A(?=[{_SKIPPED}]*[{_FORMULA}\t\r\n])"
_INSIDE = rf"(?<=[{_SEPARATOR}])(?=[{_SKIPPED}]*[{_FORMULA}])"
_PLACES = re.compile(f"{_AT_START}|{_INSIDE}")
_ANYWHERE = re.compile(rf"[{_SEPARATOR}][{_SKIPPED}]*[{_FORMULA}\t\r\n]")


@dataclass(frozen=True, slots=True)
class Dialect:
    """`bom`: start with a UTF-8 byte order mark; `inert`: neutralise cells that a spreadsheet would evaluate."""

    bom: bool = False
    inert: bool = False


DIALECTS = {"plain": Dialect(), "excel": Dialect(bom=True, inert=True)}


def iter_csv(rows: Iterable[tuple[str, ...]], *, header: tuple[str, ...], dialect: Dialect) -> Iterator[bytes]:
    """Yield `header` and `rows` as CSV (RFC 4180), in chunks of `CHUNK_ROWS`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_neutralize_cell(header) if dialect.inert else header)
    if dialect.bom:
        yield codecs.BOM_UTF8
    remaining = map(_neutralize_cell, rows) if dialect.inert else iter(rows)
    while True:
        writer.writerows(islice(remaining, CHUNK_ROWS))
        if not text.tell():
            break
        yield _drain(text)


def neutralize(cell: str) -> str:
    """Return `cell` with an apostrophe wherever a spreadsheet might split it and evaluate the following part.

    These places are the start of the cell, and after any separator inside it: comma, semicolon, `|`, tab, line break.
    Removing one apostrophe from each place restores the cell.
    """
    return _PLACES.sub("'", cell)


def _neutralize_cell(row: tuple[str, ...]) -> Iterable[str]:
    if _ANYWHERE.search("\n" + "\n".join(row)):  # one search a row; few rows have any such place
        return map(neutralize, row)
    return row


def _drain(text: io.StringIO) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return content
