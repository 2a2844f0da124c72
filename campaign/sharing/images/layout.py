"""Layout of text on a page, in all scripts of the campaign, shared by cards and posters."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fpdf.enums import Align, MethodReturnValue
from PIL import Image, ImageOps

from campaign.core.fonts import DISPLAY
from campaign.core.typesetting import Typesetter
from campaign.sharing.images.content import ImageText

NIGHT, ICE, WARM = (7, 13, 26), (234, 242, 251), (255, 181, 102)  # the colours of the page

_BALANCE = 0.97  # a step in the search for the narrowest block with as many lines


@dataclass(frozen=True, slots=True)
class Box:
    """A place for words on a sheet: left, top and width in points."""

    left: float
    top: float
    width: float


class Sheet(Typesetter):
    """One page of `size` (width and height in points); words are set in the order and the shapes of their script."""

    def __init__(self, size: tuple[float, float], words: ImageText) -> None:
        super().__init__(size=size)
        self.set_auto_page_break(False)
        self.set_margin(0)
        self.add_page()
        self.set_text_shaping(True, direction="rtl" if words.is_rtl else "ltr")
        self._start = Align.R if words.is_rtl else Align.L

    def set_words(self, text: str, at: Box, *, size: float, leading: float = 1.15) -> float:
        """Set `text` in lines of about the same length, from where its script begins; return where it ends (points)."""
        self.use_faces(DISPLAY, size=size)
        text = _fit_box(text)
        line, width = size * leading, self._balanced(text, at.width)
        left = at.left + (at.width - width if self._start == Align.R else 0)
        self.set_xy(left, at.top)
        self.multi_cell(width, line, text, align=self._start)
        return float(self.get_y())

    def fitting(self, text: str, width: float, *, size: float, lines: int) -> float:
        """Return the size in points, at most `size`, at which `text` fits into `lines`."""
        while size > 1:  # points; then it is too small to read anyway
            self.use_faces(DISPLAY, size=size)
            if len(self._lines(_fit_box(text), width)) <= lines:
                return size
            size *= _BALANCE
        return size

    def _balanced(self, text: str, width: float) -> float:
        lines, narrower = len(self._lines(text, width)), width
        while lines > 1 and len(self._lines(text, narrower * _BALANCE)) == lines:
            narrower *= _BALANCE
        return narrower

    def _lines(self, text: str, width: float) -> list[str]:
        return cast("list[str]", self.multi_cell(width, 1, text, dry_run=True, output=MethodReturnValue.LINES))


def frame(picture: Path, size: tuple[int, int]) -> Image.Image:
    """Return the film's frame, cut to `size` (pixels)."""
    with Image.open(picture) as opened:
        return ImageOps.fit(opened.convert("RGB"), size, centering=(0.5, 0.35))


def darken(image: Image.Image, *, below: float, by: float) -> Image.Image:
    """Return `image` with a place for words: from `below` (0 the top, 1 the foot) on it fades into the night."""
    width, height = image.size
    fade = [min(max((y / height - below) / (1 - below) * 2, 0), 1) for y in range(height)]
    shade = Image.new("L", (1, height))
    shade.putdata([round(255 * by * part) for part in fade])
    return Image.composite(Image.new("RGB", image.size, NIGHT), image, shade.resize((width, height)))


def _fit_box(text: str) -> str:
    """Return `text` so that no line of it begins with a dash."""
    return text.replace(" —", "\u00a0—")
