"""The server's side of the vault: it hands a task over, and what comes back it passes on.

What somebody typed to open the keys goes through a pipe, and private keys never come back: so they are in no memory
that lasts, whatever becomes of the server.
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

from campaign import errors
from campaign.accounts.throttling import guessed
from campaign.config.paths import PACKAGE
from campaign.core.capacity import KEY_PROCESSES, Slot
from campaign.errors import CampaignError

CHUNK = 64 * 1024  # bytes
EXIT_INCOMPLETE = 3

Answer = dict[str, Any]
TaskName = Literal["hold", "rewrap", "invite", "show", "export", "hand_in"]

_opening = Lock()  # one process at a time starts and derives a key: both take a processor


class Broken(CampaignError):
    """The vault ended in the middle of something."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task that the vault has taken on: what it answered at once, and the process that goes on with it."""

    answer: dict[str, Any]
    process: "subprocess.Popen[bytes]"
    slot: Slot

    def iter_output(self) -> Iterator[bytes]:
        """Yield what the task puts out. Raises `Broken` at the end unless it is whole; whoever stops early ends it."""
        output = cast(IO[bytes], self.process.stdout)
        try:
            while chunk := output.read1(CHUNK):  # type: ignore[attr-defined]
                yield chunk
            if self.process.wait() not in (0, EXIT_INCOMPLETE):
                raise Broken("an export broke off")
        finally:
            self.stop()

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """End the task if the block fails, in which it is handed to whoever reads what it puts out."""
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the task, if it still goes on."""
        self.process.kill()  # does nothing to one that has ended
        self.process.wait()
        cast(IO[bytes], self.process.stdout).close()
        self.slot.release()

    def finish(self) -> dict[str, Any]:
        """Wait until a task without output is done, and return its answer."""
        for _ in self.iter_output():
            pass
        return self.answer

    def is_complete(self) -> bool:
        """Tell, once the output is at its end, whether everything could be opened."""
        return self.process.returncode == 0


def begin(task: TaskName, *, database: str, **arguments: object) -> Task:
    """Hand a task over; returns once the vault has opened what it needs. Raises the error of `campaign.errors` it met.

    `database`: its address; `arguments`: what the task of that name in `vault.tasks` takes, as JSON can hold it.
    Also raises `Busy`, and `Broken` where the process failed.
    """
    return _begin(nullcontext(), task, database, arguments)


def opened(
    session: Session, task: TaskName, *, database: str, organiser_id: UUID, passphrase: str, **arguments: object
) -> Task:
    """Hand over a task that an organiser's passphrase opens.

    Raises `WrongPassphrase`, `NoKeyHolder`, `Busy`, `Broken`, and `TooManyTries` for who guesses.
    """
    session.rollback()  # the vault may want to write
    told = {"organiser_id": str(organiser_id), "passphrase": passphrase, **arguments}
    return _begin(guessed(session, f"passphrase of {organiser_id}"), task, database, told)


def _begin(guarded: AbstractContextManager[None], task: TaskName, database: str, arguments: dict[str, object]) -> Task:
    slot = KEY_PROCESSES.take()  # first: a refusal for lack of capacity must not count as a wrong guess
    begun: Task | None = None
    try:
        with guarded, _opening:
            begun = Task(*_started(task, database, arguments), slot)
            return begun  # noqa: RET504 - leaving the guard may still fail
    except BaseException:
        if begun:  # the keys were opened, and then the guard failed
            begun.stop()
        slot.release()
        raise


def _started(task: TaskName, database: str, arguments: dict[str, object]) -> "tuple[Answer, subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "campaign.key_worker.__main__"]
    process = subprocess.Popen(command, cwd=PACKAGE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    told = {"task": task, "database": database, "arguments": arguments}
    with suppress(BrokenPipeError), cast(IO[bytes], process.stdin) as stdin:
        stdin.write(json.dumps(told).encode())
    answer: Answer | None = json.loads(cast(IO[bytes], process.stdout).readline() or "null")
    if answer is None or "error" in answer:
        process.wait()
        cast(IO[bytes], process.stdout).close()
        raise getattr(errors, answer["error"])(answer["message"]) if answer else Broken("the key process failed")
    return answer, process
