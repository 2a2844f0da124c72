"""Poster candidates and the thumbnail sheet: their selection, layout and ffmpeg options."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

from campaign.film.film import Picture
from campaign.film.importer import ffmpeg

CANDIDATES = 5
POSTER_WIDTHS = (640, 1280)
PREVIEW_WIDTH = 1200
THUMB_SIDE = 160  # of the longer side
THUMB_SECONDS = 5
SAMPLE = (64, 36)  # size of the pictures that are judged
_SAMPLES = 200
_COLUMNS = 5
_MOST_ON_A_SHEET = 100
_EDGE = 0.04  # the film's first and last part, where it fades and names its makers
_DARK, _BRIGHT = 40, 215

_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
_STILL = "-frames:v 1 -map_metadata -1 -fflags +bitexact -flags:v +bitexact".split()
_SRGB = "out_color_matrix=bt601:out_range"  # the colour encoding of JPEG and WebP


def sample(film: Path, seconds: float) -> list[str]:
    """Return the options that write the film as small grey pictures, evenly spaced, one after the other."""
    scaled = f"fps={_SAMPLES}/{seconds:.3f},scale={SAMPLE[0]}:{SAMPLE[1]},format=gray"
    return [*ffmpeg.input_options(film), "-an", "-vf", scaled, "-f", "rawvideo"]


def best_moments(grey: bytes, seconds: float) -> list[float]:
    """Return the seconds of the best picture in each fifth of the film, the best of all first."""
    size = SAMPLE[0] * SAMPLE[1]
    scores = [_score(grey[at : at + size]) for at in range(0, len(grey) - size + 1, size)]
    edge = int(len(scores) * _EDGE)
    moments = range(edge, len(scores) - edge)
    fifth = max(ceil(len(moments) / CANDIDATES), 1)
    best = [max(moments[at : at + fifth], key=scores.__getitem__) for at in range(0, len(moments), fifth)]
    return [number * seconds / len(scores) for number in sorted(best, key=scores.__getitem__, reverse=True)]


def poster_pictures(number: int, width: int, encoders: frozenset[str]) -> list[Picture]:
    """Return the files of poster candidate `number` (from one) of a film of `width`: small first, light kinds first."""
    widths = sorted({min(width, candidate) for candidate in POSTER_WIDTHS})
    kinds = [kind for kind in _TYPES if _encoder(kind, encoders)]
    return [Picture(f"{number}-{wide}.{kind}", _TYPES[kind], wide) for wide in widths for kind in kinds]


def poster(film: Path, moment: float, pictures: Sequence[Picture], preview: str, encoders: frozenset[str]) -> list[str]:
    """Return the options that write `pictures` and the preview of one moment of `film`."""
    outputs = [_still(picture.path, picture.width, encoders) for picture in pictures]
    outputs.append(_still(preview, f"min({PREVIEW_WIDTH}\\,iw)", encoders))
    return ["-ss", f"{moment:.3f}", *ffmpeg.input_options(film), *(word for words in outputs for word in words)]


@dataclass(frozen=True, slots=True)
class Sheets:
    """The preview: `count` thumbnails of `width` × `height`, one for each `seconds / count` of the film."""

    seconds: float
    count: int
    width: int
    height: int

    @property
    def rows(self) -> int:
        """The rows of a sheet."""
        return ceil(min(self.count, _MOST_ON_A_SHEET) / _COLUMNS)

    def options(self, film: Path) -> list[str]:
        """Return the options that write the sheets as 1.jpg, 2.jpg …; each thumbnail is the middle of its time."""
        every = self.seconds / self.count
        selection = f"select=gte(t\\,(selected_n+0.5)*{every:.6f}),setpts=N/FRAME_RATE/TB"
        scaled = f"scale={self.width}:{self.height}:{_SRGB}=pc,setsar=1,format=yuvj420p"
        tiled = f"{selection},{scaled},tile={_COLUMNS}x{self.rows}"
        output = "-q:v 5 -f image2 -map_metadata -1 -fflags +bitexact -flags:v +bitexact".split()
        return [*ffmpeg.input_options(film), "-an", "-vf", tiled, "-c:v", "mjpeg", *output, "%d.jpg"]

    def webvtt(self) -> str:
        """Return which part of which sheet shows which time (W3C, Media Fragments URI 1.0)."""
        times = [round(number * self.seconds * 1000 / self.count) for number in range(self.count + 1)]
        cues = [f"\n{_clock(times[n])} --> {_clock(times[n + 1])}\n{self._place(n)}\n" for n in range(self.count)]
        return "WEBVTT\n" + "".join(cues)

    def _place(self, number: int) -> str:
        sheet, on_it = divmod(number, _COLUMNS * self.rows)
        row, column = divmod(on_it, _COLUMNS)
        return f"{sheet + 1}.jpg#xywh={column * self.width},{row * self.height},{self.width},{self.height}"


def sheets(seconds: float, width: int, height: int) -> Sheets:
    """Return the preview of a film of `width` × `height`: a thumbnail each five seconds, and ten of a short film."""
    count = max(round(seconds / THUMB_SECONDS), min(int(seconds), 2 * _COLUMNS), 1)
    scale = THUMB_SIDE / max(width, height)
    thumb_width, thumb_height = (max(round(side * scale / 2) * 2, 2) for side in (width, height))
    return Sheets(seconds, count, thumb_width, thumb_height)


def _score(picture: bytes) -> float:
    """Return how much a grey picture shows: its contrast, much less where it is all dark or all bright."""
    count = Counter(picture)
    mean = sum(grey * times for grey, times in count.items()) / len(picture)
    contrast = sqrt(sum((grey - mean) ** 2 * times for grey, times in count.items()) / len(picture))
    return contrast if _DARK <= mean <= _BRIGHT else contrast / 4


def _encoder(kind: str, encoders: frozenset[str]) -> str:
    """Return the encoder for a kind of picture, or nothing where this ffmpeg has none."""
    candidates = {"avif": ["libaom-av1"], "webp": ["libwebp"], "jpg": ["mjpeg"]}
    return next((name for name in candidates[kind] if name in encoders), "")


def _still(path: str, width: int | str, encoders: frozenset[str]) -> list[str]:
    kind = path.rpartition(".")[2]
    ways = {
        "avif": (f"{_SRGB}=tv".replace("bt601", "bt709"), "yuv420p", "-still-picture 1 -cpu-used 6 -crf 30 -f avif"),
        "webp": (f"{_SRGB}=tv", "yuv420p", "-quality 78 -f image2 -update 1"),
        "jpg": (f"{_SRGB}=pc", "yuvj420p", "-q:v 4 -f image2 -update 1"),
    }
    colours, pixels, options = ways[kind]
    scaled = f"scale={width}:-2:{colours},setsar=1,format={pixels}"
    return ["-an", "-vf", scaled, "-c:v", _encoder(kind, encoders), *options.split(), *_STILL, path]


def _clock(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"
