"""Sets the words of the film: one line after the other, centred, generously spaced, on a soft shadow."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from timeline import TITLE, Floats, Words, ease

FONT = Path(__file__).parents[2] / "campaign" / "fonts" / "eb-garamond" / "EBGaramond-Medium.ttf"
SPACING, LEADING = 0.035, 1.36  # of the size
INK = np.array([0.97, 0.965, 0.95])


def with_words(picture: Floats, words: Words, t: float) -> Floats:
    """Return the picture with `words` as far as they show at `t` seconds."""
    if not words.start <= t <= words.end:
        return picture
    for line, ink in enumerate(_lettering(words, picture.shape[1])):
        start = words.start + 0.7 * line
        shown = float(ease(t, start, start + 1.1) * (1 - ease(t, words.end - 0.8, words.end)))
        picture = picture * (1 - 0.55 * shown * _shadow(words, line, picture.shape[1])[..., None])
        picture = picture + (shown * ink)[..., None] * (INK - picture)
    return picture


@cache
def _lettering(words: Words, width: int) -> tuple[Floats, ...]:
    """Return one mask per line."""
    size = words.size * width / 1920
    middle = (0.47 if words is TITLE or words.lines == TITLE.lines else 0.20) * width * 9 / 16
    top = middle - LEADING * size * len(words.lines) / 2
    return tuple(_line(text, size, top + LEADING * size * i, width) for i, text in enumerate(words.lines))


def _line(text: str, size: float, top: float, width: int) -> Floats:
    sheet, font = Image.new("L", (2 * width, 2 * width * 9 // 16)), ImageFont.truetype(str(FONT), round(2 * size))
    pen, gap = ImageDraw.Draw(sheet), 2 * SPACING * size
    x = width - (font.getlength(text) + gap * (len(text) - 1)) / 2
    for i, letter in enumerate(text):
        pen.text((x + font.getlength(text[:i]) + gap * i, 2 * top), letter, fill=255, font=font)
    return np.asarray(sheet.reduce(2), float) / 255


@cache
def _shadow(words: Words, line: int, width: int) -> Floats:
    soft = cv2.GaussianBlur(_lettering(words, width)[line], (0, 0), 26 * width / 1920)
    return np.clip(soft * 2.4, 0, 1)
