"""Importing a film: checks, then the parts one after the other, then the manifest that publishes them.

An import that is killed leaves its finished parts in a draft, and the next one continues from there.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from campaign.errors import FilmError
from campaign.film import library
from campaign.film.importer import encode, ffmpeg, pipeline
from campaign.film.importer.pipeline import Job, Part
from campaign.film.importer.probe import probe_file
from campaign.film.library import Manifest
from campaign.film.tracks import TrackFiles

ReportProgress = Callable[[str, float], None]  # label of the current part, and progress of the whole import (0 to 1)

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Import:
    """An import that passed its checks: its job, its name, and its tracks by path."""

    name: str
    job: Job
    sha256: str
    texts: TrackFiles
    contents: dict[str, str]

    @property
    def media(self) -> str:
        """The version of everything but the texts: the same source, made in the same way, is the same."""
        part_names = ",".join(part.name for part in pipeline.parts(self.job))
        pictures = ",".join(sorted({"libwebp", "libaom-av1"} & self.job.encoders))
        return _digest(self.sha256, str(encode.RECIPE), part_names, pictures)

    @property
    def version(self) -> str:
        """The version of everything."""
        return _digest(self.media, self.texts.language, *(f"{path}\0{self.contents[path]}" for path in self.contents))


def import_film(films: Path, source: Path, *, name: str, texts: TrackFiles, show: ReportProgress) -> Manifest:
    """Import the file `source` as the film `name`, publish it in `films`, and return its manifest.

    Raises `FilmError`; in that case the published version stays as it was.
    """
    library.require_name(name)
    with _translate_os_errors(films):
        encoders = ffmpeg.encoders()
        show("Checking", 0)
        probe = probe_file(source)
        contents = texts.checked(probe.seconds)
        with library.exclusive_lock(films, name) as home:
            sha256 = _sha256(source)
            draft = home / f".{_digest(sha256)}.part"
            job = Job(source, probe, encoders, draft)
            return _make(films, Import(name, job, sha256, texts, contents), show)


def _make(films: Path, request: Import, show: ReportProgress) -> Manifest:
    home, draft = films / request.name, request.job.folder
    published = _read_published(films, request.name)
    current = published if published and library.is_whole(home / published.version, published) else None
    if current and current.version == request.version:
        return current
    library.clear(home, draft.name, request.version, published.version if published else "")
    if published is None or published.version != request.version:  # a damaged version is not reused
        _roll_back(home, request)
    _prepare_draft(home, request, current)
    _require_room(request.job)
    _make_parts(request.job, show)
    show("Publishing", 0.99)
    _write_texts(request)
    manifest = library.with_poster(_manifest(request), _poster(request, current))
    shutil.rmtree(home / request.version, ignore_errors=True)
    draft.rename(home / request.version)
    library.sync(home)
    library.write(films, manifest)
    return manifest


def _read_published(films: Path, name: str) -> Manifest | None:
    try:
        return library.read(films, name)
    except FilmError:
        return None


def _roll_back(home: Path, request: Import) -> None:
    """Make a draft again of an import that was stopped just before it was published."""
    draft, version = request.job.folder, home / request.version
    if version.exists() and not draft.exists():
        version.rename(draft)


def _prepare_draft(home: Path, request: Import, current: Manifest | None) -> None:
    """Open the draft, and keep the usable parts of an interrupted import or of one with other tracks."""
    draft = request.job.folder
    stamp = draft / ".media"
    if draft.exists() and (not stamp.exists() or stamp.read_text() != request.media):
        shutil.rmtree(draft)
    draft.mkdir(exist_ok=True)
    stamp.write_text(request.media)
    if current and current.media == request.media:
        for part in pipeline.parts(request.job):
            _reuse_parts(home / current.version / part.name, draft / part.name)


def _reuse_parts(old: Path, new: Path) -> None:
    if not new.exists():
        with _atomic_folder(new) as draft:
            shutil.copytree(old, draft, copy_function=_link, dirs_exist_ok=True)


def _link(old: str, new: str) -> None:
    """Create a hard link to a file, or a copy if the file system has no links."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)


def _require_room(job: Job) -> None:
    there = sum(path.stat().st_size for path in job.folder.rglob("*") if path.is_file())
    needed, free = encode.required_bytes(job.probe) - there, shutil.disk_usage(job.folder).free
    if needed > free:
        raise FilmError(
            f"the import needs up to {_megabytes(needed)} MB, the disk has {_megabytes(free)} MB left; make room first"
        )


def _make_parts(job: Job, show: ReportProgress) -> None:
    done = 0.0
    for part in pipeline.parts(job):
        if not (job.folder / part.name).exists():
            show(part.label, done)
            _make_part(job, part, done, show)
        done += part.share * 0.98


def _make_part(job: Job, part: Part, done: float, show: ReportProgress) -> None:
    with _atomic_folder(job.folder / part.name) as draft:
        part.make(job, draft, lambda share: show(part.label, done + share * part.share * 0.98))


@contextmanager
def _atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the name `path` once all in it is on the disk."""
    draft = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    yield draft
    for inside in [*draft.rglob("*"), draft]:
        if not inside.stat().st_size and inside.is_file():  # ffmpeg can end well although nothing could be written
            raise FilmError(ffmpeg.DISK_FULL)
        inside.chmod(0o755 if inside.is_dir() else 0o644)
        library.sync(inside)
    draft.rename(path)
    library.sync(path.parent)


def _write_texts(request: Import) -> None:
    folder = request.job.folder
    shutil.rmtree(folder / "texts", ignore_errors=True)
    with _atomic_folder(folder / "texts") as draft:
        for path, content in request.contents.items():
            (draft / Path(path).name).write_text(content, encoding="utf-8", newline="\n")
    folder.chmod(0o755)


def _manifest(request: Import) -> Manifest:
    job = request.job
    film = request.texts.added_to(pipeline.describe_film(job, request.name))
    paths = sorted(path for path in job.folder.glob("[!.]*/**/*") if path.is_file())
    return Manifest(
        format=library.FORMAT,
        version=request.version,
        media=request.media,
        made_at=datetime.now(UTC).replace(microsecond=0),
        ffmpeg=ffmpeg.version(),
        source_sha256=request.sha256,
        poster=1,
        candidates=pipeline.candidates(job),
        notes=(*pipeline.notes(job), *request.texts.notes(job.probe.seconds)),
        film=film,
        files={str(path.relative_to(job.folder)): library.File(path.stat().st_size, _sha256(path)) for path in paths},
    )


def _poster(request: Import, current: Manifest | None) -> int:
    """Return the poster that was chosen before, where the pictures are the same."""
    return current.poster if current and current.media == request.media else 1


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def _megabytes(size: int) -> int:
    return -(-size // 1_000_000)


@contextmanager
def _translate_os_errors(films: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FilmError(ffmpeg.DISK_FULL) from None
        raise FilmError(f"{error.filename or films} cannot be used ({error.strerror}); check its owner") from None
