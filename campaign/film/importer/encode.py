"""The renditions of a film, and the ffmpeg options for each file. Nothing is run here."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from campaign.film.importer import ffmpeg
from campaign.film.importer.probe import Probe

RECIPE = 2  # increase it when a change below alters the files, so that earlier ones are not reused
SEGMENT_SECONDS = 6
_FPS_WITHOUT_GAP = 20  # two pictures
_GROUP_SECONDS = 2  # a picture that needs no other, to begin or switch at: three groups are a segment

# No metadata of the source, which can contain the place, the camera and the names of the crew, and none of ours.
_BARE = "-map_metadata -1 -map_chapters -1 -sn -dn -fflags +bitexact -flags:v +bitexact -flags:a +bitexact".split()
_BT709 = "-color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv".split()
_NEW_SOUND = "aresample=async=1:first_pts=0"  # gaps become silence, so that sound and picture stay together
_CLOSE = 0.85  # two sizes nearer than this are one


@dataclass(frozen=True, slots=True)
class Rendition:
    """A size of the film, how much it may take (kbit/s), and the widest window it is for (CSS pixels; 0 for any)."""

    width: int
    height: int
    most: int
    window: int = 0

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{min(self.width, self.height)}p"


@dataclass(frozen=True, slots=True)
class _Box:
    """What a rung fits into, by its long and its short side, so that upright films and wide ones get as much.

    `window` is the widest window that such a size is enough for, where the film is at least as wide.
    """

    long: int
    short: int
    most: int
    window: int = 0


_BOXES = (_Box(854, 480, 1400, window=600), _Box(1280, 720, 3200, window=1280), _Box(1920, 1080, 6000))


def ladder(probe: Probe) -> list[Rendition]:
    """Return the sizes to make, small ones first: up to the source's own, never above it, and no two alike."""
    top = min(1.0, _scale(probe, _BOXES[-1]))
    lower = [box for box in _BOXES if _scale(probe, box) < top * _CLOSE]
    rungs = [*(_rendition(probe, _scale(probe, box), box.window) for box in lower), _rendition(probe, top)]
    return list({rung.name: rung for rung in rungs}.values())  # slivers differ in length only


def av1_rendition(rungs: Sequence[Rendition]) -> Rendition:
    """Return the size for AV1: the largest that is encoded in time."""
    fitting = [rung for rung in rungs if min(rung.width, rung.height) <= 720 and max(rung.width, rung.height) <= 1280]
    return fitting[-1] if fitting else rungs[0]


def required_bytes(probe: Probe) -> int:
    """Return the maximum size of all files: each MP4, the same as HLS, and as much again for AV1 and images."""
    kbits = sum(rung.most + 160 for rung in ladder(probe))
    return int(probe.seconds * kbits * 1000 / 8 * 3) + 20_000_000


def h264(source: Path, probe: Probe, rungs: Sequence[Rendition]) -> list[str]:
    """Return the options that write each rung as NAME.mp4, decoding the source once."""
    split = "".join(f"[v{number}]" for number in range(len(rungs)))
    scaled = [f"[v{number}]{_scale_filter(probe, rung)}[o{number}]" for number, rung in enumerate(rungs)]
    graph = ";".join([f"[0:{probe.video}]{_constant_rate(probe)},split={len(rungs)}{split}", *scaled])
    outputs = [_h264_output(probe, rung, number) for number, rung in enumerate(rungs)]
    return [*_input_options(source), "-filter_complex", graph, *(word for words in outputs for word in words)]


def av1(source: Path, probe: Probe, rung: Rendition) -> list[str]:
    """Return the options that write one rung as NAME.mp4 with AV1 and Opus."""
    picture = f"-c:v libsvtav1 -preset 10 -crf 36 -g {_group(probe) * 2} -svtav1-params lp={_threads()}".split()
    sound = ["-c:a", "libopus", "-b:a", "64k" if probe.channels == 1 else "112k", *_channels(probe)]
    filters = ["-vf", f"{_constant_rate(probe)},{_scale_filter(probe, rung)}", "-af", _sound(probe)]
    streams = ["-map", f"0:{probe.video}", "-map", f"0:{probe.audio}"]
    return [*_input_options(source), *streams, *filters, *picture, *_BT709, *sound, *_mp4(rung)]


def hls(rendition: Path) -> list[str]:
    """Return the options that segment one of our MP4s, with a playlist `stream.m3u8`, without encoding."""
    cut = f"-f hls -hls_time {SEGMENT_SECONDS} -hls_playlist_type vod -hls_segment_type fmp4".split()
    naming = ["-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", "%04d.m4s"]
    source = [*ffmpeg.input_options(rendition), "-map", "0:v", "-map", "0:a", "-c", "copy"]
    return [*source, *_BARE, *cut, *naming, "-hls_flags", "independent_segments", "stream.m3u8"]


def _input_options(source: Path) -> list[str]:
    return ["-threads", str(_threads()), *ffmpeg.input_options(source)]


def _h264_output(probe: Probe, rung: Rendition, number: int) -> list[str]:
    preset = "veryfast" if rung.most > 4000 else "faster"  # two minutes of 1080p must not take six
    rate = f"-c:v libx264 -preset {preset} -profile:v high -crf 21 -maxrate {rung.most}k -bufsize {rung.most * 2}k"
    group = _group(probe)
    # Pictures that are stored out of order leave a gap at the start of a stream; one above 0.1 s makes WebKit hang.
    ahead = 3 if probe.fps >= _FPS_WITHOUT_GAP else 0
    groups = f"-bf {ahead} -g {group} -keyint_min {group} -sc_threshold 0 -flags:v +cgop+bitexact -threads {_threads()}"
    sound = ["-c:a", "aac", "-b:a", "96k" if probe.channels == 1 else "128k", *_channels(probe), "-af", _sound(probe)]
    streams = ["-map", f"[o{number}]", "-map", f"0:{probe.audio}"]
    return [*streams, *rate.split(), *groups.split(), *_BT709, *sound, *_mp4(rung)]


def _mp4(rung: Rendition) -> list[str]:
    return [*_BARE, "-movflags", "+faststart", "-write_tmcd", "0", "-f", "mp4", f"{rung.name}.mp4"]


def _channels(probe: Probe) -> list[str]:
    return ["-ac", str(min(probe.channels, 2)), "-ar", "48000"]


def _constant_rate(probe: Probe) -> str:
    """Return the filters that make pictures whole, evenly spaced, from zero to the end of the sound."""
    whole = "yadif=deint=interlaced," if probe.interlaced else ""
    still = f",tpad=stop_mode=clone:stop_duration={probe.still_seconds:.3f}" if probe.still_seconds else ""
    return f"{whole}fps={probe.fps.numerator}/{probe.fps.denominator}:start_time=0{still}"


def _sound(probe: Probe) -> str:
    """Return the filters that make sound last as long as the picture.

    Browsers that play HLS by Media Source Extensions stop where one of the two ends.
    """
    return f"{_NEW_SOUND},apad=whole_dur={probe.seconds:.3f}" if probe.silent_seconds else _NEW_SOUND


def _scale_filter(probe: Probe, rung: Rendition) -> str:
    """Return the filters that make the size, and colours as every browser shows them (BT.709, 8 bits)."""
    colours = f"in_color_matrix={probe.matrix}:out_color_matrix=bt709:out_range=tv"
    return f"scale={rung.width}:{rung.height}:flags=bicubic:{colours},setsar=1,format=yuv420p"


def _group(probe: Probe) -> int:
    """Return the pictures of a group: never less than its seconds, so that three always fill a segment."""
    return ceil(probe.fps * _GROUP_SECONDS)


def _scale(probe: Probe, box: _Box) -> float:
    long, short = max(probe.width, probe.height), min(probe.width, probe.height)
    return min(box.long / long, box.short / short)


def _rendition(probe: Probe, scale: float, window: int = 0) -> Rendition:
    width, height = _round_to_even(probe.width, scale), _round_to_even(probe.height, scale)
    most = next((box.most for box in _BOXES if width * height <= box.long * box.short), _BOXES[-1].most)
    return Rendition(width, height, most, min(window, width))


def _round_to_even(length: int, scale: float) -> int:
    """Return the length nearest to `length * scale` that 4:2:0 pictures can have, not above `length`."""
    return max(min(round(length * scale / 2), length // 2) * 2, 2)


def _threads() -> int:
    """Return how many cores to use: more than four cost memory and win little."""
    return max(1, min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4))
