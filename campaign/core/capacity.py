"""Limits on slow work: a server process has few threads, and most of them must stay free for visitors.

Work beyond a limit is refused at once instead of queued, because each waiting request holds a thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

from campaign.errors import Busy

RETRY_SECONDS = 5
MAX_RENDERING = 3  # one image is rendered while two requests wait

# Of all kinds together: sixteen requests work at the same time (`web.request_gate`), and most of them are visitors'.
_TOTAL = Semaphore(6)


class Slot:
    """Permission to do one piece of slow work; `release` may be called more than once."""

    def __init__(self, *semaphores: Semaphore) -> None:
        self._semaphores = semaphores
        self._lock = Lock()

    def release(self) -> None:
        """Return the slot, so that other work can begin."""
        with self._lock:
            semaphores, self._semaphores = self._semaphores, ()
        for semaphore in semaphores:
            semaphore.release()


class Capacity:
    """At most `slots` pieces of one kind of work at the same time in this process."""

    def __init__(self, slots: int) -> None:
        self._semaphore = Semaphore(slots)

    def acquire(self) -> Slot:
        """Return a slot, to be released by the caller. Raises `Busy` when none is free."""
        if not self._semaphore.acquire(blocking=False):
            raise Busy(RETRY_SECONDS)
        if not _TOTAL.acquire(blocking=False):
            self._semaphore.release()
            raise Busy(RETRY_SECONDS)
        return Slot(self._semaphore, _TOTAL)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot within the block. Raises `Busy` when none is free."""
        slot = self.acquire()
        try:
            yield
        finally:
            slot.release()


PASSWORDS = Capacity(3)  # one is hashed, two wait for it
KEY_PROCESSES = Capacity(3)  # each has 64 MiB for a moment, and an export lasts as long as its download
RENDERING = Capacity(MAX_RENDERING)
