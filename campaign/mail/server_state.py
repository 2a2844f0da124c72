"""The state of the mail server, shared by all workers: whether it works, since when it fails, when to retry.

A failure before any recipient was named is the server's fault, and so is a refusal that names the server's policy or
limits. Other refusals are the recipient's fault, unless several different recipients are refused in a row. While the
server fails, no message is given up: the workers pause, and one of them tries a few messages after 1, 2, 4 … 60 s.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction, utcnow
from campaign.mail import pacing
from campaign.models import MailServer, OutboxMessage

MIN_SUSPECTS = 3  # different recipients refused permanently in a row, or put off for `LATE`: the server's fault
MAX_SUSPECTS = 10  # the same for temporary refusals, or third refusals while others were accepted
FINAL_FAILURES = (
    2  # a message refused so often while others were accepted is the recipient's fault, whatever else is refused
)
MAX_PAUSE = 60  # seconds
LATE_AFTER = timedelta(minutes=5)
_ID = 1


@dataclass(frozen=True, slots=True)
class ServerState:
    """The state of the mail server; see `models.MailServer` for the fields."""

    failures: int = 0
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    unreachable: bool = False
    suspects: str = ""
    refusing_since: datetime | None = None
    accepted_at: datetime | None = None
    reply: str | None = None

    @property
    def is_failing(self) -> bool:
        """Return whether the server is at fault now."""
        return self.failures > 0

    @property
    def is_clean(self) -> bool:
        """Return whether nothing has been refused since the last acceptance."""
        return not self.failures and not self.suspects

    def has_accepted_since(self, moment: datetime | None) -> bool:
        """Return whether others were accepted after a refusal at `moment`."""
        return bool(moment and self.accepted_at and moment < self.accepted_at)

    def is_late(self) -> bool:
        """Return whether no message to anyone has been accepted for five minutes.

        One or two recipients cannot cause this; otherwise it would reveal whether an email is sent to an address.
        """
        since = self.failing_since or self.refusing_since
        by_many = (self.failures and self.unreachable) or self.suspects.count(",") + 1 >= MIN_SUSPECTS
        return bool(since and by_many and since < utcnow() - LATE_AFTER)


def load(session: Session) -> ServerState:
    """Return the state; that of a server that works where nothing is stored."""
    row = session.execute(select(*_COLUMNS).where(MailServer.id == _ID)).first()
    return ServerState(*row) if row else ServerState()


def claim_attempt(session: Session, *, at_once: bool = False) -> bool:
    """Claim the next attempt at a failing server, for one worker only. `at_once` skips the waiting time.

    A worker that dies during its attempt delays the next one by a minute.
    """
    now = utcnow()
    claim = update(MailServer).where(MailServer.id == _ID, MailServer.failures > 0)
    if not at_once:
        is_wrong = MailServer.retry_at > now + timedelta(seconds=2 * MAX_PAUSE)  # by a clock that has been set back
        claim = claim.where(or_(MailServer.retry_at <= now, is_wrong))
    with transaction(session):
        claimed = claim.values(retry_at=now + timedelta(seconds=MAX_PAUSE)).returning(MailServer.id)
        return session.execute(claimed).first() is not None


def try_now(session: Session) -> None:
    """End the pause, so that the next attempt follows at once."""
    with transaction(session):
        session.execute(update(MailServer).values(retry_at=utcnow()))


def note_failure(session: Session, before: ServerState, *, reply: str, suspect: str | None) -> ServerState:
    """Record a failure that is the server's fault; returns the new state.

    `seen`: the state before the attempt: several workers that fail at the same time lengthen the pause once.
    `suspect`: the keyed hash of the recipient, None if the server failed before any was named.
    """
    with _locked(session) as row:
        _add_suspect(row, suspect)
        _fail(session, row, before, reply, unreachable=suspect is None)
        return _state(row)


def note_refusal(session: Session, before: ServerState, *, reply: str, suspect: str, is_clear: bool) -> ServerState:
    """Record that a recipient was refused; returns the new state: failing if this makes it the server's fault.

    `is_clear`: not only for now, and not again and again while others were accepted.
    """
    with _locked(session) as row:
        if row.unreachable:  # no more: it speaks of a recipient
            _recover(row)
        _add_suspect(row, f"!{suspect}" if is_clear else suspect)
        suspects = row.suspects.split(",")
        clear = [hashed for hashed in suspects if hashed.startswith("!")]
        is_lasting = row.refusing_since is not None and row.refusing_since < utcnow() - LATE_AFTER
        few = (is_clear and len(clear) >= MIN_SUSPECTS) or (is_lasting and len(suspects) >= MIN_SUSPECTS)
        if row.failures or few or len(suspects) >= MAX_SUSPECTS:
            _fail(session, row, before, reply, unreachable=False)
        return _state(row)


def note_acceptance(session: Session) -> ServerState:
    """Record that a message was accepted, and make held messages due. Returns the new state."""
    with _locked(session) as row:
        since = row.refusing_since or row.failing_since
        if since and (row.failures or "," in row.suspects):
            _bring_back(session, since, *([] if row.failures else [OutboxMessage.due_at.is_not(None)]))
        row.suspects, row.refusing_since, row.accepted_at = "", None, utcnow()
        _recover(row)
        return _state(row)


def note_connection(session: Session) -> ServerState:
    """Record that the server can be reached; that ends a failure before any recipient was named, and no other."""
    with _locked(session) as row:
        if row.unreachable:
            _recover(row)
        return _state(row)


def note_nothing_waiting(session: Session) -> ServerState:
    """Record that a failing server was reached and no message was due; it has recovered if it refuses none later.

    So it has if all that failed was to reach it.
    """
    with _locked(session) as row:
        later = select(OutboxMessage.id).where(OutboxMessage.refused_at >= row.failing_since)
        if row.unreachable:
            _recover(row)
        elif session.execute(later.where(OutboxMessage.due_at.is_not(None)).limit(1)).first() is None:
            row.suspects, row.refusing_since = "", None
            _recover(row)
        return _state(row)


@contextmanager
def _locked(session: Session) -> Iterator[MailServer]:
    """The row, made if there is none, within one transaction and for this worker only."""
    with transaction(session):
        new = insert(session, MailServer).values(id=_ID, failures=0, unreachable=False, suspects="")
        session.execute(new.on_conflict_do_nothing())
        yield session.get_one(MailServer, _ID, with_for_update=True, populate_existing=True)


def _add_suspect(row: MailServer, suspect: str | None) -> None:
    suspects = [hashed for hashed in row.suspects.split(",") if hashed]
    if suspect is None or suspect.strip("!") in row.suspects or len(suspects) >= MAX_SUSPECTS:
        return
    row.suspects = ",".join([*suspects, suspect])
    row.refusing_since = row.refusing_since or utcnow()


def _fail(session: Session, row: MailServer, before: ServerState, reply: str, *, unreachable: bool) -> None:
    now = utcnow()
    if row.refusing_since:
        # A message without a reply may have been accepted: it waits for its pause, so that few copies arrive.
        _bring_back(session, row.refusing_since, OutboxMessage.reply_code.is_not(None))
    if row.failures <= before.failures:
        row.failures += 1
        row.retry_at = now + timedelta(seconds=min(MAX_PAUSE, 2 ** min(row.failures - 1, 10)))
    row.failing_since = row.failing_since or row.refusing_since or now
    row.unreachable, row.reply = unreachable, reply


def _recover(row: MailServer) -> None:
    row.failures, row.failing_since, row.retry_at, row.unreachable, row.reply = 0, None, None, False, None


def _bring_back(session: Session, since: datetime, *only: ColumnElement[bool]) -> None:
    """Make every message that failed since then due again, except those that fail while others are accepted."""
    failed = (OutboxMessage.refused_at >= since, OutboxMessage.recipient_failures < FINAL_FAILURES, *only)
    revived = OutboxMessage.id.in_(pacing.reclaim_slots(session, *failed))
    again = update(OutboxMessage).where(*failed, or_(OutboxMessage.due_at.is_not(None), revived))
    session.execute(again.values(due_at=OutboxMessage.created_at))


def _state(row: MailServer) -> ServerState:
    return ServerState(*(getattr(row, column.key) for column in _COLUMNS))


_COLUMNS = (
    MailServer.failures,
    MailServer.failing_since,
    MailServer.retry_at,
    MailServer.unreachable,
    MailServer.suspects,
    MailServer.refusing_since,
    MailServer.accepted_at,
    MailServer.reply,
)
