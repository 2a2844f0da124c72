"""Results of background tasks: their progress, and a file that is encrypted until it is downloaded.

Both are stored in the instance folder for an hour, under the hash of a token that only the URL of the page contains.
The key that encrypts the file is derived from the token.
"""

import json
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from campaign.core.atomic_files import atomic_write, make_private_dir
from campaign.errors import UnknownLink

RETENTION_SECONDS = 3600
MAX_NUMBERS = 500  # of replaced names that are listed
STALLED_SECONDS = 180  # a job without a report for this long has failed


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a job: `done` of `total`; a file exists once `is_ready` is set.

    `replaced` counts the names that could only be shown in their closest form; `replaced_numbers` holds their numbers,
    up to `MAX_NUMBERS`.
    """

    done: int
    total: int
    is_ready: bool = False
    has_failed: bool = False
    replaced: int = 0
    replaced_numbers: list[int] = field(default_factory=list)


class Job:
    """A background job, identified by its token."""

    def __init__(self, instance: Path, token: str) -> None:
        self.token = token
        name = blake2b(token.encode(), digest_size=16, person=b"job").hexdigest()
        self._progress = _jobs_dir(instance) / f"{name}.json"
        self._file = _jobs_dir(instance) / f"{name}.sealed"

    def report(self, progress: Progress) -> None:
        """Store the progress."""
        make_private_dir(self._progress.parent)
        with atomic_write(self._progress) as file:
            file.write(json.dumps(asdict(progress)).encode())

    def progress(self) -> Progress:
        """Return the latest progress. Raises `UnknownLink` if the job does not exist or has been deleted."""
        try:
            progress = Progress(**json.loads(self._progress.read_bytes()))
            age = time.time() - self._progress.stat().st_mtime
        except FileNotFoundError:
            raise UnknownLink("unknown job") from None
        if not progress.is_ready and age > STALLED_SECONDS:
            return Progress(progress.done, progress.total, has_failed=True)
        return progress

    def finish(self, content: bytes, total: int, *, replaced: Sequence[int] = ()) -> None:
        """Store `content` encrypted; `replaced` are the numbers of the names shown in their closest form."""
        with atomic_write(self._file) as file:
            file.write(Aead(self._key()).encrypt(content))
        numbers = list(replaced[:MAX_NUMBERS])
        self.report(Progress(total, total, is_ready=True, replaced=len(replaced), replaced_numbers=numbers))

    def content(self) -> bytes:
        """Return the decrypted file. Raises `UnknownLink` if it has been deleted."""
        try:
            return bytes(Aead(self._key()).decrypt(self._file.read_bytes()))
        except (FileNotFoundError, CryptoError):
            raise UnknownLink("unknown file") from None

    def _key(self) -> bytes:
        return blake2b(self.token.encode(), digest_size=Aead.KEY_SIZE, person=b"job file").digest()


def create_job(instance: Path) -> Job:
    """Return a new job with a random token."""
    return Job(instance, secrets.token_urlsafe(32))


def delete_expired(instance: Path) -> None:
    """Delete progress and files that are older than an hour."""
    for path in _jobs_dir(instance).glob("*"):
        with suppress(FileNotFoundError):  # another process deleted it first
            if time.time() - path.stat().st_mtime > RETENTION_SECONDS:
                path.unlink()


def _jobs_dir(instance: Path) -> Path:
    return instance / "jobs"
