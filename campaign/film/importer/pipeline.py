"""The parts of an imported film, each a folder that is created atomically."""

import json
import mmap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from campaign.errors import FilmError
from campaign.film.film import Film, Source, media_query
from campaign.film.importer import encode, ffmpeg, hls, posters
from campaign.film.importer.encode import Rendition
from campaign.film.importer.ffmpeg import Tick
from campaign.film.importer.probe import Probe, duration
from campaign.film.library import Candidate

_AV1_ENCODERS = {"libsvtav1", "libopus"}
_AV1_PIXELS = 64  # libsvtav1 takes no smaller side
_MOMENTS = "moments.json"
_MIN_COVERAGE = 0.9  # minimum share of an MP4's duration that its segments must cover


@dataclass(frozen=True, slots=True)
class Job:
    """A film to make: from `source`, which is as `probe` says, with `encoders`, into `folder` part by part."""

    source: Path
    probe: Probe
    encoders: frozenset[str]
    folder: Path

    @property
    def rungs(self) -> list[Rendition]:
        """The sizes, small ones first."""
        return encode.ladder(self.probe)

    def mp4(self, rung: Rendition) -> Path:
        """Return the path of the MP4 of a rendition."""
        return self.folder / "mp4" / f"{rung.name}.mp4"


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of files: its name, its progress label, its share of the work, and the function that makes it."""

    name: str
    label: str
    share: float
    make: Callable[[Job, Path, Tick], None]


def parts(job: Job) -> list[Part]:
    """Return the parts to make, in the order of their dependencies."""
    av1 = [Part("av1", "Encoding AV1", 0.3, _make_av1)] if _can_av1(job) else []
    return [
        Part("mp4", "Encoding H.264", 0.55, _make_mp4),
        *av1,
        Part("hls", "Cutting for HLS", 0.02, _make_hls),
        Part("posters", "Choosing posters", 0.1, _make_posters),
        Part("sprite", "Drawing the preview", 0.03, _make_sprite),
    ]


def notes(job: Job) -> list[str]:
    """Return a sentence for each omission or shortcoming of the import."""
    remarks = []
    if not _can_av1(job):
        remarks.append("AV1 was skipped: this ffmpeg lacks libsvtav1 or libopus, or the film is tiny. H.264 is used.")
    if job.probe.is_hdr:
        remarks.append(
            "The film has high dynamic range, and its colours were only converted. Import a graded SDR master."
        )
    if seconds := job.probe.silent_seconds:
        remarks.append(f"The sound ends {seconds:.1f} seconds before the picture; silence was added.")
    if seconds := job.probe.still_seconds:
        remarks.append(f"The picture ends {seconds:.1f} seconds before the sound; the last frame is held.")
    return remarks


def describe_film(job: Job, name: str) -> Film:
    """Return the film that the finished parts make, without posters and texts."""
    top = job.rungs[-1]
    return Film(
        name=name,
        width=top.width,
        height=top.height,
        seconds=round(duration(job.mp4(top)), 3),
        sources=tuple(_sources(job)),
        posters=(),
        preview="",
        hls="hls/master.m3u8",
        sprite="sprite/sprite.vtt",
    )


def candidates(job: Job) -> tuple[Candidate, ...]:
    """Return the posters to choose from, the best one first."""
    moments = json.loads((job.folder / "posters" / _MOMENTS).read_text())
    return tuple(_candidate(job, number, moment) for number, moment in enumerate(moments, start=1))


def _can_av1(job: Job) -> bool:
    rung = encode.av1_rendition(job.rungs)
    return job.encoders >= _AV1_ENCODERS and min(rung.width, rung.height) >= _AV1_PIXELS


def _make_mp4(job: Job, draft: Path, tick: Tick) -> None:
    ffmpeg.encode(encode.h264(job.source, job.probe, job.rungs), seconds=job.probe.seconds, folder=draft, tick=tick)
    for rung in job.rungs:
        _require_length(job, draft / f"{rung.name}.mp4")


def _make_av1(job: Job, draft: Path, tick: Tick) -> None:
    rung = encode.av1_rendition(job.rungs)
    ffmpeg.encode(encode.av1(job.source, job.probe, rung), seconds=job.probe.seconds, folder=draft, tick=tick)
    _require_length(job, draft / f"{rung.name}.mp4")


def _require_length(job: Job, result: Path) -> None:
    """Raise `FilmError` where the source could not be read to its end."""
    seconds, expected = duration(result), job.probe.seconds
    if seconds < expected - max(1, expected / 20):
        fault = f"only {seconds:.0f} of {expected:.0f} seconds could be read"
        raise FilmError(f"{job.source.name} is damaged: {fault}; was it copied completely?")


def _make_hls(job: Job, draft: Path, tick: Tick) -> None:
    variants = []
    for number, rung in enumerate(job.rungs, start=1):
        folder = draft / rung.name
        folder.mkdir()
        ffmpeg.encode(encode.hls(job.mp4(rung)), seconds=job.probe.seconds, folder=folder)
        variants.append(_variant(job, rung, folder))
        tick(number / len(job.rungs))
    (draft / "master.m3u8").write_text(hls.master_playlist(variants))


def _variant(job: Job, rung: Rendition, folder: Path) -> hls.Variant:
    segments = hls.segments((folder / "stream.m3u8").read_text())
    sizes = [((folder / name).stat().st_size, seconds) for name, seconds in segments]
    if sum(size for size, _ in sizes) < job.mp4(rung).stat().st_size * _MIN_COVERAGE:
        raise FilmError(ffmpeg.DISK_FULL)  # ffmpeg ends well although it could not write all
    peak, average = hls.bit_rates(sizes)
    address, spoken = f"{rung.name}/stream.m3u8", _codecs(job.mp4(rung))
    return hls.Variant(address, rung.width, rung.height, job.probe.fps, spoken, peak, average)


def _make_posters(job: Job, draft: Path, tick: Tick) -> None:
    small, top, seconds = job.mp4(job.rungs[0]), job.mp4(job.rungs[-1]), job.probe.seconds
    moments = posters.best_moments(ffmpeg.decode(posters.sample(small, seconds)), seconds)
    for number, moment in enumerate(moments, start=1):
        files = posters.poster_pictures(number, job.rungs[-1].width, job.encoders)
        options = posters.poster(top, moment, files, _preview(number), job.encoders)
        ffmpeg.encode(options, seconds=seconds, folder=draft)
        tick(number / len(moments))
    (draft / _MOMENTS).write_text(json.dumps(moments))


def _make_sprite(job: Job, draft: Path, _tick: Tick) -> None:
    smallest = job.rungs[0]
    sheets = posters.sheets(job.probe.seconds, smallest.width, smallest.height)
    ffmpeg.encode(sheets.options(job.mp4(smallest)), seconds=job.probe.seconds, folder=draft)
    (draft / "sprite.vtt").write_text(sheets.webvtt())


def _sources(job: Job) -> list[Source]:
    """Return the sources in the order to try: AV1, which is smaller, then H.264, small sizes for small screens."""
    light, top = encode.av1_rendition(job.rungs), job.rungs[-1]
    av1 = [_source(job, f"av1/{light.name}.mp4", light)] if _can_av1(job) else []
    smaller = [_source(job, f"mp4/{rung.name}.mp4", rung, media_query(rung.window)) for rung in job.rungs[:-1]]
    return [*av1, *smaller, _source(job, f"mp4/{top.name}.mp4", top)]


def _source(job: Job, path: str, rung: Rendition, media: str = "") -> Source:
    return Source(path, f'video/mp4; codecs="{_codecs(job.folder / path)}"', rung.height, media, rung.width)


def _codecs(path: Path) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return hls.codecs(content)


def _candidate(job: Job, number: int, moment: float) -> Candidate:
    files = posters.poster_pictures(number, job.rungs[-1].width, job.encoders)
    pictures = tuple(replace(file, path=f"posters/{file.path}") for file in files)
    return Candidate(round(moment, 3), pictures, f"posters/{_preview(number)}")


def _preview(number: int) -> str:
    return f"{number}-preview.jpg"
