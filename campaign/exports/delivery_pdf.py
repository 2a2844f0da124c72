"""The PDF for delivery: cover letter, petition text, totals by country, and names in all scripts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from fpdf.enums import Align

from campaign.core.fonts import DISPLAY, REGULAR, closest_form, clusters, is_plain
from campaign.core.typesetting import Typesetter

A4 = (595.28, 841.89)  # points
_MARGIN, _FOOT = 56.7, 62.4
_COLUMNS, _GUTTER = 2, 20.0
_SIZE, _LEADING = 8.0, 10.4  # of the names, in points
_MAX_CACHED_WIDTHS = 1000  # countries come again and again
_NARROWEST = 0.8  # of a name's usual size; a longer name takes more lines
_NUMBER = 34.0  # the width of the numbers, in points
_STEP = 500  # names between two progress reports


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of the PDF: `cover` and `letter` as paragraphs, `page` with {page} and {pages}."""

    title: str
    day: str
    cover: list[str]
    letter_to: str
    letter: list[str]
    totals: str
    total: str
    names: str
    elsewhere: str
    page: str


@dataclass(frozen=True, slots=True)
class Name:
    """One line: its number, the name, and the name of the country."""

    number: str
    name: str
    country: str


class Document(Typesetter):
    """The document; pages are A4, lengths in points."""

    def __init__(self, words: Words) -> None:
        super().__init__(size=A4)
        self._words = words
        self._widths: dict[str, float] = {}
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=_FOOT)
        self.set_title(words.title)
        self.set_lang("en")
        self.use_faces(DISPLAY, size=12)

    def close(self) -> None:
        """Close the font files, which are read on demand."""
        for face in self.fonts.values():
            face.ttfont.close()  # type: ignore[union-attr]

    def footer(self) -> None:
        """Set the title, the day and the number at the foot of each page."""
        self.set_text_shaping(False)
        self.use_faces(DISPLAY, size=8)
        self.set_y(-_FOOT + 22)
        number = self._words.page.format(page=self.page_no(), pages="{nb}")
        self.cell(0, 10, f"{self._words.title} · {self._words.day} · {number}", align=Align.C)

    def set_letters(self) -> None:
        """Set the cover letter and the petition text, each on its own page."""
        for heading, paragraphs in (
            (self._words.title, self._words.cover),
            (self._words.letter_to, self._words.letter),
        ):
            self.add_page()
            self._heading(heading)
            for paragraph in paragraphs:
                self._paragraph(paragraph, size=12, leading=17)
                self.ln(8)

    def set_totals(self, totals: Mapping[str, int]) -> None:
        """Set the total and the totals by country name, in the order given."""
        self.add_page()
        self._heading(self._words.totals)
        for country, number in [(self._words.total, sum(totals.values())), *totals.items()]:
            self.set_text_shaping(False)
            self.use_faces(DISPLAY, size=11)
            self.cell(260, 16, country)
            self.cell(70, 16, f"{number:,}", align=Align.R, new_x="LMARGIN", new_y="NEXT")

    def set_names(self, names: Iterable[Name], report: Callable[[int], None]) -> None:
        """Set the names in two columns per page; `told` is called after every 500th."""
        self.add_page()
        self._heading(self._words.names)
        self.set_auto_page_break(False)
        remaining, count = iter(names), 0
        while some := list(islice(remaining, _STEP)):
            for name in some:
                self._set_name(name)
            report(count := count + len(some))

    def _set_name(self, name: Name) -> None:
        width = (self.epw - _GUTTER * (_COLUMNS - 1)) / _COLUMNS
        room = width - _NUMBER
        lines = self._lines(name.name, room * 0.62)
        left = self._place(len(lines), width)
        top = self.get_y()
        self._write(left, top, _NUMBER - 6, name.number, Align.R)
        self._write(left + _NUMBER + room * 0.65, top, room * 0.35, name.country, Align.L)
        for at, line in enumerate(lines):
            self._write(left + _NUMBER, top + at * _LEADING, room * 0.62, line, Align.L)
        self.set_xy(left, top + len(lines) * _LEADING)

    def _place(self, lines: int, width: float) -> float:
        """Go to where the next name has its place, in another column or page if there is none here; return its left."""
        if not hasattr(self, "_column"):
            self._column, self._top = 0, self.get_y()
        if self.get_y() + lines * _LEADING > self.h - _FOOT:
            self._column = (self._column + 1) % _COLUMNS
            if self._column == 0:
                self.add_page()
                self._top = self.t_margin
            self.set_y(self._top)
        return self.l_margin + self._column * (width + _GUTTER)

    def _lines(self, text: str, width: float) -> list[str]:
        """Return `text` in as many lines as it needs: no name is cut."""
        if self._width(text) * _NARROWEST <= width:
            return [text]
        return list(self._split_word(text, width))

    def _width(self, text: str) -> float:
        """Return the width of `text` in the font and size of names, which are set from now on."""
        self.use_faces(REGULAR, size=_SIZE)
        if text not in self._widths:
            if len(self._widths) == _MAX_CACHED_WIDTHS:
                self._widths.clear()
            self._widths[text] = self.width_of(text)
        return self._widths[text]

    def _split_word(self, text: str, width: float) -> Iterator[str]:
        """Yield the lines of `text`, broken at spaces where possible, and never between a letter and its marks."""
        line = ""
        for word in text.split(" "):
            if self.width_of(joined := f"{line} {word}".lstrip()) <= width:
                line = joined
                continue
            if line:
                yield line
            line = ""
            for cluster in clusters(word):
                if line and self.width_of(line + cluster) > width:
                    yield line
                    line = ""
                line += cluster
        yield line

    def _write(self, left: float, top: float, width: float, text: str, align: Align) -> None:
        """Write a line; one that is too wide is set smaller."""
        if (wide := self._width(text)) > width:
            self.set_font_size(_SIZE * width / wide)
        self.set_xy(left, top)
        with self.as_text(text):
            self.cell(width, _LEADING, text, align=align)

    def _heading(self, text: str) -> None:
        self._paragraph(text, size=22, leading=28)
        self.ln(14)

    def _paragraph(self, text: str, *, size: float, leading: float) -> None:
        """Set a paragraph of our own or the organisers' text, in any script."""
        text = "\n".join(closest_form(line, DISPLAY).text if line.strip() else "" for line in text.split("\n"))
        self.use_faces(DISPLAY, size=size)
        self.set_text_shaping(not is_plain(text.replace("\n", ""), DISPLAY))
        self.multi_cell(0, leading, text, align=Align.L, new_x="LMARGIN", new_y="NEXT")


def render_document(
    words: Words, totals: Mapping[str, int], names: Iterable[Name], report: Callable[[int], None]
) -> bytes:
    """Return the PDF; `told` is called with the number of names set so far."""
    with closing(Document(words)) as pdf:
        pdf.set_letters()
        pdf.set_totals(totals)
        pdf.set_names(names, report)
        return bytes(pdf.output())
