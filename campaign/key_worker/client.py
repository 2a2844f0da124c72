"""The server's side of the key worker: starts a task, reads its answer and passes its output on.

The passphrase goes through a pipe, and private keys never come back. So no long-lived memory holds them, even if the
server is compromised later.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from threading import Lock
from typing import IO, Any, Literal, cast
from uuid import UUID

from sqlalchemy.orm import Session

from campaign.accounts.throttling import throttled
from campaign.config.paths import PACKAGE
from campaign.core.capacity import KEY_PROCESSES, Slot
from campaign.errors import WorkerFailed
from campaign.key_worker.protocol import EXIT_INCOMPLETE, error_from

CHUNK_BYTES = 64 * 1024

Answer = dict[str, Any]
TaskName = Literal["grant_keys", "change_passphrase", "invite", "show", "export", "deliver"]

# One process at a time starts and derives a key, since both need a whole processor.
_start_lock = Lock()


@dataclass(frozen=True, slots=True)
class Task:
    """A running task: its first answer, and the process that continues with it."""

    answer: Answer
    process: "subprocess.Popen[bytes]"
    slot: Slot

    def iter_output(self) -> Iterator[bytes]:
        """Yield the task's output in chunks of up to 64 KiB. Closing the iterator early ends the task.

        Raises `WorkerFailed` at the end if the output is incomplete.
        """
        output = cast("IO[bytes]", self.process.stdout)
        try:
            while chunk := output.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
                yield chunk
            if self.process.wait() not in (0, EXIT_INCOMPLETE):
                raise WorkerFailed("the export was interrupted")
        finally:
            self.stop()

    @contextmanager
    def stopped_on_error(self) -> Iterator[None]:
        """Stop the task if the block raises, before something else reads its output."""
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the task if it is still running, and release its slot."""
        self.process.kill()  # has no effect on a process that has ended
        self.process.wait()
        cast("IO[bytes]", self.process.stdout).close()
        self.slot.release()

    def finish(self) -> Answer:
        """Wait for a task without output, and return its answer."""
        for _ in self.iter_output():
            pass
        return self.answer

    def is_complete(self) -> bool:
        """Return, at the end of the output, whether every row was decrypted."""
        return self.process.returncode == 0


def begin(task: TaskName, *, database: str, **arguments: object) -> Task:
    """Start a task, and return once the worker has decrypted the keys it needs.

    `database` is its URL; `arguments` are those of the function in `key_worker.tasks`, as JSON values. Raises the
    error that the task raised, `Busy` when too many are running, and `WorkerFailed` when the process ended.
    """
    return _begin(nullcontext(), task, database, arguments)


def open_keys(
    session: Session, task: TaskName, *, database: str, organiser_id: UUID, passphrase: str, **arguments: object
) -> Task:
    """Start a task with an organiser's passphrase.

    Raises `WrongPassphrase`, `NoKeyHolder`, `Busy`, `WorkerFailed`, and `Throttled` after repeated wrong guesses.
    """
    session.rollback()  # ends a read transaction, since the worker may need to write
    payload = {"organiser_id": str(organiser_id), "passphrase": passphrase, **arguments}
    return _begin(throttled(session, f"passphrase of {organiser_id}"), task, database, payload)


def _begin(guarded: AbstractContextManager[None], task: TaskName, database: str, arguments: dict[str, object]) -> Task:
    slot = KEY_PROCESSES.acquire()  # first: a refusal for lack of capacity must not count as a wrong guess
    started: Task | None = None
    try:
        with guarded, _start_lock:
            started = Task(*_start_process(task, database, arguments), slot)
            return started  # noqa: RET504 - leaving the guard may still fail
    except BaseException:
        if started:  # the keys were decrypted, and then the guard failed
            started.stop()
        slot.release()
        raise


def _start_process(
    task: TaskName, database: str, arguments: dict[str, object]
) -> "tuple[Answer, subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "campaign.key_worker"]
    process = subprocess.Popen(command, cwd=PACKAGE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    request = {"task": task, "database": database, "arguments": arguments}
    with suppress(BrokenPipeError), cast("IO[bytes]", process.stdin) as stdin:
        stdin.write(json.dumps(request).encode())
    answer: Answer | None = json.loads(cast("IO[bytes]", process.stdout).readline() or "null")
    if answer is None or "error" in answer:
        process.wait()
        cast("IO[bytes]", process.stdout).close()
        raise error_from(answer) if answer else WorkerFailed("the key worker failed")
    return answer, process
