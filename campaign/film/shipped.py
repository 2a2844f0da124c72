"""The film that ships with the campaign."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the film: its path under static/, and its media type with codecs (RFC 6381)."""

    path: str
    type: str


@dataclass(frozen=True, slots=True)
class Film:
    """A film as the page needs it: sizes in pixels, paths under static/, captions by language.

    `preview` is the same picture as `poster`, in a format that every network's link preview takes.
    """

    width: int
    height: int
    seconds: int
    poster: str
    preview: str
    sources: tuple[Source, ...]
    captions: dict[str, str]


SHIPPED = Film(
    width=1280,
    height=720,
    seconds=16,
    poster="film/poster.webp",
    preview="film/poster.jpg",
    sources=(
        Source("film/love-always-wins.webm", 'video/webm; codecs="vp9, opus"'),
        Source("film/love-always-wins.mp4", 'video/mp4; codecs="avc1.64001f, mp4a.40.2"'),
    ),
    captions={"en": "film/love-always-wins.en.vtt"},
)
