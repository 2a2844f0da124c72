"""CSV as others read it: pandas, and LibreOffice, which would run a formula."""

import csv
import io
import subprocess

import pandas
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaign.exports.csv_writer import DIALECTS, iter_csv, neutralize
from tests import services

pytestmark = pytest.mark.slow

HEADER = ("a", "b", "c")
STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "'", '"', ",", "007", "1e5", "2013-11-22", " ", "\t")
AS_TEXT = "1/2/2/2/3/2"  # LibreOffice's number for text, for each of three columns
AS_IT_GUESSES = ""

# What the form lets through.
readable = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffd\ufffe\uffff")
letters = readable | st.just("\n")
cells = st.builds(str.__add__, st.sampled_from(STARTS) | st.just(""), st.text(letters, max_size=20))
tables = st.lists(st.tuples(cells, cells, cells), min_size=1)
large = st.lists(st.tuples(cells, cells, cells), min_size=100, max_size=100)
in_bulk = settings(
    max_examples=4,
    phases=[Phase.generate],  # a smaller example of a failure would take LibreOffice minutes to find
    deadline=None,
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow, HealthCheck.large_base_example],
)


def written(rows, dialect) -> bytes:
    return b"".join(iter_csv(rows, header=HEADER, dialect=DIALECTS[dialect]))


@given(tables)
@settings(deadline=None)
def test_pandas_reads_plain_as_it_was(rows):
    frame = pandas.read_csv(io.BytesIO(written(rows, "plain")), dtype=str, keep_default_na=False)
    assert [tuple(row) for row in frame.itertuples(index=False)] == rows


@given(tables)
@settings(deadline=None)
def test_pandas_reads_excel_with_its_apostrophes(rows):
    frame = pandas.read_csv(io.BytesIO(written(rows, "excel")), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert [tuple(row) for row in frame.itertuples(index=False)] == [tuple(map(neutralize, row)) for row in rows]


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """Converts CSV files with LibreOffice in one run: `reading` is how to read them, `writing` the format to write."""
    if reason := services.why_no_libreoffice():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("libreoffice")

    def converted(texts: list[bytes], reading: str, writing: str) -> list[str]:
        names = [f"in{number}" for number in range(len(texts))]
        for name, text in zip(names, texts, strict=True):
            (folder / f"{name}.csv").write_bytes(text)
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile"]
        command += [f"--infilter=CSV:{reading}", "--convert-to", writing, "--outdir", folder / "out"]
        files = [folder / f"{name}.csv" for name in names]
        subprocess.run([*command, *files], check=True, capture_output=True, timeout=120)
        results = [folder / "out" / f"{name}.{writing.partition(':')[0]}" for name in names]
        contents = [result.read_bytes().decode("utf-8-sig") for result in results]
        for result in results:
            result.unlink()  # a later run that writes nothing must not find it
        return contents

    return converted


@pytest.fixture(scope="module")
def libreoffice(office):
    """Opens CSV files in LibreOffice with columns of a format, and returns the cells that it shows of each."""
    writing = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false"  # all quoted, as shown

    def opened(texts: list[bytes], columns: str) -> list[list[tuple[str, ...]]]:
        shown = office(texts, f"44,34,76,1,{columns}", writing)
        return [[tuple(row) for row in csv.reader(io.StringIO(text, newline=""))][1:] for text in shown]

    return opened


def many_tables() -> list[list[tuple[str, str, str]]]:
    """Return several large tables of random cells, to be opened in one run."""
    collected = []

    @in_bulk
    @given(rows=large)
    def collect(rows):
        collected.append(rows)

    collect()
    assert len(collected) >= 4
    return collected


# Text that spreadsheets would split and evaluate, if it were not neutralised.
TRICKS = [
    "=1+1",
    "x;=1+1;y",
    'x";=1+1;"y',
    'x;"=1+1";y',
    'x;""=1+1',
    "x\t=1+1\ty",
    "x\n=1+1",
    "x\ny;=1+1;z",
    "x\ny,=1+1,z",
    "x|=1+1|y",
    "x;\u00a0=1+1;y",
    "  =1+1",
    "\u200b=1+1",
    "'=1+1",
    "=cmd|' /C calc'!A0",
    '"=1+1',
    "x;-1+1;+1+1;@SUM(1;1)",
    'x;=HYPERLINK("http://example.org";"y")',
]


TRICKED = [("1", trick, "z") for trick in TRICKS] + [(trick, "2", trick) for trick in TRICKS]
EVERY_SEPARATOR = "44/59/9/124"  # comma, semicolon, tab and vertical bar


@pytest.mark.parametrize(
    ("separators", "quote"), [("44", "34"), ("59", "34"), ("9", "34"), (EVERY_SEPARATOR, "34"), (EVERY_SEPARATOR, "")]
)
def test_libreoffice_evaluates_no_cell_of_excel_whatever_separates_its_columns(office, separators, quote):
    [sheet] = office([written(TRICKED, "excel")], f"{separators},{quote},76,1,", "fods")
    assert "table:formula=" not in sheet
    assert sheet.count("1+1") >= len(TRICKS)  # the text is there, and can be read


def test_libreoffice_evaluates_those_cells_of_plain(office):
    [sheet] = office([written(TRICKED, "plain")], "59,34,76,1,", "fods")
    assert sheet.count("table:formula=") >= 8


def test_libreoffice_reads_plain_unchanged_as_text_columns(libreoffice):
    examples = many_tables()
    assert libreoffice([written(rows, "plain") for rows in examples], AS_TEXT) == examples


def test_libreoffice_reads_excel_with_its_apostrophes(libreoffice):
    examples = many_tables()
    shown = libreoffice([written(rows, "excel") for rows in examples], AS_TEXT)
    assert shown == [[tuple(map(neutralize, row)) for row in rows] for rows in examples]


def test_libreoffice_runs_nothing_of_excel_even_when_it_guesses(libreoffice):
    examples = many_tables()
    opened = libreoffice([written(rows, "excel") for rows in examples], AS_IT_GUESSES)
    for rows, shown in zip(examples, opened, strict=True):
        dangerous = [
            (at, column) for at, row in enumerate(rows) for column, cell in enumerate(row) if neutralize(cell) != cell
        ]
        neutral = [neutralize(rows[at][column]) for at, column in dangerous]
        assert [shown[at][column] for at, column in dangerous] == neutral


def test_libreoffice_evaluates_a_formula_in_plain(libreoffice):
    assert libreoffice([written([("=1+1", "", "")], "plain")], AS_IT_GUESSES) == [[("2", "", "")]]
