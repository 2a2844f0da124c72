"""CSV: read back by the standard library exactly, and inert where a spreadsheet would run it."""

import csv
import io
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.exports.csv_writer import CHUNK_ROWS, DIALECTS, iter_csv, neutralize

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


# Text made mostly of the characters that matter.
tricky = st.text(st.sampled_from(list("=+-@＝＋,;|\t\r\n \u00a0\u200b\"'ab1")), max_size=12)


def restored(cell: str) -> str:
    """The cell without the apostrophes that the excel dialect added, by the rule in docs/organisers.md."""
    invisible = "\u0000-\u0008\u000e-\u001f \u007f-\u009f\u00a0\u00ad\u200b-\u200f\u2060-\u206f\ufeff"
    skipped, formula = f"[{invisible}\"']*", r"[-=+@＝＋－＠]"
    inside = re.sub(rf"(?<=[,;|\t\r\n])'(?={skipped}{formula})", "", cell)
    return re.sub(rf"\A'(?={skipped}(?:{formula}|[\t\r\n]))", "", inside)


@given(st.lists(st.tuples(tricky, tricky, tricky)))
def test_excel_gives_every_cell_back_without_the_added_apostrophes(rows):
    back = read(written(rows, "excel"), "utf-8-sig")[1:]
    assert [tuple(map(restored, row)) for row in back] == rows


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_formulas_are_untouched_in_plain_and_inert_in_excel(start):
    row = (f"{start}1+1", "x", "y")
    assert read(written([row], "plain"), "utf-8")[1] == row
    assert read(written([row], "excel"), "utf-8-sig")[1] == (f"'{start}1+1", "x", "y")


@pytest.mark.parametrize(
    ("cell", "harmless"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x;=1+1;y", "x;'=1+1;y"),
        ('x";=1+1', "x\";'=1+1"),
        ('x;"=1+1"', 'x;\'"=1+1"'),
        ("x;;@SUM(1)", "x;;'@SUM(1)"),
        ("x; \u00a0=1+1", "x;' \u00a0=1+1"),
        ("x\t=1+1", "x\t'=1+1"),
        ("x\n+1", "x\n'+1"),
        ("x\r\n-1", "x\r\n'-1"),
        ("x\u2028=1", "x\u2028'=1"),
        ("x,=1+1", "x,'=1+1"),
        ("x|=1+1", "x|'=1+1"),
        ("x;＝1+1", "x;'＝1+1"),
        ("  =1+1", "'  =1+1"),
        ("\u00a0\u200b\ufeff=1+1", "'\u00a0\u200b\ufeff=1+1"),
        ('"=1+1"', '\'"=1+1"'),
        ("'=1+1", "''=1+1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("\u22121", "'\u22121"),
    ],
)
def test_excel_neutralises_whatever_a_spreadsheet_might_split_off_and_evaluate(cell, harmless):
    assert neutralize(cell) == harmless
    assert read(written([("1", cell, "y")], "excel"), "utf-8-sig")[1] == ("1", harmless, "y")


@pytest.mark.parametrize(
    "cell",
    ["Ada", "O'Hara-Nguyễn", "2013-11-22T18:30:00Z", "ada+ioc@example.org", "love; and peace", "1 + 1 = 2", "a - b"],
)
def test_excel_leaves_ordinary_text_as_it_was(cell):
    assert neutralize(cell) == cell


def test_every_invisible_character_before_a_formula_counts_as_nothing():
    categories = ("Cc", "Cf", "Zs", "Zl", "Zp")
    invisible = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(one) in categories]
    assert [hex(ord(one)) for one in invisible if not re.search(r"'[^']*=1", neutralize(f"x;{one}=1"))] == []


def test_every_form_of_a_formula_character_counts():
    plain = set("=+-@\u2212")
    forms = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.normalize("NFKC", one) in plain]
    assert [one for one in forms if neutralize(f"{one}1") != f"'{one}1"] == []


@pytest.mark.parametrize("worst", ["\n ", '";', "'", ";\u200b", "\u200b", "=;"])
def test_neutralising_takes_time_in_proportion_to_the_length(worst):
    """A step for each pair of characters would take minutes for this length."""
    assert neutralize(worst * 500_000)


def test_the_header_is_neutralised_as_well():
    text = b"".join(iter_csv([], header=("=1", "b", "c"), dialect=DIALECTS["excel"]))
    assert text == b"\xef\xbb\xbf'=1,b,c\r\n"


def test_lines_end_as_the_rfc_has_it_and_excel_starts_with_a_mark():
    assert written([("1", "2", "3")], "plain") == b"a,b,c\r\n1,2,3\r\n"
    assert written([], "excel") == b"\xef\xbb\xbfa,b,c\r\n"


def test_it_comes_in_chunks():
    chunks = list(iter_csv([("x" * 100, "", "")] * 10_000, header=HEADER, dialect=DIALECTS["plain"]))
    assert len(chunks) > 10
    assert max(chunk.count(b"\r\n") for chunk in chunks) == CHUNK_ROWS + 1  # the header
