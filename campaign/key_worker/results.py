"""What the vault makes in the background: how far it is, and what came of it, sealed until it is fetched.

Both stand in the instance folder for an hour, under the hash of a token that only the address of the page holds; a key
made from the token seals the file.
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

from campaign.core.atomic_files import own_folder, whole_file
from campaign.errors import UnknownLink

KEPT_SECONDS = 3600
MAX_NUMBERS = 500  # of replaced names that are listed
SILENT_SECONDS = 180  # a job that was not heard of for so long has ended


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: `done` of `total`; once it is ready there is a file.

    `replaced`: how many names could only be set in their closest form; `replaced_numbers`: their numbers, or the first
    `MAX_NUMBERS` of them.
    """

    done: int
    total: int
    is_ready: bool = False
    has_failed: bool = False
    replaced: int = 0
    replaced_numbers: list[int] = field(default_factory=list)


class Job:
    """One job, by its token."""

    def __init__(self, instance: Path, token: str) -> None:
        self.token = token
        name = blake2b(token.encode(), digest_size=16, person=b"job").hexdigest()
        self._progress = _folder(instance) / f"{name}.json"
        self._file = _folder(instance) / f"{name}.sealed"

    def tell(self, progress: Progress) -> None:
        """Say how far it is."""
        own_folder(self._progress.parent)
        with whole_file(self._progress) as file:
            file.write(json.dumps(asdict(progress)).encode())

    def progress(self) -> Progress:
        """Return how far it is. Raises `UnknownLink` where there is no such job, or none any more."""
        try:
            told = Progress(**json.loads(self._progress.read_bytes()))
            silent = time.time() - self._progress.stat().st_mtime
        except FileNotFoundError:
            raise UnknownLink("there is no such job") from None
        if not told.is_ready and silent > SILENT_SECONDS:
            return Progress(told.done, told.total, has_failed=True)
        return told

    def finish(self, content: bytes, total: int, *, replaced: Sequence[int] = ()) -> None:
        """Keep what came of it, sealed, and the numbers of the names that are `replaced` by their closest form."""
        with whole_file(self._file) as file:
            file.write(Aead(self._key()).encrypt(content))
        numbers = list(replaced[:MAX_NUMBERS])
        self.tell(Progress(total, total, is_ready=True, replaced=len(replaced), replaced_numbers=numbers))

    def content(self) -> bytes:
        """Return what came of it. Raises `UnknownLink` where it is gone."""
        try:
            return bytes(Aead(self._key()).decrypt(self._file.read_bytes()))
        except (FileNotFoundError, CryptoError):
            raise UnknownLink("there is no such file") from None

    def _key(self) -> bytes:
        return blake2b(self.token.encode(), digest_size=Aead.KEY_SIZE, person=b"job file").digest()


def new_job(instance: Path) -> Job:
    """Return a job that has still to begin."""
    return Job(instance, secrets.token_urlsafe(32))


def forget_old(instance: Path) -> None:
    """Delete what is older than an hour."""
    for path in _folder(instance).glob("*"):
        with suppress(FileNotFoundError):  # another process was faster
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()


def _folder(instance: Path) -> Path:
    return instance / "jobs"
