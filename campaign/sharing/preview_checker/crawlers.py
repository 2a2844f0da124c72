"""Reads a page like the crawlers of social networks, and reports each link preview with its faults."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin
from urllib.robotparser import RobotFileParser

from PIL import Image, UnidentifiedImageError

IMAGE_TYPES = ("image/png", "image/jpeg")  # which all of them show


@dataclass(frozen=True, slots=True)
class Crawler:
    """A network: the name its robot gives itself, how many bytes it reads, and the least size of a picture (pixels)."""

    name: str
    agent: str
    page_bytes: int
    picture_bytes: int
    least: tuple[int, int]


# WhatsApp: developers.facebook.com, Link previews. Facebook: the same, Sharing for webmasters: Images.
# X: developer.x.com, Player card. LinkedIn: its help, Make your website shareable. Telegram documents none: those of X.
CRAWLERS = (
    Crawler("WhatsApp", "WhatsApp/2.23.20.0", 300_000, 600_000, (300, 75)),
    Crawler(
        "Facebook",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        1_000_000,
        8_000_000,
        (200, 200),
    ),
    Crawler("X", "Twitterbot/1.0", 1_000_000, 5_000_000, (262, 262)),
    Crawler("Telegram", "TelegramBot (like TwitterBot)", 1_000_000, 5_000_000, (262, 262)),
    Crawler(
        "LinkedIn",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        1_000_000,
        5_000_000,
        (1200, 627),
    ),
)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a server answered: `location` is where it sent on to, if it did. Status 0: it cannot be reached."""

    status: int
    type: str = ""
    body: bytes = b""
    location: str = ""
    cut: bool = False


Fetch = Callable[[str, str, int], HttpResponse]
"""Gets an address as an agent, at most so many bytes."""


@dataclass(slots=True)
class Preview:
    """The preview of a page on one network, and its faults."""

    reader: Crawler
    url: str
    title: str = ""
    description: str = ""
    picture: str = ""
    faults: list[str] = field(default_factory=list)


class Head(HTMLParser):
    """What a page says of itself: its meta data, its canonical address, its addresses in other languages."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.canonical = ""
        self.languages: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect metadata from `tag`; the first of each kind counts."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta.setdefault(
                attributes.get("property") or attributes.get("name", ""), attributes.get("content", "")
            )
        elif tag == "link" and attributes.get("rel") == "canonical":
            self.canonical = attributes.get("href", "")
        elif tag == "link" and attributes.get("rel") == "alternate" and "hreflang" in attributes:
            self.languages[attributes["hreflang"]] = attributes.get("href", "")


def check_preview(url: str, reader: Crawler, fetch: Fetch) -> Preview:
    """Read the page at `url` as `reader` does; `fetch` gets addresses."""
    preview = Preview(reader, url)
    page = fetch(url, reader.agent, reader.page_bytes)
    if fault := _unreadable(page, ("text/html",)):
        preview.faults.append(f"the page {fault}")
        return preview
    head = Head(page.body.decode("utf-8", "replace"))
    preview.title, preview.description = head.meta.get("og:title", ""), head.meta.get("og:description", "")
    preview.faults += _faults_of_head(url, head)
    preview.faults += _faults_of_robots(url, head, reader, fetch)
    if picture := head.meta.get("og:image"):
        preview.picture, faults = _check_image(picture, head, reader, fetch)
        preview.faults += faults
    if video := head.meta.get("og:video"):
        fault = _unreadable(fetch(video, reader.agent, 1), (head.meta.get("og:video:type", ""),))
        preview.faults += [f"the video {fault}"] if fault else []
    return preview


def languages(url: str, fetch: Fetch) -> dict[str, str]:
    """Return the addresses of the page at `url` in each language that it names."""
    page = fetch(url, CRAWLERS[0].agent, CRAWLERS[0].page_bytes)
    urls = Head(page.body.decode("utf-8", "replace")).languages
    return {language: address for language, address in urls.items() if language != "x-default"}


def _unreadable(answer: HttpResponse, types: tuple[str, ...]) -> str:
    """Return why an answer cannot be shown, or ""."""
    if not answer.status:
        return "cannot be reached"
    if answer.location:
        return f"redirects to {answer.location}"
    if answer.status not in (200, 206):
        return f"answers {answer.status}"
    return "" if answer.type in types else f"is {answer.type or 'of no type'}, not {' or '.join(types)}"


def _faults_of_head(url: str, head: Head) -> Iterator[str]:
    for name in ("og:title", "og:description", "og:image", "og:url", "og:type", "og:locale", "twitter:card"):
        if not head.meta.get(name):
            yield f"{name} is missing"
    for name, address in (("og:url", head.meta.get("og:url")), ("the canonical URL", head.canonical)):
        if address and address != url:
            yield f"{name} is {address}"
    if "noindex" in head.meta.get("robots", ""):
        yield "the page says noindex"


def _faults_of_robots(url: str, head: Head, reader: Crawler, fetch: Fetch) -> Iterator[str]:
    answer = fetch(urljoin(url, "/robots.txt"), reader.agent, reader.page_bytes)
    robots = RobotFileParser()
    robots.parse(answer.body.decode("utf-8", "replace").splitlines() if answer.status == 200 else [])
    for what, address in (("page", url), ("image", head.meta.get("og:image"))):
        if address and not robots.can_fetch(reader.agent, address):
            yield f"robots.txt keeps {reader.name} from the {what}"


def _check_image(address: str, head: Head, reader: Crawler, fetch: Fetch) -> tuple[str, list[str]]:
    """Return a description of the image (size, bytes) and its faults."""
    answer = fetch(address, reader.agent, reader.picture_bytes)
    if fault := _unreadable(answer, IMAGE_TYPES):
        return "", [f"the image {fault}"]
    if answer.cut:
        return "", [f"the image has more than {reader.picture_bytes:,} bytes"]
    try:
        width, height = Image.open(io.BytesIO(answer.body)).size
    except UnidentifiedImageError:
        return "", ["the image cannot be read"]
    faults = []
    if width < reader.least[0] or height < reader.least[1]:
        faults.append(f"the image is {width}x{height}, {reader.name} wants {reader.least[0]}x{reader.least[1]} or more")
    declared = head.meta.get("og:image:width"), head.meta.get("og:image:height")
    if declared != (str(width), str(height)):
        faults.append(f"the image is {width}x{height}, the page says {declared[0]}x{declared[1]}")
    return f"{width}x{height}, {len(answer.body):,} bytes", faults
