"""The film that ships with the campaign: "Two lines on ice", made by tools/film."""

from campaign.config.paths import STATIC
from campaign.core.languages import LANGUAGES
from campaign.film.film import Film, Picture, Source, media_query

FOLDER = STATIC / "film"

_AV1 = 'video/webm; codecs="av01.0.{level}.10, opus"'
_H264 = 'video/mp4; codecs="avc1.6400{level}, mp4a.40.2"'
_SMALL, _MIDDLE = media_query(600), media_query(1280)


def _paths_by_language(kind: str, ending: str) -> dict[str, str]:
    return {language: f"{kind}.{language}.{ending}" for language in LANGUAGES}


DEFAULT_FILM = Film(
    name="two-lines-on-ice",
    width=1920,
    height=1080,
    seconds=56,
    sources=(
        Source("two-lines-on-ice-480.webm", _AV1.format(level="04M"), 480, _SMALL, 854),
        Source("two-lines-on-ice-480.mp4", _H264.format(level="1e"), 480, _SMALL, 854),
        Source("two-lines-on-ice-720.webm", _AV1.format(level="05M"), 720, _MIDDLE, 1280),
        Source("two-lines-on-ice-720.mp4", _H264.format(level="1f"), 720, _MIDDLE, 1280),
        Source("two-lines-on-ice-1080.webm", _AV1.format(level="08M"), 1080, width=1920),
        Source("two-lines-on-ice-1080.mp4", _H264.format(level="28"), 1080, width=1920),
    ),
    posters=tuple(
        Picture(f"poster-{width}.{ending}", f"image/{kind}", width)
        for ending, kind in (("avif", "avif"), ("webp", "webp"), ("jpg", "jpeg"))
        for width in (640, 960, 1280)
    ),
    preview="poster-1280.jpg",
    captions=_paths_by_language("captions", "vtt"),
    chapters=_paths_by_language("chapters", "vtt"),
    descriptions=_paths_by_language("descriptions", "vtt"),
    transcripts=_paths_by_language("transcript", "txt"),
)
