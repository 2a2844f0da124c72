"""Turns for SQLite's one writer, in place of its busy handler, which sleeps and lets others overtake.

With eight threads, more than half of the time went into these sleeps, and some waited for a second. Here a thread waits
for the lock itself: for that of its process, and then for a lock on a file beside the database (`flock`), which the
kernel takes away from a process that dies.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

BUSY_SECONDS = 10


class _WriteTurn:
    def __init__(self, database: str) -> None:
        self._path = Path(f"{database}-turn")
        self._lock = Lock()
        self._file, self._opened_by = -1, 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Write within the block, alone. Raises `OperationalError` when it cannot begin in time."""
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise OperationalError(
                "waiting for the turn to write", None, sqlite3.OperationalError("database is locked")
            )
        try:
            file = self._open()
            if file >= 0:
                fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                if file >= 0:
                    fcntl.flock(file, fcntl.LOCK_UN)
        finally:
            self._lock.release()

    def _open(self) -> int:
        """Return the file, opened in this process: one opened before a fork would be locked for both."""
        if self._opened_by != os.getpid():
            self._file, self._opened_by = -1, os.getpid()
            with suppress(OSError):  # a folder that cannot be written: the database will say so
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        return self._file


_turns: WeakKeyDictionary[Engine, _WriteTurn] = WeakKeyDictionary()


def give_turns(engine: Engine) -> None:
    """Make the writers of a SQLite `engine` take turns, together with those of other processes."""
    _turns[engine] = _WriteTurn(engine.url.database or "")


def write_turn(engine: Engine) -> AbstractContextManager[None]:
    """Return the turn to write with `engine`, to be held for one transaction; PostgreSQL needs none."""
    turn = _turns.get(engine)
    return turn.hold() if turn else nullcontext()
