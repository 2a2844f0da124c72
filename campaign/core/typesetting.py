"""Typesetting of any script in a PDF: each run in a font of its script, shaped, and in its direction."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fpdf import FPDF
from fpdf.line_break import Fragment

from campaign.core.fonts import Faces, is_plain, is_rtl, runs


class Typesetter(FPDF):
    """A PDF with the fonts in `faces`; each font is loaded at its first use.

    Everything that fpdf2 measures, wraps or draws passes through `_preload_font_styles`. Its own version chooses a
    fallback font for each character, which separates marks from their letters and prefers the wrong font.
    """

    faces: Faces

    def __init__(self, *, size: tuple[float, float]) -> None:
        super().__init__(unit="pt", format=size)
        for name in ("fpdf", "fontTools"):  # they would log which characters of a name are missing
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def use_faces(self, faces: Faces, *, size: float) -> None:
        """Use the fonts in `faces`, at `size` points, from now on."""
        self.faces = faces
        self.set_font(self._loaded(faces[0]), size=size)

    @contextmanager
    def as_text(self, text: str) -> Iterator[None]:
        """Shape text within the block if `text` needs it, and keep it readable for searches and screen readers.

        Shaped glyphs are in drawing order, so the text itself is added as ActualText (ISO 32000, 14.9.4), except where
        Chromium's viewer would garble it: in right-to-left text, which it reorders itself, and for characters beyond
        the first 65,536, which it drops.
        """
        self.set_text_shaping(not is_plain(text, self.faces))
        if not self.text_shaping or is_rtl(text) or max(text) > "\uffff":
            yield
            return
        self._out(f"/Span <</ActualText <FEFF{text.encode('utf-16-be').hex().upper()}>>> BDC")
        yield
        self._out("EMC")

    def width_of(self, text: str) -> float:
        """Return the width of `text` in points."""
        self.set_text_shaping(not is_plain(text, self.faces))
        return float(self.get_string_width(text))

    def _loaded(self, face: Path) -> str:
        name = face.stem.lower()
        if name not in self.fonts:
            self.add_font(name, fname=face)
        return name

    def _preload_font_styles(
        self, text: str | None, markdown: bool, _initial_emphasis: tuple[bool, bool, bool, bool] | None = None
    ) -> Sequence[Fragment]:
        if not text or markdown or self.in_footer:  # the footer holds the placeholder for the number of pages
            return super()._preload_font_styles(text, markdown, _initial_emphasis=_initial_emphasis)
        return tuple(self._fragment(run.text, self._loaded(run.face)) for run in runs(text, self.faces))

    def _fragment(self, text: str, font: str) -> Fragment:
        state = self._get_current_graphics_state()
        state.font_family, state.font_style, state.current_font = font, "", self.fonts[font]
        return Fragment(text, state, self.k)
