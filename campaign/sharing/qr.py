"""The QR code of an address (ISO/IEC 18004)."""

import io

import segno

QUIET = 4  # modules left blank around it; ISO/IEC 18004 asks for them


def qr_code(url: str) -> segno.QRCode:
    """Return the code of `url`; a quarter of it may be torn or dirty (error correction Q)."""
    return segno.make(url, error="q", micro=False)


def qr_inline(text: str, *, title: str) -> str:
    """Return the code of `text` as an SVG to stand within a page, black on white."""
    return str(qr_code(text).svg_inline(border=QUIET, scale=6, dark="#000", light="#fff", title=title))


def qr_svg(url: str) -> bytes:
    """Return the code of `url` as an SVG that is black on white whatever surrounds it."""
    data = io.BytesIO()
    qr_code(url).save(data, kind="svg", border=QUIET, scale=8, dark="#000", light="#fff", title=url)
    return data.getvalue()
