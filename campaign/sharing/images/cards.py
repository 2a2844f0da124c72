"""The card: the picture that networks show beside a shared link."""

import io
from pathlib import Path
from typing import Any, cast

import pypdfium2
from PIL import Image

from campaign.sharing.images.content import CARD_SIZE as SIZE
from campaign.sharing.images.content import ImageText
from campaign.sharing.images.layout import ICE, WARM, Box, Sheet, darken, frame

MAX_BYTES = 300_000  # larger ones WhatsApp leaves out of its preview

_MARGIN = 64
_COLOURS = 256


def render_card(words: ImageText, picture: Path) -> bytes:
    """Return the card as a PNG: `picture` (the film's frame) with `words`."""
    return _encode(_render(words, picture).quantize(_COLOURS, dither=Image.Dither.FLOYDSTEINBERG), "PNG", optimize=True)


def render_thumbnail(words: ImageText, picture: Path) -> bytes:
    """Return the same card at half its size as AVIF, for our own page."""
    width, height = SIZE
    return _encode(
        _render(words, picture).resize((width // 2, height // 2), Image.Resampling.LANCZOS), "AVIF", quality=60
    )


def _render(words: ImageText, picture: Path) -> Image.Image:
    sheet = Sheet(SIZE, words)
    sheet.image(darken(frame(picture, SIZE), below=0.3, by=0.9), 0, 0, *SIZE)
    _set_text(sheet, words)
    document = pypdfium2.PdfDocument(bytes(sheet.output()))
    try:
        return cast("Image.Image", document[0].render(scale=1).to_pil()).convert("RGB")
    finally:
        document.close()  # here, under the lock: a garbage collector would close it in any thread, at any time


def _set_text(sheet: Sheet, words: ImageText) -> None:
    width = SIZE[0] - 2 * _MARGIN
    sheet.set_text_color(ICE)
    sheet.set_words(words.title, Box(_MARGIN, 44, width), size=34)
    size = sheet.fitting(words.question, width, size=68, lines=2)
    end = sheet.set_words(words.question, Box(_MARGIN, 350, width), size=size, leading=1.1)
    ask = sheet.fitting(words.ask, width, size=36, lines=1)
    end = sheet.set_words(words.ask, Box(_MARGIN, end + 14, width), size=ask)
    sheet.set_text_color(WARM)
    sheet.set_words(words.figure, Box(_MARGIN, end + 6, width), size=36)


def _encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()
