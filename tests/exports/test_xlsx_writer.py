"""The workbook: every cell is text, whatever it holds, for Excel's rules and for LibreOffice."""

import io
import re
import subprocess
import tracemalloc
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.exports.xlsx_writer import CHUNK_BYTES, MAX_CELL, MAX_ROWS, MAX_SHEET_BYTES, iter_workbook
from tests import services

HEADER = ("a", "b", "c")
TRICKS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "007",
    "1e5",
    "2013-11-22",
    "TRUE",
    "#REF!",
    "https://example.org",
    " x ",
    "'y",
]

cells = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20)


def workbook(rows, header=HEADER) -> bytes:
    return b"".join(iter_workbook(rows, header=header))


def sheets(content: bytes) -> list[list[tuple[str, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [[tuple(cell or "" for cell in row) for row in sheet.iter_rows(values_only=True)] for sheet in book]


@given(st.lists(st.tuples(cells, cells, cells)))
@settings(deadline=None, max_examples=30)
def test_every_cell_is_read_back_as_it_was(rows):
    rows = [tuple(cell.replace("_x", "_ x") for cell in row) for row in rows]  # openpyxl knows no _xHHHH_
    assert sheets(workbook(rows)) == [[HEADER, *rows]]


def test_every_cell_is_text_and_stays_so_when_edited():
    sheet = openpyxl.load_workbook(io.BytesIO(workbook([(trick, trick, trick) for trick in TRICKS]))).active
    assert {(cell.data_type, cell.number_format) for row in sheet.iter_rows() for cell in row} == {("s", "@")}
    assert [cell.hyperlink for row in sheet.iter_rows() for cell in row if cell.hyperlink] == []


def test_the_header_stays_in_sight():
    sheet = openpyxl.load_workbook(io.BytesIO(workbook([("1", "2", "3")]))).active
    assert (sheet.freeze_panes, sheet["A1"].font.bold, sheet["A2"].font.bold) == ("A2", True, False)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("a\x00b\x0bc\x1f\ufffe\uffff", "a\ufffdb\ufffdc\ufffd\ufffd\ufffd"),
        ("half \ud83c a pair", "half \ufffd a pair"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("🌈 𠮷野", "🌈 𠮷野"),
    ],
)
def test_characters_that_xml_forbids_are_replaced_and_all_others_kept(cell, read):
    assert sheets(workbook([(cell, "x", "y")])) == [[HEADER, (read, "x", "y")]]


def test_text_that_looks_like_a_code_is_no_code():
    """Spreadsheets read _x0041_ as A, and _x005F_ as an underscore."""
    with zipfile.ZipFile(io.BytesIO(workbook([("_x0041_", "", "")]))) as archive:
        assert ">_x005F_x0041_<" in archive.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("letter", ["x", "𠮷"])
def test_a_cell_is_no_longer_than_a_spreadsheet_allows_and_says_that_it_is_cut(letter):
    [[_, (cell, whole, _)]] = sheets(workbook([(letter * MAX_CELL, "x" * MAX_CELL, "")]))
    assert len(cell.encode("utf-16-le")) // 2 <= MAX_CELL
    assert cell.endswith("…") == (letter != "x")
    assert len(whole) == MAX_CELL


@pytest.mark.parametrize("limit", [{"MAX_ROWS": 1001}, {"MAX_SHEET_BYTES": 1}])
def test_rows_beyond_a_sheet_go_on_in_the_next_one(monkeypatch, limit):
    """Excel opens no sheet of more rows; the real limits take minutes to reach."""
    assert (MAX_ROWS, MAX_SHEET_BYTES) == (1_048_576, 1_500_000_000)
    [[name, value]] = limit.items()
    monkeypatch.setattr(f"campaign.exports.xlsx_writer.{name}", value)
    read = sheets(workbook([(str(number), "x", "y") for number in range(2_000)]))
    assert [sheet[0] for sheet in read] == [HEADER] * len(read)
    assert [row[0] for sheet in read for row in sheet[1:]] == [str(number) for number in range(2_000)]
    assert len(read) == 2 if name == "MAX_ROWS" else len(read) > 10


def test_rows_that_fill_a_sheet_exactly_need_no_second_one(monkeypatch):
    monkeypatch.setattr("campaign.exports.xlsx_writer.MAX_ROWS", 101)
    assert len(sheets(workbook([("x", "y", "z")] * 100))) == 1


def test_it_comes_in_chunks_and_takes_no_more_memory_for_more_rows():
    def peak(number: int) -> int:
        tracemalloc.start()
        chunks = [
            len(chunk) for chunk in iter_workbook((("x" * 50, "y", str(n)) for n in range(number)), header=HEADER)
        ]
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert max(chunks) < 3 * CHUNK_BYTES
        return most

    peak(10)
    assert peak(40_000) < peak(2_000) * 1.5


def test_nothing_is_written_to_the_disk(tmp_path, monkeypatch):
    """A temporary file would hold people's data, and stay after `kill -9`."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert workbook([("Ada", "x", "y")] * 5_000)


@pytest.mark.slow
def test_libreoffice_evaluates_nothing_and_shows_all(tmp_path):
    if reason := services.why_no_libreoffice():
        pytest.skip(reason)
    (tmp_path / "in.xlsx").write_bytes(workbook([(trick, "_x0041_", trick) for trick in TRICKS]))
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "fods"]
    subprocess.run([*command, "--outdir", tmp_path, tmp_path / "in.xlsx"], check=True, capture_output=True, timeout=120)
    sheet = (tmp_path / "in.fods").read_text()
    assert "table:formula=" not in sheet
    assert set(re.findall(r'office:value-type="(\w+)"', sheet)) == {"string"}
    assert sheet.count("<text:p>_x0041_</text:p>") == len(TRICKS)
    assert sheet.count("<text:p>=1+1</text:p>") == 2
