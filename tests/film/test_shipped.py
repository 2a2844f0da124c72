"""The film that ships is what the page says it is."""

import json
import subprocess

import pytest

from campaign.film.shipped import FOLDER, SHIPPED
from tests import services

CODECS = {"video/mp4": {"h264", "aac"}, "video/webm": {"vp9", "opus"}}


@pytest.mark.skipif(services.why_no_ffmpeg() is not None, reason=str(services.why_no_ffmpeg()))
@pytest.mark.parametrize("source", SHIPPED.sources, ids=lambda source: source.path)
def test_a_source_has_the_codecs_size_and_length_it_is_said_to_have(source):
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", FOLDER / source.path]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    picture = next(stream for stream in found["streams"] if stream["codec_type"] == "video")
    assert {stream["codec_name"] for stream in found["streams"]} == CODECS[source.type.partition(";")[0]]
    assert (picture["width"], picture["height"]) == (SHIPPED.width, SHIPPED.height)
    assert float(found["format"]["duration"]) == pytest.approx(SHIPPED.seconds, abs=0.1)


def test_the_mp4_can_play_before_it_is_whole():
    [path] = [source.path for source in SHIPPED.sources if source.path.endswith(".mp4")]
    content = (FOLDER / path).read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_captions_end_with_the_film():
    for path in SHIPPED.captions.values():
        text = (FOLDER / path).read_text()
        assert text.startswith("WEBVTT\n")
        assert text.count("-->") >= 5
        assert f"00:00:{SHIPPED.seconds:02}.000\n" in text
