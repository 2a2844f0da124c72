"""oEmbed (oembed.com, version 1.0): the description with which other sites embed the film."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from xml.etree import ElementTree as Xml

DEFAULT_WIDTH = 640  # pixels of the film's longer side, unless the consumer requests less
BAR = 72  # pixels below the film: the count, and the button that opens the page
CACHE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture of the film: its whole address and its size in pixels."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embeddable page with its title and thumbnails; `ratio` is the film's width divided by its height."""

    url: str
    title: str
    provider: str
    provider_url: str
    ratio: float
    thumbnails: tuple[Thumbnail, ...] = ()


def size(ratio: float, *, maxwidth: int | None = None, maxheight: int | None = None) -> tuple[int, int]:
    """Return width and height of the frame in pixels, within the limits of the other site."""
    width = min(DEFAULT_WIDTH, round(DEFAULT_WIDTH * ratio), maxwidth or DEFAULT_WIDTH)
    height = round(width / ratio) + BAR
    if maxheight and height > maxheight:  # the film has black beside it then
        height = maxheight
    return width, height


def snippet(embedded: Embedded, width: int, height: int) -> str:
    """Return the HTML to put into another page: it takes the width there is, and keeps its shape."""
    style = f"width:100%;max-width:{width}px;height:auto;aspect-ratio:{width}/{height};border:0"
    return (
        f'<iframe src="{escape(embedded.url)}" title="{escape(embedded.title)}" width="{width}" height="{height}" '
        f'style="{style}" allow="fullscreen; picture-in-picture" loading="lazy" allowfullscreen></iframe>'
    )


def oembed_response(
    embedded: Embedded, *, maxwidth: int | None = None, maxheight: int | None = None
) -> dict[str, str | int]:
    """Return the answer of type `video`; a thumbnail is in it if one is small enough (oembed.com, 2.3.4)."""
    width, height = size(embedded.ratio, maxwidth=maxwidth, maxheight=maxheight)
    fields: dict[str, str | int] = {
        "version": "1.0",
        "type": "video",
        "title": embedded.title,
        "provider_name": embedded.provider,
        "provider_url": embedded.provider_url,
        "cache_age": CACHE_SECONDS,
        "html": snippet(embedded, width, height),
        "width": width,
        "height": height,
    }
    fitting = [
        thumbnail
        for thumbnail in embedded.thumbnails
        if thumbnail.width <= (maxwidth or thumbnail.width) and thumbnail.height <= (maxheight or thumbnail.height)
    ]
    if fitting:
        largest = max(fitting, key=lambda thumbnail: thumbnail.width)
        fields |= {
            "thumbnail_url": largest.url,
            "thumbnail_width": largest.width,
            "thumbnail_height": largest.height,
        }
    return fields


def to_xml(fields: Mapping[str, str | int]) -> bytes:
    """Return an answer as XML."""
    root = Xml.Element("oembed")
    for name, value in fields.items():
        Xml.SubElement(root, name).text = str(value)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))
