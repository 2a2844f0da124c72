"""What a film is to the page: its files, their sizes, its captions, chapters and transcripts."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Source:
    """One file to play: its path in the film's folder, its media type with codecs (RFC 6381), its size in pixels.

    `media` is the media query of the windows it is meant for; "" for all. `width` is 0 in manifests of old imports.
    """

    path: str
    type: str
    height: int
    media: str = ""
    width: int = 0


def media_query(max_width: int) -> str:
    """Return the media query of windows of at most `max_width` CSS pixels."""
    return f"(max-width: {max_width}px)"


@dataclass(frozen=True, slots=True)
class Picture:
    """One file of the poster: its path in the film's folder, its media type, its width in pixels."""

    path: str
    type: str
    width: int


@dataclass(frozen=True, slots=True)
class Film:
    """A film as the page plays it. Paths are relative to the film's folder; `dict`s are keyed by language.

    `width` and `height` are those of the largest source, in pixels. `sources` are in the order in which a browser
    should try them, `posters` in order of preference, small before large. `preview` is the poster as a JPEG, which
    every network accepts for link previews. `hls` is a master playlist (RFC 8216) and `sprite` a WebVTT file of
    thumbnails; both may be missing (""). `captions`, `chapters` and `descriptions` are WebVTT, `transcripts` UTF-8 text
    of both picture and sound. `language` is the one spoken or written in the film, `published` the day from which the
    page shows it.
    """

    name: str
    width: int
    height: int
    seconds: float
    sources: tuple[Source, ...]
    posters: tuple[Picture, ...]
    preview: str
    language: str = "en"
    published: date = date(2013, 11, 22)  # the time in which the page speaks
    hls: str = ""
    sprite: str = ""
    captions: dict[str, str] = field(default_factory=dict)
    chapters: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    transcripts: dict[str, str] = field(default_factory=dict)
