"""Probing a source file: whether it is a film, its duration and size, and any corrections it needs."""

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from campaign.errors import FilmError
from campaign.film.importer import ffmpeg

MIN_SECONDS = 1.0
_FASTEST = Fraction(60)
_USUAL = [Fraction(n, d) for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001))]
_MISSING_SECONDS = 1.0  # or a twentieth of a long film: containers round, and name the length of other streams
_NOTICEABLE_SECONDS = 0.25
_INTERLACED = ("tt", "bb", "tb", "bt")
_HIGH_DYNAMIC_RANGE = ("smpte2084", "arib-std-b67")

_PACKET = re.compile(rb"(\d+),([\d.-]+|N/A),([\d.-]+|N/A),([\d.]+|N/A)")

Stream = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """A film as it came: `width` × `height` as shown (upright, square pixels), `video` and `audio` by stream number.

    `matrix` is how its colours are coded, in the words of ffmpeg's scaler. `still_seconds` is how much longer than the
    picture the sound lasts, `silent_seconds` the reverse; one of them is 0.
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
    still_seconds: float = 0
    silent_seconds: float = 0


def probe_file(path: Path) -> Probe:
    """Return the properties of the film at `path`. Raises `FilmError` if it is not a film, silent or truncated."""
    report = _run_ffprobe(path)
    streams: list[Stream] = report.get("streams", [])
    video = _select_streams(streams, "video")
    if video is None:
        raise FilmError(f"{path.name} has no video; is it the right file?")
    audio = _select_streams(streams, "audio")
    if audio is None:
        add = "-f lavfi -i anullsrc=r=48000:cl=stereo -map 0:v -map 1:a -c:v copy -c:a aac -shortest with-sound.mkv"
        advice = f"if it is meant to be silent, add a silent one: ffmpeg -i {path.name!r} {add}"
        raise FilmError(f"{path.name} has no audio track; {advice}")
    ends = _stream_ends(path, float(report["format"].get("start_time", 0)))
    _require_whole(path, report, ends)
    probe = _describe(ends.get(video["index"], 0), ends.get(audio["index"], 0), video, audio)
    if probe.seconds < MIN_SECONDS:
        raise FilmError(f"{path.name} is a still image or shorter than a second; is it the right file?")
    return probe


def duration(path: Path) -> float:
    """Return the duration of one of our files in seconds. Raises `FilmError`."""
    return float(_run_ffprobe(path)["format"].get("duration", 0))


def _run_ffprobe(path: Path) -> dict[str, Any]:
    options = ["-v", "error", "-of", "json", "-show_format", "-show_streams", *ffmpeg.input_options(path)]
    try:
        report = json.loads(ffmpeg.output(["ffprobe", *options]))
    except FilmError as error:
        if "not installed" in str(error):
            raise
        raise FilmError(f"{path.name} is not a readable film, or was not copied completely ({error})") from None
    return report if isinstance(report, dict) else {}


def _select_streams(streams: list[Stream], kind: str) -> Stream | None:
    """Return the stream that a player would play: the default one, else the first; never a cover picture."""
    able = [one for one in streams if one.get("codec_type") == kind and one.get("codec_name", "unknown") != "unknown"]
    able = [one for one in able if not one.get("disposition", {}).get("attached_pic")]
    return next((one for one in able if one.get("disposition", {}).get("default")), able[0] if able else None)


def _describe(picture: float, sound: float, video: Stream, audio: Stream) -> Probe:
    """Return the probe of a film whose `picture` and `sound` have these durations in seconds."""
    width, height = _display_size(video)
    matrix = video.get("color_space", "unknown")
    if matrix in ("unknown", "reserved", "unspecified"):  # assumed by players, but not by the scaler
        matrix = "bt709" if video["height"] > 576 else "smpte170m"
    return Probe(
        seconds=max(picture, sound),
        width=width,
        height=height,
        fps=_rate(video),
        video=video["index"],
        audio=audio["index"],
        channels=int(audio.get("channels", 2)),
        matrix=matrix if matrix in ("bt709", "smpte170m") else "auto",
        interlaced=video.get("field_order") in _INTERLACED,
        is_hdr=video.get("color_transfer") in _HIGH_DYNAMIC_RANGE,
        still_seconds=_noticeable(sound - picture),
        silent_seconds=_noticeable(picture - sound),
    )


def _noticeable(seconds: float) -> float:
    """Return a difference of lengths, and 0 where it is negative or as small as codecs make it."""
    return seconds if seconds >= _NOTICEABLE_SECONDS else 0


def _display_size(video: Stream) -> tuple[int, int]:
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


def _stream_ends(path: Path, start: float) -> dict[int, float]:
    """Return the seconds at which each stream ends, by its number, as found by reading the whole file.

    `start` is the time at which the file says that it begins. What a file says of its length can be missing (live
    recordings) or wrong (files that were not copied to their end).
    """
    ends: dict[int, float] = {}
    entries = "packet=stream_index,pts_time,dts_time,duration_time"

    def add(line: bytes) -> None:
        match = _PACKET.match(line)
        if match and (time := next((time for time in match.group(2, 3) if time != b"N/A"), None)):
            end = float(time) - start + (0 if match[4] == b"N/A" else float(match[4]))
            ends[int(match[1])] = max(ends.get(int(match[1]), 0), end)

    ffmpeg.iter_lines(
        ["ffprobe", "-v", "quiet", "-of", "csv=p=0", "-show_entries", entries, *ffmpeg.input_options(path)], add
    )
    return ends


def _require_whole(path: Path, report: dict[str, Any], ends: dict[int, float]) -> None:
    """Raise `FilmError` where the file says that it is longer than the part that can be read."""
    durations = [(float(report["format"].get("duration", 0)), max(ends.values(), default=0))]
    durations.extend(
        (float(stream.get("duration", 0)), ends[stream["index"]])
        for stream in report["streams"]
        if stream.get("codec_type") in ("video", "audio") and stream["index"] in ends
    )
    for seconds, readable in durations:
        if readable < seconds - max(_MISSING_SECONDS, seconds / 20):
            fault = f"only {readable:.0f} of {seconds:.0f} seconds can be read"
            raise FilmError(f"{path.name} is incomplete: {fault}; was it copied completely?")
