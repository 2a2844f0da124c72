"""Writes rows as a workbook (Office Open XML, ECMA-376) of text cells, as a stream.

XlsxWriter makes everything except the rows, which go straight into the compressed sheets. So no personal data is in
temporary files, and memory does not grow with the number of rows.
"""

import io
import re
from collections.abc import Iterable, Iterator
from itertools import count
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name

CHUNK_BYTES = 64 * 1024
MAX_ROWS = 1_048_576  # of a sheet, the header included (Excel's specifications and limits)
MAX_CELL = 32_767  # characters of a cell, counted as Excel does: in UTF-16 code units
MAX_SHEET_BYTES = 1_500_000_000  # uncompressed: larger parts of a stream need ZIP64, which Excel does not read there

_CUT = "…"  # ends a cell that is too long
_LEVEL = 3  # of the compression
_WIDTH = 24  # of a column, in characters
_SHEET = "xl/worksheets/sheet{}.xml"

_ROWS_AT_ONCE = 100

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LINE_END = re.compile("\r\n?")
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in XML 1.0
_ESCAPE_LOOKALIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # spreadsheets read _x0041_ as A (ECMA-376, 22.9.2.19)
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x")


def iter_workbook(rows: Iterable[tuple[str, ...]], *, header: tuple[str, ...]) -> Iterator[bytes]:
    """Yield `header` and `rows` as a workbook, in chunks of about 64 KiB.

    Each sheet starts with a frozen header; rows beyond the limits of a sheet continue in the next one. All cells are
    text, and stay text when they are edited.
    """
    sink, remaining = _Sink(), iter(rows)
    row = next(remaining, None)
    with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for number in count(1):
            before, line, after = _sheet_parts(header, is_first=number == 1)
            with archive.open(_SHEET.format(number), "w") as sheet:
                text, size, at = [before], 0, 2
                while row is not None and at <= MAX_ROWS and size < MAX_SHEET_BYTES:
                    text.append(line.format(*_escaped_row(row), row=at))
                    at += 1
                    row = next(remaining, None)
                    if len(text) == _ROWS_AT_ONCE:
                        size += sheet.write("".join(text).encode())
                        text = []
                        if sink.size >= CHUNK_BYTES:
                            yield sink.taken()
                sheet.write(("".join(text) + after).encode())
            if row is None:
                break
        with ZipFile(io.BytesIO(_empty_workbook(header, sheets=number))) as template:
            for part in template.namelist():
                if not part.startswith("xl/worksheets/"):
                    archive.writestr(part, template.read(part))
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Keeps written bytes until they are taken. It is not seekable, so ZIP puts sizes after the parts."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._chunks.append(bytes(data))
        self.size += len(data)
        return len(data)

    def taken(self) -> bytes:
        taken, self._chunks, self.size = b"".join(self._chunks), [], 0
        return taken


def _empty_workbook(header: tuple[str, ...], *, sheets: int) -> bytes:
    """Return a workbook with `sheets` sheets that have the header, and an empty cell of the format of all others."""
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as workbook:
        heading, text = workbook.add_format({"bold": True, "num_format": "@"}), workbook.add_format({"num_format": "@"})
        for _ in range(sheets):
            sheet = workbook.add_worksheet()
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(header) - 1, _WIDTH, text)
            for column, name in enumerate(header):
                sheet.write_string(0, column, name, heading)
            sheet.write_blank(1, 0, None, text)
    return file.getvalue()


def _sheet_parts(header: tuple[str, ...], *, is_first: bool) -> tuple[str, str, str]:
    """Return the XML of a sheet in three parts: before the rows, one row as a format string, after the rows."""
    with ZipFile(io.BytesIO(_empty_workbook(header, sheets=2))) as template:
        xml = template.read(_SHEET.format(1 if is_first else 2)).decode()
    match = re.search(r'<row r="2".*?<c r="A2" (s="\d+")/></row>', xml)
    assert match is not None, "XlsxWriter writes sheets in another way"  # noqa: S101 - a test meets it
    cells = (
        f'<c r="{xl_col_to_name(column)}{{row}}" {match[1]} t="inlineStr">'
        f'<is><t xml:space="preserve">{{{column}}}</t></is></c>'
        for column in range(len(header))
    )
    before = re.sub(r'<dimension ref="[^"]*"/>', "", xml[: match.start()])
    return before, f'<row r="{{row}}">{"".join(cells)}</row>', xml[match.end() :]


def _escaped_row(row: tuple[str, ...]) -> Iterable[str]:
    together = "".join(row)  # one search a row; few rows need more
    return map(_escaped, row) if len(together) > MAX_CELL // 2 or _SPECIAL.search(together) else row


def _escaped(cell: str) -> str:
    """Return `cell` as XML text; a character that XML cannot hold becomes U+FFFD."""
    cell = _UNUSABLE.sub("\ufffd", _LINE_END.sub("\n", cell))
    units = cell.encode("utf-16-le")
    if len(units) > MAX_CELL * 2:
        cell = units[: (MAX_CELL - 1) * 2].decode("utf-16-le", "ignore") + _CUT
    return _ESCAPE_LOOKALIKE.sub("_x005F_", cell).translate(_MARKUP)
