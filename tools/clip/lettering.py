"""Sets the words of the clip: one line after the other, centred, generously spaced."""

from functools import cache

import numpy as np
from canvas import H, W
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from story import Floats, Words, ease

FONTS = ("NotoSerifDisplay-Regular.ttf", "DejaVuSerif.ttf")


def with_words(picture: Floats, words: Words, t: float) -> Floats:
    """Return the picture with `words` as far as they show at `t` seconds, on a soft shadow."""
    for line, ink in enumerate(_lettering(words)):
        start = words.start + 0.55 * line
        shown = float(ease(t, start, start + 0.9) * (1 - ease(t, words.end - 0.6, words.end)))
        picture = picture * (1 - 0.5 * shown * _shadow(words, line)[..., None])
        picture = picture + (shown * ink)[..., None] * (np.array([0.96, 0.97, 1.0]) - picture)
    return picture


@cache
def _lettering(words: Words) -> tuple[Floats, ...]:
    """Return one mask per line, centred, generously spaced."""
    top = 0.205 * H - sum(1.42 * s for s in words.sizes) / 2
    sheets = []
    for line, size in zip(words.lines, words.sizes, strict=True):
        sheets.append(_line(line, size, top))
        top += 1.42 * size
    return tuple(sheets)


def _line(text: str, size: int, top: float) -> Floats:
    sheet, font = Image.new("L", (2 * W, 2 * H)), _font(2 * size)
    pen, gap = ImageDraw.Draw(sheet), 0.05 * size
    x = W - (font.getlength(text) + gap * (len(text) - 1)) / 2
    for i, letter in enumerate(text):
        pen.text((x + font.getlength(text[:i]) + gap * i, 2 * top), letter, fill=255, font=font)
    return np.asarray(sheet.reduce(2), float) / 255


@cache
def _shadow(words: Words, line: int) -> Floats:
    ink = Image.fromarray((_lettering(words)[line] * 255).astype(np.uint8))
    return np.clip(np.asarray(ink.filter(ImageFilter.GaussianBlur(22)), float) / 255 * 2.2, 0, 1)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
