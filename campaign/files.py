"""Files that hold secrets or people's data: readable by their owner only, and never seen half written."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST
from pathlib import Path
from typing import BinaryIO


def own_folder(path: Path) -> None:
    """Make the folder `path`, for its owner only, unless it is there. Raises `OSError`."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def whole_file(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the name `path` once it is complete and on the disk.

    Raises `FileExistsError` at the end if `path` exists and may not be replaced, and any other `OSError`.
    """
    if path.exists() and not path.is_file():  # a device or a pipe would be replaced, and not written to
        raise FileExistsError(EEXIST, "it is no ordinary file")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace or not _linked(path, draft):
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _linked(path: Path, draft: Path) -> bool:
    """Give `draft` the name `path` as well, which unlike a rename never replaces what another process made.

    Returns `False` where the file system knows no links (FAT, on a memory stick for instance) and `path` is free.
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
