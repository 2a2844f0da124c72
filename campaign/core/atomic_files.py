"""Files that hold secrets or people's data: readable by their owner only, and never seen half written."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST
from pathlib import Path
from typing import BinaryIO


def make_private_dir(path: Path) -> None:
    """Make the folder `path`, for its owner only, unless it is there. Raises `OSError`."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def atomic_write(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the name `path` once it is complete and on the disk.

    Until then it has no name where the system allows that (Linux, O_TMPFILE): nothing of it remains after `kill -9`.
    Raises `FileExistsError` at the end if `path` exists and may not be replaced, and any other `OSError`.
    """
    if path.exists() and not path.is_file():  # a device or a pipe would be replaced, and not written to
        raise FileExistsError(EEXIST, "it is not a regular file")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = _open_unlinked(path.parent)
    try:
        with os.fdopen(_open_temporary(draft) if descriptor is None else descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if descriptor is not None:
                # Python follows the link in /proc only with a `src_dir_fd`, which an absolute path does not need.
                os.link(f"/proc/self/fd/{descriptor}", draft, src_dir_fd=descriptor, follow_symlinks=True)
        if replace or not _link_into_place(path, draft):
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _open_unlinked(folder: Path) -> int | None:
    """Open a file without a name in `folder`, or return None where the file system or the system has no such files."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").exists():
        return None
    try:
        return os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o600)
    except OSError:
        return None


def _open_temporary(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _link_into_place(path: Path, draft: Path) -> bool:
    """Link `draft` to `path`. Unlike a rename, this never replaces a file that another process created.

    Returns `False` if the file system has no hard links (FAT, for example) and `path` does not exist.
    """
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(EEXIST, os.strerror(EEXIST)) from None
        return False
    return True
