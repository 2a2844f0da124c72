"""The file formats of an export, by the name of the dialect."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from campaign.exports.csv_writer import DIALECTS, iter_csv
from campaign.exports.xlsx_writer import iter_workbook


class Writer(Protocol):
    """Makes a file of a header and rows, in chunks."""

    def __call__(  # noqa: D102
        self, rows: Iterable[tuple[str, ...]], *, header: tuple[str, ...]
    ) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: file name suffix, media type, safe use, and writer."""

    suffix: str
    mimetype: str
    use: Literal["spreadsheet", "import"]
    write: Writer


FORMATS = {
    "plain": Format("csv", "text/csv", "import", partial(iter_csv, dialect=DIALECTS["plain"])),
    "excel": Format("csv", "text/csv", "spreadsheet", partial(iter_csv, dialect=DIALECTS["excel"])),
    "xlsx": Format(
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",  # registered with IANA
        "spreadsheet",
        iter_workbook,
    ),
}
