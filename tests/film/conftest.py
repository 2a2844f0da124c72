"""Small films made with ffmpeg, and imports of them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from campaign.film.importer.publish import import_film
from campaign.film.tracks import TrackFiles
from tests import services

SECONDS = 4
SOUND = f"sine=f=440:r=48000:d={SECONDS},volume=-12dB"
H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -b:a 96k".split()

Maker = Callable[..., Path]


@pytest.fixture(scope="session")
def make_film(tmp_path_factory) -> Maker:
    """Return what makes a film: of a size, with further options for ffmpeg, under a name."""
    if reason := services.why_no_ffmpeg():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("films")

    def make(name: str, *options: str, size: str = "320x180", rate: str = "24", seconds: float = SECONDS) -> Path:
        picture = f"testsrc2=s={size}:r={rate}:d={seconds}"
        inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", SOUND]
        ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", *H264, "-t", str(seconds), *options, str(folder / name))
        return folder / name

    return make


@pytest.fixture(scope="session")
def film_file(make_film) -> Path:
    """A film with a chapter and with metadata about its place, author and camera."""
    secrets = ["title=Secret", "artist=Ada", "location=+43.58+039.72/", "comment=Sochi"]
    tags = [word for tag in secrets for word in ("-metadata", tag)]
    streams = ["-metadata:s:v", "handler_name=Ada's camera", "-metadata:s:a", "title=Ada's microphone", "-timecode"]
    return make_film("film.mov", *tags, *streams, "01:02:03:04", size="1280x720")


@pytest.fixture
def films(tmp_path) -> Path:
    """Where films are imported to."""
    return tmp_path / "films"


@pytest.fixture(scope="session")
def library_of_one(film_file, tmp_path_factory) -> Path:
    """A folder of films with `sochi` in it, which tests only read."""
    films = tmp_path_factory.mktemp("library") / "films"
    import_film(films, film_file, name="sochi", texts=TrackFiles(), show=lambda *_: None)
    return films


def ffmpeg(*options: str) -> bytes:
    command = ["ffmpeg", "-v", "error", "-y", *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def described(path: Path) -> dict:
    """What ffprobe says of a file: its streams by kind, and its container."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", "-show_chapters", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {**found, **{stream["codec_type"]: stream for stream in found["streams"]}}
