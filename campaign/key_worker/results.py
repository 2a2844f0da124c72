"""Results of background tasks: their progress, and a file that is encrypted until it is downloaded.

Both are in the database for an hour, so that any server can show them, under the hash of a token that only the URL of
the page contains. The key that encrypts the file is derived from the token.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from hashlib import blake2b

from nacl.exceptions import CryptoError
from nacl.secret import Aead
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign import models
from campaign.core.database import insert, transaction, utcnow
from campaign.errors import UnknownLink
from campaign.models import JobPart

RETENTION = timedelta(hours=1)
MAX_NUMBERS = 500  # of replaced names that are listed
STALLED = timedelta(minutes=3)  # a job without a report for this long has failed
PART_BYTES = 1024 * 1024  # each is written by itself, so that people who sign do not wait for the whole file


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

    def __init__(self, session: Session, token: str) -> None:
        self.token = token
        self._session = session
        self._hash = blake2b(token.encode(), digest_size=16, person=b"job").digest()

    def report(self, progress: Progress) -> None:
        """Store the progress."""
        values = {"updated_at": utcnow(), "progress": json.dumps(asdict(progress))}
        new = insert(self._session, models.Job).values(token_hash=self._hash, **values)
        with transaction(self._session):
            self._session.execute(new.on_conflict_do_update(index_elements=["token_hash"], set_=values))

    def progress(self) -> Progress:
        """Return the latest progress. Raises `UnknownLink` if the job does not exist or has been deleted."""
        columns = select(models.Job.progress, models.Job.updated_at)
        row = self._session.execute(columns.where(models.Job.token_hash == self._hash)).first()
        if row is None:
            raise UnknownLink("unknown job")
        progress = Progress(**json.loads(row.progress))
        if not progress.is_ready and utcnow() - row.updated_at > STALLED:
            return Progress(progress.done, progress.total, has_failed=True)
        return progress

    def finish(self, content: bytes, total: int, *, replaced: Sequence[int] = ()) -> None:
        """Store `content` encrypted; `replaced` are the numbers of the names shown in their closest form."""
        encrypted = Aead(self._key()).encrypt(content)
        for number, start in enumerate(range(0, len(encrypted), PART_BYTES)):
            part = encrypted[start : start + PART_BYTES]
            with transaction(self._session):
                self._session.execute(
                    insert(self._session, JobPart).values(token_hash=self._hash, number=number, content=part)
                )
        numbers = list(replaced[:MAX_NUMBERS])
        self.report(Progress(total, total, is_ready=True, replaced=len(replaced), replaced_numbers=numbers))

    def content(self) -> bytes:
        """Return the decrypted file. Raises `UnknownLink` if it has been deleted."""
        parts = select(JobPart.content).where(JobPart.token_hash == self._hash).order_by(JobPart.number)
        try:
            return bytes(Aead(self._key()).decrypt(b"".join(self._session.scalars(parts))))
        except (CryptoError, ValueError):  # parts are missing, or all of them
            raise UnknownLink("unknown file") from None

    def _key(self) -> bytes:
        return blake2b(self.token.encode(), digest_size=Aead.KEY_SIZE, person=b"job file").digest()


def create_job(session: Session) -> Job:
    """Return a new job with a random token."""
    return Job(session, secrets.token_urlsafe(32))


def delete_expired(session: Session) -> None:
    """Delete progress and files that are older than an hour."""
    is_expired = models.Job.updated_at < utcnow() - RETENTION
    if session.execute(select(models.Job.token_hash).where(is_expired).limit(1)).first():
        with transaction(session):
            session.execute(delete(models.Job).where(is_expired))
