"""What a file holds: whether it is a film, how long and large, and what must be set right."""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from campaign.errors import FilmError
from campaign.film import ffmpeg

SHORTEST_SECONDS = 1.0
_FASTEST = Fraction(60)
_USUAL = [Fraction(n, d) for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001))]
_TAIL_SECONDS = 2.0  # or a twentieth of a long film: sound may go on after the pictures
_INTERLACED = ("tt", "bb", "tb", "bt")
_HIGH_DYNAMIC_RANGE = ("smpte2084", "arib-std-b67")

Stream = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """A film as it came: `width` × `height` as shown (upright, square pixels), `video` and `audio` by stream number.

    `matrix` is how its colours are coded, in the words of ffmpeg's scaler.
    """

    seconds: float
    width: int
    height: int
    fps: Fraction
    video: int
    audio: int
    channels: int
    matrix: str = "auto"
    interlaced: bool = False
    is_hdr: bool = False


def probed(path: Path) -> Probe:
    """Return what the film at `path` is. Raises `FilmError` where it is none, or lacks sound, or its end."""
    found = _described(path)
    streams: list[Stream] = found.get("streams", [])
    video = _chosen(streams, "video")
    if video is None:
        raise FilmError(f"{path.name} has no video; is it the right file?")
    audio = _chosen(streams, "audio")
    if audio is None:
        raise FilmError(f"{path.name} has no audio track; {_silence(path)}")
    probe = _probe(_length(path, found), video, audio)
    if probe.seconds < SHORTEST_SECONDS:
        raise FilmError(f"{path.name} is a picture or shorter than a second; is it the right file?")
    _require_end(path, probe)
    return probe


def duration(path: Path) -> float:
    """Return the length of a file of ours in seconds. Raises `FilmError`."""
    return float(_described(path)["format"].get("duration", 0))


def _described(path: Path) -> dict[str, Any]:
    options = ["-v", "error", "-of", "json", "-show_format", "-show_streams", *ffmpeg.untrusted(path)]
    try:
        found = json.loads(ffmpeg.output(["ffprobe", *options]))
    except FilmError as error:
        if "not installed" in str(error):
            raise
        raise FilmError(f"{path.name} is no film that can be read, or not all of it was copied ({error})") from None
    return found if isinstance(found, dict) else {}


def _chosen(streams: list[Stream], kind: str) -> Stream | None:
    """Return the stream that a player would play: the default one, else the first; never a cover picture."""
    able = [one for one in streams if one.get("codec_type") == kind and one.get("codec_name", "unknown") != "unknown"]
    able = [one for one in able if not one.get("disposition", {}).get("attached_pic")]
    return next((one for one in able if one.get("disposition", {}).get("default")), able[0] if able else None)


def _probe(seconds: float, video: Stream, audio: Stream) -> Probe:
    width, height = _shown(video)
    matrix = video.get("color_space", "unknown")
    if matrix in ("unknown", "reserved", "unspecified"):  # what players then assume, and the scaler does not
        matrix = "bt709" if video["height"] > 576 else "smpte170m"
    return Probe(
        seconds=seconds,
        width=width,
        height=height,
        fps=_rate(video),
        video=video["index"],
        audio=audio["index"],
        channels=int(audio.get("channels", 2)),
        matrix=matrix if matrix in ("bt709", "smpte170m") else "auto",
        interlaced=video.get("field_order") in _INTERLACED,
        is_hdr=video.get("color_transfer") in _HIGH_DYNAMIC_RANGE,
    )


def _shown(video: Stream) -> tuple[int, int]:
    """Return width and height as shown: with square pixels, and upright."""
    pixel = _fraction(video.get("sample_aspect_ratio", "1:1").replace(":", "/")) or Fraction(1)
    width, height = round(video["width"] * pixel), video["height"]
    turns = [side.get("rotation", 0) for side in video.get("side_data_list", [])]
    return (height, width) if any(round(turn / 90) % 2 for turn in turns) else (width, height)


def _rate(video: Stream) -> Fraction:
    """Return pictures a second, constant, as near to the source as a usual rate is."""
    rate = _fraction(video.get("avg_frame_rate", "")) or _fraction(video.get("r_frame_rate", "")) or Fraction(25)
    near = min(_USUAL, key=lambda usual: abs(usual - rate))
    return near if abs(near - rate) < rate / 500 else min(rate.limit_denominator(1001), _FASTEST)


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text) or None
    except (ValueError, ZeroDivisionError):
        return None


def _length(path: Path, found: dict[str, Any]) -> float:
    """Return the length in seconds; where it is not written down, as in live recordings, by reading to the end."""
    if written := found.get("format", {}).get("duration"):
        return float(written)
    ends: list[float] = [0.0]
    copy = [*ffmpeg.untrusted(path), "-c", "copy", "-f", "null", "-"]
    ffmpeg.encode(copy, seconds=86_400, folder=Path.cwd(), tick=ends.append)
    return ends[-1] * 86_400


def _require_end(path: Path, probe: Probe) -> None:
    """Raise `FilmError` unless there are pictures near the end: else not all of the file was copied."""
    tail = max(_TAIL_SECONDS, probe.seconds / 20)
    near = ["-ss", f"{max(probe.seconds - tail, 0):.3f}", *ffmpeg.untrusted(path)]
    one = ["-map", f"0:{probe.video}", "-frames:v", "1", "-vf", "scale=16:16", "-f", "rawvideo", "-pix_fmt", "gray"]
    if not ffmpeg.decode([*near, *one]):
        raise FilmError(f"{path.name} has no pictures at its end; was all of it copied?")


def _silence(path: Path) -> str:
    add = "-f lavfi -i anullsrc=r=48000:cl=stereo -map 0:v -map 1:a -c:v copy -c:a aac -shortest with-sound.mkv"
    return f"if it is meant to be silent, add a silent one: ffmpeg -i {path.name!r} {add}"
