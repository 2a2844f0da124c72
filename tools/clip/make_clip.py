"""Makes the clip that ships with the campaign: picture, sound, captions, poster.

Needs ffmpeg, and numpy and Pillow from the development requirements:  python tools/clip/make_clip.py
"""

import argparse
import subprocess
import tempfile
import wave
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from canvas import H, W
from picture import frame
from PIL import Image
from sound import RATE, score
from story import DURATION, FPS, SOUNDS, WORDS

NAME = "love-always-wins"
POSTER_AT = 5.9  # seconds: the two are as near as they ever will be
HD = "scale=out_color_matrix=bt709:out_range=tv"  # else players shift the colours
TAGS = (
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"),
    *("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
)
FFMPEG = ("ffmpeg", "-y", "-v", "error")
MP4 = (
    *("-c:v", "libx264", "-profile:v", "high", "-preset", "slow", "-crf", "22", "-pix_fmt", "yuv420p"),
    *("-x264-params", "aq-mode=3"),  # more bits for the dark, where steps would show
    *("-c:a", "aac", "-b:a", "112k", "-movflags", "+faststart"),
)
WEBM = (
    *("-c:v", "libvpx-vp9", "-crf", "36", "-b:v", "0", "-row-mt", "1", "-cpu-used", "2", "-pix_fmt", "yuv420p"),
    *("-c:a", "libopus", "-b:a", "80k"),
)


def main() -> None:
    """Make all files in the folder that is named."""
    parser = argparse.ArgumentParser(description="Makes the clip that ships with the campaign.")
    parser.add_argument("--out", type=Path, default=Path("static/film"), help="folder (default: %(default)s)")
    out: Path = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        picture, sound = Path(folder) / "picture.mkv", Path(folder) / "sound.wav"
        write_picture(picture)
        write_sound(sound)
        both = (*FFMPEG, "-i", picture, "-i", sound, "-vf", HD, *TAGS)
        subprocess.run([*both, *MP4, out / f"{NAME}.mp4"], check=True)
        subprocess.run([*both, *WEBM, out / f"{NAME}.webm"], check=True)
    write_posters(out)
    (out / f"{NAME}.en.vtt").write_text(captions(), encoding="utf-8")


def write_picture(path: Path) -> None:
    """Draw every frame and keep them without loss."""
    shape = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{W}x{H}", "-r", str(FPS), "-i", "-")
    encoder = subprocess.Popen([*FFMPEG, *shape, "-c:v", "ffv1", path], stdin=subprocess.PIPE)
    assert encoder.stdin is not None
    with Pool() as pool:
        for drawn in pool.imap(_drawn, range(int(DURATION * FPS)), chunksize=4):
            encoder.stdin.write(drawn)
    encoder.stdin.close()
    if encoder.wait():
        raise RuntimeError("ffmpeg could not write the picture")


def write_sound(path: Path) -> None:
    """Write the score as 16-bit samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((score() * 32767).astype("<i2").tobytes())


def write_posters(out: Path) -> None:
    """Write the still shown before the clip plays, in three formats."""
    still = Image.fromarray(frame(POSTER_AT, 0))
    still.save(out / "poster.jpg", quality=80, optimize=True, progressive=True)
    still.save(out / "poster.webp", quality=72, method=6)


def captions() -> str:
    """Return what is heard and what is written, as WebVTT."""
    said = [(sound.start, sound.end, sound.text) for sound in SOUNDS]
    said += [(words.start, min(words.end, DURATION), "\n".join(words.lines)) for words in WORDS]
    cues = [f"{_clock(start)} --> {_clock(end)}\n{text}\n" for start, end, text in sorted(said)]
    return "\n".join(["WEBVTT\n", *cues])


def _drawn(number: int) -> bytes:
    return np.ascontiguousarray(frame(number / FPS, number)).tobytes()


def _clock(seconds: float) -> str:
    return f"00:{int(seconds // 60):02}:{seconds % 60:06.3f}"


if __name__ == "__main__":
    main()
