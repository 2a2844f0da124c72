"""The film that ships is what the page says it is."""

import json
import re
import subprocess

import numpy as np
import pytest

from campaign.film.captions import cues
from campaign.film.default_film import DEFAULT_FILM, FOLDER, LANGUAGES
from campaign.film.selection import add_texts
from tests import services

pytestmark = pytest.mark.slow

MB = 1_000_000
CODECS = {"video/mp4": ["aac", "h264"], "video/webm": ["av1", "opus"]}
LEVELS = {"h264": {"1e": 30, "1f": 31, "28": 40}, "av1": {"04M": 4, "05M": 5, "08M": 8}}
SHOWN = add_texts(DEFAULT_FILM, FOLDER)

needs_ffmpeg = pytest.mark.skipif(services.why_no_ffmpeg() is not None, reason=str(services.why_no_ffmpeg()))


def probed(path) -> dict:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", FOLDER / path]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@needs_ffmpeg
@pytest.mark.parametrize("source", DEFAULT_FILM.sources, ids=lambda source: source.path)
def test_a_source_is_what_its_type_says(source):
    found = probed(source.path)
    picture = next(stream for stream in found["streams"] if stream["codec_type"] == "video")
    assert sorted(stream["codec_name"] for stream in found["streams"]) == CODECS[source.type.partition(";")[0]]
    assert picture["height"] == source.height
    assert picture["width"] == round(source.height * DEFAULT_FILM.width / DEFAULT_FILM.height / 2) * 2
    level = re.search(r'codecs="av(?:c1\.6400|01\.0\.)(\w+)', source.type)[1]
    assert picture["level"] == LEVELS[picture["codec_name"]][level]
    assert float(found["format"]["duration"]) == pytest.approx(DEFAULT_FILM.seconds, abs=0.1)


@needs_ffmpeg
def test_the_score_is_as_loud_as_other_films_on_the_web():
    path = FOLDER / DEFAULT_FILM.sources[-1].path
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1]) == pytest.approx(-16, abs=0.3)
    assert float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", told)[-1]) <= -1


@needs_ffmpeg
def test_nothing_flashes():
    """WCAG 2.3.1: no part of the picture gets brighter and darker by a tenth more than three times within a second."""
    light = luminances(FOLDER / DEFAULT_FILM.sources[1].path)
    assert light.shape[0] == DEFAULT_FILM.seconds * 24
    assert max(flashes(light[start : start + 24]) for start in range(0, len(light) - 24, 6)) <= 3


def test_a_flash_is_noticed():
    blinking = np.tile([0.0, 0.0, 0.3, 0.3], 6)[:, None, None] * np.ones((1, 27, 48))
    assert flashes(blinking) > 3


def luminances(path) -> np.ndarray:
    """Return the relative luminance (0 to 1) of each frame, 48 by 27 pixels."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-vf", "scale=48:27:flags=area", "-f", "rawvideo"]
    raw = subprocess.run([*command, "-pix_fmt", "gray", "-"], capture_output=True, check=True).stdout
    return (np.frombuffer(raw, np.uint8).reshape(-1, 27, 48) / 255) ** 2.2


def flashes(second: np.ndarray) -> int:
    """Return how often the pixel that changes most goes up and down by a tenth within these frames."""
    turns, extreme, way = np.zeros(second[0].shape, int), second[0].copy(), np.zeros(second[0].shape)
    for now in second[1:]:
        change = now - extreme
        turned = (np.abs(change) >= 0.1) & (np.sign(change) != way)
        turns += turned
        way = np.where(turned, np.sign(change), way)
        extreme = np.where(turned | (np.sign(change) == way), now, extreme)
    return int(turns.max() // 2)


@pytest.mark.parametrize("source", DEFAULT_FILM.sources, ids=lambda source: source.path)
def test_a_source_can_play_before_it_is_whole(source):
    content = (FOLDER / source.path).read_bytes()
    if source.path.endswith(".mp4"):
        assert 0 < content.index(b"moov") < content.index(b"mdat")
    else:
        assert content.startswith(b"\x1aE\xdf\xa3")


def test_the_smallest_is_small_and_all_together_are_bearable():
    sizes = {source: (FOLDER / source.path).stat().st_size for source in DEFAULT_FILM.sources}
    assert min(sizes.values()) < 1.5 * MB
    assert sum(sizes.values()) < 16 * MB


def test_every_file_of_the_folder_is_named_by_the_film():
    named = {source.path for source in DEFAULT_FILM.sources} | {picture.path for picture in DEFAULT_FILM.posters}
    for texts in (DEFAULT_FILM.captions, DEFAULT_FILM.chapters, DEFAULT_FILM.descriptions, DEFAULT_FILM.transcripts):
        named |= set(texts.values())
    assert {path.name for path in FOLDER.iterdir()} == named


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_there_in_every_language_and_within_the_film(language):
    for texts in (DEFAULT_FILM.captions, DEFAULT_FILM.chapters, DEFAULT_FILM.descriptions):
        found = cues((FOLDER / texts[language]).read_bytes(), seconds=DEFAULT_FILM.seconds)
        assert all(cue.end <= DEFAULT_FILM.seconds * 1000 for cue in found)
    assert len(SHOWN.chapters[language]) == 5
    assert len(SHOWN.transcripts[language]) == 8


def test_captions_in_other_languages_also_say_what_is_written_in_the_picture():
    heard = {language: (FOLDER / DEFAULT_FILM.captions[language]).read_text().count("-->") for language in LANGUAGES}
    assert heard.pop("en") == 7
    assert set(heard.values()) == {12}


def test_no_language_has_the_words_of_another():
    transcripts = {(FOLDER / path).read_text() for path in DEFAULT_FILM.transcripts.values()}
    assert len(transcripts) == len(LANGUAGES)
