"""The imported films: their folders, manifests and versions.

`films/NAME/manifest.json` names the version that plays; `films/NAME/VERSION/` contains its files. A version never
changes: publishing replaces the manifest atomically.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from campaign.core.atomic_files import atomic_write
from campaign.errors import FilmError
from campaign.film.film import Film, Picture, Source

FORMAT = 1
MANIFEST = "manifest.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_RESERVED_NAMES = ("youtube", "vimeo")
_MEDIA = (".m3u8", ".m4s", ".mp4", ".webm")
_VERSION = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A poster to choose from: the second of the film that it shows, and its files."""

    seconds: float
    pictures: tuple[Picture, ...]
    preview: str


@dataclass(frozen=True, slots=True)
class File:
    """One file of a version: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of an imported film. `media` is the version without its tracks; `poster` counts from 1."""

    format: int
    version: str
    media: str
    made_at: datetime
    ffmpeg: str
    source_sha256: str
    poster: int
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]
    film: Film
    files: dict[str, File]


_MANIFEST = TypeAdapter(Manifest)


def load_film(films: Path, name: str, *, has_media: bool = True) -> tuple[Film, Path]:
    """Return the film `name` and the folder its paths are relative to. Raises `FilmError` if missing or damaged.

    Without `has_media`, the files to play may be elsewhere.
    """
    manifest = read(films, name)
    folder = films / name / manifest.version
    for path, file in manifest.files.items():
        if (has_media or not is_media(path)) and not _is_whole(folder / path, file):
            raise FilmError(f"the film {name!r} is damaged ({path} is missing or cut); {_import_advice(name)}")
    return replace(manifest.film, published=manifest.made_at.date(), sources=_add_widths(manifest.film)), folder


def is_media(path: str) -> bool:
    """Return whether the file at `path` is one to play: large, and nothing that the page itself shows."""
    return path.endswith(_MEDIA)


def names(films: Path) -> list[str]:
    """Return the names of the films that were imported."""
    return sorted(path.parent.name for path in films.glob(f"*/{MANIFEST}") if _is_name(path.parent.name))


def read(films: Path, name: str) -> Manifest:
    """Return the manifest of the film `name`. Raises `FilmError` if it is missing or damaged."""
    try:
        manifest = _MANIFEST.validate_json((films / require_name(name) / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise FilmError(f"unknown film {name!r}; {_import_advice(name)}") from None
    except OSError as error:
        raise FilmError(
            f"the film {name!r} cannot be read ({error.strerror}); give the server read access to {films}"
        ) from None
    except ValidationError:
        raise FilmError(f"the manifest of the film {name!r} is damaged; {_import_advice(name)}") from None
    is_inside = not any(path.startswith("/") or ".." in path.split("/") for path in manifest.files)
    if manifest.format != FORMAT or not _VERSION.fullmatch(manifest.version) or not is_inside:
        raise FilmError(f"the manifest of the film {name!r} belongs to another release; {_import_advice(name)}")
    return manifest


def choose_poster(films: Path, name: str, number: int) -> None:
    """Use candidate `number` (from 1) as the poster of the film `name`. Raises `FilmError`."""
    with exclusive_lock(films, name):
        manifest = read(films, name)
        if not 1 <= number <= len(manifest.candidates):
            raise FilmError(f"the film {name!r} has posters 1 to {len(manifest.candidates)}; choose one of them")
        write(films, with_poster(manifest, number))


def with_poster(manifest: Manifest, number: int) -> Manifest:
    """Return the manifest with candidate `number` as its poster."""
    candidate = manifest.candidates[number - 1]
    film = replace(manifest.film, posters=candidate.pictures, preview=candidate.preview)
    return replace(manifest, poster=number, film=film)


def write(films: Path, manifest: Manifest) -> None:
    """Publish: from here on the film is what `manifest` says. Raises `OSError`."""
    home = films / manifest.film.name
    with atomic_write(home / MANIFEST) as file:
        file.write(_MANIFEST.dump_json(manifest, indent=2) + b"\n")
        os.fchmod(file.fileno(), 0o644)
    sync(home)


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Return whether `folder` contains all files of a version, judging by their sizes."""
    return all(_is_whole(folder / path, file) for path, file in manifest.files.items())


def sync(path: Path) -> None:
    """Have the disk hold a file, or a folder's list of names, before we go on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_name(name: str) -> str:
    """Return `name` if a film can be called that. Raises `FilmError`."""
    if not _is_name(name):
        rule = "up to 40 lower-case letters, digits and hyphens, except 'youtube' and 'vimeo'"
        raise FilmError(f"{name!r} is not a valid film name; use {rule}")
    return name


@contextmanager
def exclusive_lock(films: Path, name: str) -> Iterator[Path]:
    """Yield the folder of the film `name`, locked against other processes. Raises `FilmError` if it is in use."""
    home = films / require_name(name)
    for folder in (films, home):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.chmod(0o755)
    with (home / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FilmError(f"another import of the film {name!r} is running; wait for its end") from None
        yield home


def clear(home: Path, *keep: str) -> None:
    """Remove the versions and drafts of a film but those to `keep`."""
    for path in home.iterdir():
        if path.is_dir() and path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


def _add_widths(film: Film) -> tuple[Source, ...]:
    """Return the sources of `film`. Manifests of earlier releases name their heights only."""
    ratio = film.width / film.height
    return tuple(replace(source, width=source.width or round(source.height * ratio)) for source in film.sources)


def _is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name not in _RESERVED_NAMES


def _is_whole(path: Path, file: File) -> bool:
    try:
        return path.stat().st_size == file.size
    except OSError:
        return False


def _import_advice(name: str) -> str:
    return f"import it: flask film import FILE --name {name}"
