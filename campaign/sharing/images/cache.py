"""A cache of rendered images as files, `<kind>.<version><ending>`, with the newest few of each kind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from threading import Lock

import structlog

from campaign.core.atomic_files import atomic_write, make_private_dir
from campaign.core.capacity import RENDERING
from campaign.errors import Busy

MAX_VERSIONS = 3  # of a kind: pages that are cached still name the one before

log = structlog.get_logger(__name__)

_locks = Lock()  # one at a time: each takes half a second of one core, and pdfium is not safe between threads
_lock_for = ThreadPoolExecutor(1)  # memory that was freed stays with the thread that used it: 300 MB for eight of them


def get_cached(path: Path) -> bytes | None:
    """Return the picture at `path`, None if it is not there, or cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def get_or_render(path: Path, draw: Callable[[], bytes]) -> tuple[bytes, bool]:
    """Return the image for `path`, rendered at its first use, and whether it is that very version.

    While another image is being rendered, an older version of the same kind is returned, so that fewer requests wait.
    Raises `Busy` if there is none and enough others wait already.
    """
    if there := get_cached(path):
        return there, True
    older = next(filter(None, map(get_cached, _versions_of(path))), None)
    try:
        slot = RENDERING.acquire()
    except Busy:
        if older is None:
            raise
        return older, False
    try:
        if not _locks.acquire(blocking=older is None):
            return older or b"", False
        try:  # the first request may have rendered it already
            return get_cached(path) or _lock_for.submit(copy_context().run, _render, path, draw).result(), True
        finally:
            _locks.release()
    finally:
        slot.release()


def _render(path: Path, draw: Callable[[], bytes]) -> bytes:
    data = draw()
    try:
        _store(path, data)
    except OSError as error:
        log.warning("the image cannot be cached and is rendered for each request", reason=error.strerror)
    return data


def _store(path: Path, data: bytes) -> None:
    make_private_dir(path.parent)
    with atomic_write(path) as file:
        file.write(data)
    for old in _versions_of(path)[MAX_VERSIONS:]:
        old.unlink(missing_ok=True)


def _versions_of(path: Path) -> list[Path]:
    """Return the stored versions of the same kind, newest first."""
    kind = path.name.partition(".")[0]
    return sorted(path.parent.glob(f"{kind}.*{path.suffix}"), key=_rendered_at, reverse=True)


def _rendered_at(path: Path) -> int:
    """Return when an image was rendered, in nanoseconds since 1970; 0 if another process deleted it."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
