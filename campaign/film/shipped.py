"""The film that ships with the campaign."""

from campaign.config import ROOT
from campaign.film.film import Film, Picture, Source

FOLDER = ROOT / "static" / "film"

SHIPPED = Film(
    name="love-always-wins",
    width=1280,
    height=720,
    seconds=16,
    sources=(
        Source("love-always-wins.webm", 'video/webm; codecs="vp9, opus"', 720),
        Source("love-always-wins.mp4", 'video/mp4; codecs="avc1.64001f, mp4a.40.2"', 720),
    ),
    posters=(Picture("poster.webp", "image/webp", 1280), Picture("poster.jpg", "image/jpeg", 1280)),
    preview="poster.jpg",
    captions={"en": "love-always-wins.en.vtt"},
)
