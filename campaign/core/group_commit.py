"""Group commit: rows that several threads write at the same time share one transaction, and so one fsync.

Each thread adds its row to a list. The first one becomes the leader: it writes all rows that wait, in one transaction,
while further rows gather for the next. Every thread returns after the commit of its own row.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from campaign.core.database import is_unavailable

MAX_BATCH = 256  # rows in one transaction
GATHER_SECONDS = 0.004  # that a leader waits for further rows, if others came at the same time as the last ones
BUSY_SECONDS = 0.2  # so long after such rows

Row = TypeVar("Row")
Write = Callable[[Session, Sequence[Row]], Sequence[Exception | None]]


class _Waiting(Generic[Row]):
    """A row that waits for its commit; `leads` tells its thread to write the next batch itself."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.wake = Event()
        self.leads = False
        self.error: BaseException | None = None


class GroupCommit(Generic[Row]):
    """Writes rows with `write`, which commits all of them or raises, and returns a refusal or None for each."""

    def __init__(self, write: Write[Row]) -> None:
        self._write = write
        self._lock = Lock()
        self._waiting: deque[_Waiting[Row]] = deque()
        self._has_leader, self._busy_until = False, 0.0

    @property
    def is_busy(self) -> bool:
        """Whether several rows have come at the same moment just now."""
        return time.monotonic() < self._busy_until

    def submit(self, session: Session, row: Row) -> None:
        """Return when `row` is committed. Raises its refusal, or the error that kept it from being written.

        `session` is that of the calling thread, which may write other threads' rows with it.
        """
        mine = _Waiting(row)
        with self._lock:
            self._waiting.append(mine)
            mine.leads, self._has_leader = not self._has_leader, True
        if not mine.leads:
            mine.wake.wait()
        if mine.leads:
            self._lead(session)
        if mine.error is not None:
            raise mine.error

    def _lead(self, session: Session) -> None:
        """Write a batch, and appoint the next leader."""
        if self.is_busy:
            time.sleep(GATHER_SECONDS)
        with self._lock:
            if len(self._waiting) > 1:
                self._busy_until = time.monotonic() + BUSY_SECONDS
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        try:
            self._write_batch(session, batch)
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].wake.set()
                else:
                    self._has_leader = False
            for each in batch:
                each.wake.set()

    def _write_batch(self, session: Session, batch: list[_Waiting[Row]]) -> None:
        try:
            self._commit(session, batch)
        except Exception as error:  # noqa: BLE001 - one row may be at fault: it must not take the others with it
            if is_unavailable(error):  # whether it was committed may be unknown, and waiting again helps nobody
                for each in batch:
                    each.error = error
                return
            for each in batch:
                try:
                    self._commit(session, [each])
                except Exception as its_error:  # noqa: BLE001 - raised in the thread of its row
                    each.error = its_error
        except BaseException as error:
            for each in batch:
                each.error = error
            raise

    def _commit(self, session: Session, batch: list[_Waiting[Row]]) -> None:
        for each, refusal in zip(batch, self._write(session, [each.row for each in batch]), strict=True):
            each.error = refusal
