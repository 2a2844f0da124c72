"""CSV: read back by the standard library exactly, and inert where a spreadsheet would run it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.petition.csv_text import CHUNK, DIALECTS, iter_csv

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
tables = st.lists(st.tuples(cells, cells, cells))
HEADER = ("a", "b", "c")


def written(rows, dialect) -> bytes:
    return b"".join(iter_csv(rows, header=HEADER, dialect=DIALECTS[dialect]))


def read(text: bytes, encoding: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(io.StringIO(text.decode(encoding), newline=""))]


@given(tables)
def test_plain_is_read_back_as_it_was(rows):
    assert read(written(rows, "plain"), "utf-8") == [HEADER, *rows]


@given(tables)
def test_excel_is_read_back_with_an_apostrophe_at_most(rows):
    back = read(written(rows, "excel"), "utf-8-sig")[1:]
    assert [[cell.removeprefix("'") for cell in row] for row in back] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_formulas_are_untouched_in_plain_and_inert_in_excel(start):
    row = (f"{start}1+1", "x", "y")
    assert read(written([row], "plain"), "utf-8")[1] == row
    assert read(written([row], "excel"), "utf-8-sig")[1] == (f"'{start}1+1", "x", "y")


def test_lines_end_as_the_rfc_has_it_and_excel_starts_with_a_mark():
    assert written([("1", "2", "3")], "plain") == b"a,b,c\r\n1,2,3\r\n"
    assert written([], "excel") == b"\xef\xbb\xbfa,b,c\r\n"


def test_it_comes_in_chunks():
    chunks = list(iter_csv([("x" * 100, "", "")] * 10_000, header=HEADER, dialect=DIALECTS["plain"]))
    assert len(chunks) > 10
    assert max(map(len, chunks)) < CHUNK + 1000
