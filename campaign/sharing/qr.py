"""The QR code of an address (ISO/IEC 18004)."""

import io
from typing import Any

import segno

QUIET_ZONE = 4  # modules left blank around it; ISO/IEC 18004 asks for them

# `omitsize` writes a viewBox in place of a size: without one, an SVG in a smaller box is cropped, not scaled.
_STYLE: dict[str, Any] = {"border": QUIET_ZONE, "dark": "#000", "light": "#fff", "omitsize": True}


def qr_code(url: str) -> segno.QRCode:
    """Return the code of `url`; a quarter of it may be torn or dirty (error correction Q)."""
    return segno.make(url, error="q", micro=False)


def qr_inline(text: str, *, title: str) -> str:
    """Return the code of `text` as an SVG element for a page, black on white, of whatever size CSS gives it.

    Nothing tears a screen, so the error correction is the lowest (L): fewer modules, each of them larger.
    """
    return str(segno.make(text, error="l", micro=False).svg_inline(**_STYLE, title=title))


def qr_svg(url: str) -> bytes:
    """Return the code of `url` as an SVG file, black on white whatever surrounds it, that fits any window."""
    data = io.BytesIO()
    qr_code(url).save(data, kind="svg", **_STYLE, title=url)
    return data.getvalue()
