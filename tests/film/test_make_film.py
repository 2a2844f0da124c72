"""The program that made the film makes the same film again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from campaign.config.paths import ROOT
from campaign.film.default_film import FOLDER
from tests import services

pytestmark = pytest.mark.slow

TOOLS = ROOT / "tools" / "film"
FRAMES = json.loads((TOOLS / "frames.json").read_text())

# Drawn by a process of its own, since the tools are programs and no package.
DRAW = """
import hashlib, sys
from picture import frame
for number in map(int, sys.argv[1:]):
    print(number, hashlib.sha256(frame(number).tobytes()).hexdigest())
"""

DRAW_SMALL = """
import sys
from PIL import Image
from picture import frame
print(Image.fromarray(frame(int(sys.argv[1]))).resize((480, 270), Image.Resampling.BOX).tobytes().hex())
"""
SAMPLE = 684  # the frame compared


def python(code: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(TOOLS), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.long
def test_sample_frames_are_drawn_as_they_were():
    assert dict(line.split() for line in python(DRAW, *FRAMES).splitlines()) == FRAMES


def test_the_texts_are_those_that_ship(tmp_path: Path):
    python(
        "import sys; from pathlib import Path; from captions import write_texts; write_texts(Path(sys.argv[1]))",
        str(tmp_path),
    )
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(made) == 36
    assert made == {name: (FOLDER / name).read_bytes() for name in made}


@pytest.mark.skipif(services.why_no_ffmpeg() is not None, reason=str(services.why_no_ffmpeg()))
def test_the_shipped_picture_is_the_one_that_is_drawn():
    small = "scale=480:270:flags=area:out_range=pc"
    drawn = np.frombuffer(bytes.fromhex(python(DRAW_SMALL, str(SAMPLE))), np.uint8)
    command = ["ffmpeg", "-v", "error", "-i", FOLDER / "two-lines-on-ice-480.mp4", "-frames:v", "1"]
    command += ["-vf", f"select=eq(n\\,{SAMPLE}),{small}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    shipped = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)
    assert np.abs(drawn.astype(int) - shipped).mean() < 3
