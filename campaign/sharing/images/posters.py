"""Posters to print, with a QR code that leads to the campaign."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from campaign.core.fonts import DISPLAY, closest_form
from campaign.sharing.images.content import ImageText
from campaign.sharing.images.layout import NIGHT, Box, Sheet, frame
from campaign.sharing.qr import QUIET_ZONE, qr_code

SIZES = {"a4": (595.28, 841.89), "a5": (419.53, 595.28), "letter": (612.0, 792.0)}  # points; ISO 216, ANSI/ASME Y14.1

_DOTS = 1600  # pixels across the picture: 190 an inch on A4
_PICTURE = 0.44  # of the height


@dataclass(frozen=True, slots=True)
class CallToAction:
    """The call to action of a poster: its text, the URL of the QR code, and the URL for people to read."""

    call: str
    url: str
    address: str


def display_url(public_url: str) -> str:
    """Return the URL as people write it, for example `пример.рф`, if our fonts have its script."""
    parts = urlsplit(public_url)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    unicode_host = host.encode().decode("idna")
    return (unicode_host if closest_form(unicode_host, DISPLAY).is_exact else host) + port


def render_poster(words: ImageText, lead: CallToAction, picture: Path, *, size: str) -> bytes:
    """Return the poster as a PDF in one of `SIZES`. Raises `KeyError` for another."""
    width, height = SIZES[size]
    sheet = Sheet(SIZES[size], words)
    sheet.set_title(words.title)
    sheet.set_lang(words.language)
    sheet.set_image_filter("DCTDecode")  # JPEG: a fifth of the bytes
    above = height * _PICTURE
    sheet.image(frame(picture, (_DOTS, round(_DOTS * above / width))), 0, 0, width, above)
    unit = min(width, height / 1.3) / 100  # so that all has its place on the wider and shorter Letter as well
    margin, foot = 7 * unit, height - 38 * unit
    sheet.set_text_color(NIGHT)
    column = width - 2 * margin
    question = sheet.fitting(words.question, column, size=8 * unit, lines=2)
    end = sheet.set_words(words.question, Box(margin, above + 6 * unit, column), size=question, leading=1.1)
    sheet.set_words(words.ask, Box(margin, end + 2 * unit, column), size=3.6 * unit)
    _set_call(sheet, words, lead, Box(margin, foot, column), unit)
    return bytes(sheet.output())


def _set_call(sheet: Sheet, words: ImageText, lead: CallToAction, at: Box, unit: float) -> None:
    """Place the QR code at the start of the line (in reading direction), with the call to action beside it."""
    side, gap = 31 * unit, 4 * unit
    _draw_code(sheet, lead.url, at.left + (at.width - side if words.is_rtl else 0), at.top, side)
    beside = Box(at.left + (0 if words.is_rtl else side + gap), at.top + 4 * unit, at.width - side - gap)
    end = sheet.set_words(lead.call, beside, size=sheet.fitting(lead.call, beside.width, size=5.2 * unit, lines=2))
    beside = Box(beside.left, end + 2 * unit, beside.width)
    end = sheet.set_words(lead.address, beside, size=_size_in(sheet, lead.address, beside.width, 3.6 * unit))
    sheet.set_words(words.title, Box(beside.left, end + 2 * unit, beside.width), size=3 * unit)


def _size_in(sheet: Sheet, text: str, width: float, size: float) -> float:
    """Return the size at which an address, which has no place to break, is not wider than `width`."""
    sheet.use_faces(DISPLAY, size=size)
    return min(size, size * width / (sheet.get_string_width(text) * 1.02))


def _draw_code(sheet: Sheet, url: str, left: float, top: float, side: float) -> None:
    """Draw the QR code, sharp in any size: a bar for each run of dark modules."""
    rows = [bytes(row) for row in qr_code(url).matrix]
    module = side / (len(rows) + 2 * QUIET_ZONE)
    sheet.set_fill_color(0)
    for y, row in enumerate(rows, start=QUIET_ZONE):
        x = QUIET_ZONE
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:  # a little too high, or else fine white lines are seen between the rows
                sheet.rect(left + x * module, top + y * module, length * module, module * 1.03, style="F")
            x += length
