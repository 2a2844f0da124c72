"""CSV as others read it: pandas, and LibreOffice, which would run a formula."""

import csv
import io
import subprocess
from pathlib import Path

import pandas
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaign.petition.csv_text import DIALECTS, iter_csv
from tests import services

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


def inert(cell: str) -> str:
    """What the excel dialect makes of a cell, by the rule in docs/organisers.md."""
    return f"'{cell}" if cell[:1] in tuple("=+-@\t\r\n＝＋－＠") and cell else cell


@given(tables)
@settings(deadline=None)
def test_pandas_reads_plain_as_it_was(rows):
    frame = pandas.read_csv(io.BytesIO(written(rows, "plain")), dtype=str, keep_default_na=False)
    assert [tuple(row) for row in frame.itertuples(index=False)] == rows


@given(tables)
@settings(deadline=None)
def test_pandas_reads_excel_with_its_apostrophes(rows):
    frame = pandas.read_csv(io.BytesIO(written(rows, "excel")), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert [tuple(row) for row in frame.itertuples(index=False)] == [tuple(map(inert, row)) for row in rows]


@pytest.fixture(scope="module")
def libreoffice(tmp_path_factory):
    """Opens a CSV in LibreOffice with columns of a format, and returns the cells that it shows."""
    if reason := services.why_no_libreoffice():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("libreoffice")

    def opened(text: bytes, columns: str) -> list[tuple[str, ...]]:
        (folder / "in.csv").write_bytes(text)
        _convert(folder, columns)
        shown = (folder / "out" / "in.csv").read_bytes().decode("utf-8-sig")
        return [tuple(row) for row in csv.reader(io.StringIO(shown, newline=""))][1:]

    return opened


def _convert(folder: Path, columns: str) -> None:
    separator, quote, utf8, first_line = 44, 34, 76, 1
    reading = f"{separator},{quote},{utf8},{first_line},{columns}"
    writing = f"{separator},{quote},{utf8},{first_line},,0,true,true,false"  # all quoted, as shown
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", f"--infilter=CSV:{reading}"]
    command += ["--convert-to", f"csv:Text - txt - csv (StarCalc):{writing}", "--outdir", folder / "out"]
    subprocess.run([*command, folder / "in.csv"], check=True, capture_output=True, timeout=120)


@in_bulk
@given(rows=large)
def test_libreoffice_reads_plain_as_it_was_when_told_that_all_is_text(libreoffice, rows):
    assert libreoffice(written(rows, "plain"), AS_TEXT) == rows


@in_bulk
@given(rows=large)
def test_libreoffice_reads_excel_with_its_apostrophes(libreoffice, rows):
    assert libreoffice(written(rows, "excel"), AS_TEXT) == [tuple(map(inert, row)) for row in rows]


@in_bulk
@given(rows=large)
def test_libreoffice_runs_nothing_of_excel_even_when_it_guesses(libreoffice, rows):
    shown = libreoffice(written(rows, "excel"), AS_IT_GUESSES)
    dangerous = [(at, column) for at, row in enumerate(rows) for column, cell in enumerate(row) if inert(cell) != cell]
    assert [shown[at][column] for at, column in dangerous] == [inert(rows[at][column]) for at, column in dangerous]


def test_libreoffice_does_run_a_formula_in_plain(libreoffice):
    assert libreoffice(written([("=1+1", "", "")], "plain"), AS_IT_GUESSES) == [("2", "", "")]
