"""Writes the film's files with ffmpeg: the picture without loss, the score at its loudness, renditions, posters."""

import re
import subprocess
import sys
import wave
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from camera import HEIGHT, WIDTH
from picture import frame
from PIL import Image
from sound import RATE, mastered, score
from timeline import FPS, FRAMES

NAME = "two-lines-on-ice"
LOUDNESS = -16.0  # LUFS (EBU R 128)
POSTER = 684  # the frame shown before the film plays: the heart and the rainbow
FFMPEG = ("ffmpeg", "-y", "-nostdin", "-v", "error")
TAGS = (
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"),
    *("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
)
H264 = (
    *("-c:v", "libx264", "-profile:v", "high", "-preset", "slow", "-pix_fmt", "yuv420p", "-g", "96"),
    *("-x264-params", "aq-mode=3:ref=4"),  # more bits for the dark, where steps would show
    *("-c:a", "aac", "-b:a", "88k", "-movflags", "+faststart"),
)
AV1 = (
    *("-c:v", "libsvtav1", "-preset", "6", "-pix_fmt", "yuv420p10le", "-g", "120"),
    *("-c:a", "libopus", "-b:a", "64k"),
)
# Height, and the quality (CRF) of H.264 and of AV1.
RENDITIONS = ((480, 27, 36), (720, 29, 38), (1080, 30, 40))
# Grain would take most of the bits and turn into blocks. A temporal denoiser removes it without softening anything
# else; 10 bits prevent banding.
CLEAN = "format=yuv420p10le,hqdn3d=0:0:4:4"


def write_picture(path: Path) -> None:
    """Draw every frame and keep them without loss. Raises `RuntimeError` where ffmpeg cannot."""
    draft = path.with_name(f"unfinished-{path.name}")
    shape = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-")
    encoder = subprocess.Popen([*FFMPEG[:2], *FFMPEG[3:], *shape, "-c:v", "ffv1", draft], stdin=subprocess.PIPE)
    assert encoder.stdin is not None
    with Pool() as pool:
        for number, drawn in enumerate(pool.imap(_drawn, range(FRAMES), chunksize=2)):
            encoder.stdin.write(drawn)
            print(f"\rdrawing: {100 * (number + 1) // FRAMES} %", end="", file=sys.stderr)
    encoder.stdin.close()
    if encoder.wait():
        raise RuntimeError("ffmpeg could not write the picture")
    draft.replace(path)


def write_sound(path: Path) -> None:
    """Write the score as 16-bit samples, as loud as `LOUDNESS`."""
    raw, gain = score(), 0.0
    for _ in range(6):
        _write_wave(path, mastered(raw, gain))
        gain += LOUDNESS - loudness(path)


def loudness(path: Path) -> float:
    """Return the integrated loudness of a file in LUFS (EBU R 128)."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(path), "-af", "ebur128", "-f", "null", "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1])


def write_files(picture: Path, sound: Path, out: Path) -> None:
    """Write each rendition as H.264 with AAC (MP4) and as AV1 with Opus (WebM), all in one pass."""
    command = [*FFMPEG, "-i", picture, "-i", sound, "-filter_complex", _renditions()]
    for height, h264, av1 in RENDITIONS:
        for codec, quality, ending in ((H264, h264, "mp4"), (AV1, av1, "webm")):
            command += ["-map", f"[{ending}{height}]", "-map", "1:a", *TAGS, *codec, "-crf", quality]
            command += [out / f"{NAME}-{height}.{ending}"]
    subprocess.run([str(part) for part in command], check=True)


def _renditions() -> str:
    """Return the filters that make the picture in each size, twice."""
    sizes = "".join(f"[at{height}]" for height, *_ in RENDITIONS)
    chains = [f"[0:v]split={len(RENDITIONS)}{sizes}"]
    for height, *_ in RENDITIONS:
        scale = f"scale=-2:{height}:flags=lanczos:out_color_matrix=bt709:out_range=tv"
        chains.append(f"[at{height}]{scale},{CLEAN},split[mp4{height}][webm{height}]")
    return ";".join(chains)


def write_posters(out: Path) -> None:
    """Write the still shown before the film plays, in three formats and sizes, and the one for link previews."""
    still = Image.fromarray(frame(POSTER))
    for width, avif, webp, jpeg in ((640, 52, 62, 66), (960, 48, 62, 68), (1280, 46, 62, 68)):
        small = still.resize((width, width * 9 // 16), Image.Resampling.LANCZOS)
        small.save(out / f"poster-{width}.avif", quality=avif, speed=2)
        small.save(out / f"poster-{width}.webp", quality=webp, method=6)
        small.save(out / f"poster-{width}.jpg", quality=jpeg, optimize=True, progressive=True)


def _drawn(number: int) -> bytes:
    return np.ascontiguousarray(frame(number)).tobytes()


def _write_wave(path: Path, sound: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
