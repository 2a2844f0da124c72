"""Entering submissions and their emails: the database judges which email is due, in one transaction.

The caller learns nothing of an address from the statements: they are the same for each, and where no email may go out,
a decoy is posted, which the worker deletes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Insert,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from campaign.core.database import Base, dialect_insert, retry_on_deadlock, transaction
from campaign.core.driver_statement import DriverStatement
from campaign.mail.outbox import NewMessage
from campaign.mail.pacing import CONFIRMATIONS_PER_DAY, NOTICE_SLOT
from campaign.models import EmailSlot, OutboxMessage, Signature, SuppressedEmail

# Core without the ORM: this path must be fast.
_SIGNATURES = Base.metadata.tables[Signature.__tablename__]
_OUTBOX = Base.metadata.tables[OutboxMessage.__tablename__]
_SLOTS = Base.metadata.tables[EmailSlot.__tablename__]
_SUPPRESSED = Base.metadata.tables[SuppressedEmail.__tablename__]


@dataclass(frozen=True, slots=True)
class NewSignature:
    """The columns of a submission."""

    id: UUID
    email_hash: bytes
    mailbox_hash: bytes
    data_key_id: UUID
    encrypted_person: bytes
    country: str
    language: str
    updates: bool
    display_name: str | None
    via: str | None
    referral_code: str
    consent_version: str
    signed_at: datetime
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The hashes of an email address and of its mailbox."""

    email_hash: bytes
    mailbox_hash: bytes


_SUBMISSION = tuple(field.name for field in fields(NewSignature))
_MESSAGE = tuple(field.name for field in fields(NewMessage))
# Parameters besides the columns of the rows
_NOW = bindparam("now", type_=_SIGNATURES.c.signed_at.type)
_FREE_BEFORE = bindparam("free_before", type_=_SLOTS.c.paused_until.type)
_REFERRER_CODE = bindparam("referrer_code", type_=_SIGNATURES.c.referral_code.type)


@dataclass(frozen=True, slots=True)
class Submission:
    """A row with its confirmation email; `ref` is the referral code of the supporter whose link was used."""

    row: NewSignature
    message: NewMessage
    ref: str | None


def insert_signatures(connection: Connection, submissions: Sequence[Submission]) -> None:
    """Store submissions with their confirmation emails, unless no such email may be sent, in the caller's transaction.

    An email address with a confirmed signature gets a notice. One that has used up its emails of the day, or suppressed
    them, gets nothing, and the submission is not stored, since nobody could confirm it.
    """
    # In one order, so that two transactions do not wait for each other's slots.
    ordered = sorted(submissions, key=lambda each: each.row.mailbox_hash)
    _execute(connection, [_parameters(each) for each in ordered], entering=True)


def queue_link_again(
    session: Session, mailbox: Mailbox, message: NewMessage, *, now: datetime, free_before: datetime
) -> None:
    """Queue a message to the owner of the confirmed signature with the address of `mailbox`, or else a decoy.

    A slot whose pause ends by `free_before` is free.
    """
    values = _values("row", mailbox) | _values("message", message) | {"now": now, "free_before": free_before}

    def queue() -> None:
        with transaction(session):
            _execute(session.connection(), [values], entering=False)

    retry_on_deadlock(queue)


def _parameters(submission: Submission) -> dict[str, object]:
    now = submission.row.signed_at
    values = _values("row", submission.row) | _values("message", submission.message)
    return values | {"now": now, "free_before": now, "referrer_code": submission.ref}


def _values(prefix: str, row: NewSignature | Mailbox | NewMessage) -> dict[str, object]:
    """Return the parameters for `row`. An UPDATE would take one without prefix for the value of a column to set."""
    return {f"{prefix}_{name}": getattr(row, name) for name in row.__slots__}


def _execute(connection: Connection, values: Sequence[dict[str, object]], *, entering: bool) -> None:
    for statement in _statements(connection.dialect, entering=entering):
        statement.execute(connection, values)


@cache
def _statements(dialect: Dialect, *, entering: bool) -> list[DriverStatement]:
    """Return one statement for PostgreSQL, whose driver sends those of many rows in one round trip, or three."""
    is_postgresql = dialect.name == "postgresql"
    return [
        DriverStatement(statement, dialect)
        for statement in (
            [_combined_statement(entering=entering)] if is_postgresql else _separate_statements(entering=entering)
        )
    ]


def _combined_statement(*, entering: bool) -> Select[Any]:
    claimed = _claim_slot("postgresql", entering=entering).returning(_SLOTS.c.slot).cte("claimed")
    posted = _outbox_insert(claimed, true(), entering=entering).returning(_OUTBOX.c.id).cte("posted")
    if not entering:
        return select(literal(None)).where(literal(value=False)).add_cte(posted)
    entered = _insert_submission(claimed, true()).returning(_SIGNATURES.c.id).cte("entered")
    return select(entered).add_cte(posted)


def _separate_statements(*, entering: bool) -> list[Insert]:
    """SQLite has no writing CTE, so each statement finds the rows of the previous one."""
    is_ours = _SLOTS.c.message_id == _message("id")
    storing = [_insert_submission(_SLOTS, is_ours)] if entering else []
    return [_claim_slot("sqlite", entering=entering), *storing, _outbox_insert(_SLOTS, is_ours, entering=entering)]


def _claim_slot(dialect: str, *, entering: bool) -> Insert:
    """Claim a free slot of the mailbox for this message, if one of the right kind is free.

    Two requests that see the same slot free meet at its key: the second takes nothing.
    """
    columns = ("mailbox_hash", "slot", "message_id")
    new = dialect_insert(dialect, _SLOTS).from_select(columns, _free_slot(entering=entering))
    return new.on_conflict_do_update(
        index_elements=["mailbox_hash", "slot"],
        set_={"message_id": new.excluded.message_id, "paused_until": None},
        where=_SLOTS.c.paused_until <= _FREE_BEFORE,
    )


def _free_slot(*, entering: bool) -> Select[Any]:
    """The first free slot: the one for notices where the address has a confirmed signature, else one of the others."""
    slots = _row_numbers(CONFIRMATIONS_PER_DAY + 1)
    is_notice = slots.c.slot == NOTICE_SLOT
    is_confirmed = _confirmed().exists()
    is_right = or_(and_(is_notice, is_confirmed), and_(~is_notice, ~is_confirmed) if entering else literal(value=False))
    suppressed = select(_SUPPRESSED.c.expires_at).where(
        _SUPPRESSED.c.email_hash.in_([_row("email_hash"), _row("mailbox_hash")]),
        _SUPPRESSED.c.expires_at > _NOW,
    )
    is_same = and_(_SLOTS.c.mailbox_hash == _row("mailbox_hash"), _SLOTS.c.slot == slots.c.slot)
    is_free = or_(_SLOTS.c.slot.is_(None), _SLOTS.c.paused_until <= _FREE_BEFORE)
    free = select(_row("mailbox_hash"), slots.c.slot, _message("id")).select_from(slots.outerjoin(_SLOTS, is_same))
    return free.where(is_free, is_right, ~suppressed.exists()).order_by(slots.c.slot).limit(1)


def _confirmed() -> Select[Any]:
    """The confirmed signature with this address."""
    return select(_SIGNATURES.c.id).where(
        _SIGNATURES.c.email_hash == _row("email_hash"), _SIGNATURES.c.confirmed_at.is_not(None)
    )


def _insert_submission(claimed: FromClause, is_ours: ColumnElement[bool]) -> Insert:
    """Store the submission if a slot for its confirmation was taken."""
    by_link = select(Signature.id).where(Signature.referral_code == _REFERRER_CODE, Signature.confirmed_at.is_not(None))
    # Locked, so that the referrer is still there when the row refers to them, or is not referred to.
    referrer = by_link.with_for_update(read=True, key_share=True).scalar_subquery()
    is_submission = and_(is_ours, claimed.c.slot != NOTICE_SLOT)
    row = select(*map(_row, _SUBMISSION), referrer).select_from(claimed).where(is_submission)
    return _SIGNATURES.insert().from_select([*_SUBMISSION, "referred_by"], row)


def _outbox_insert(claimed: FromClause, is_ours: ColumnElement[bool], *, entering: bool) -> Insert:
    """Post one message: a confirmation, a notice, or a decoy where no slot was taken."""
    # Locked, so that the signature still exists when the notice refers to it; otherwise a decoy is queued.
    owner = _confirmed().with_for_update(read=True, key_share=True).subquery("owner")
    is_notice, is_taken = owner.c.id.is_not(None), claimed.c.slot < NOTICE_SLOT
    of_submission = _row("id") if entering else literal(None)
    signature_id = case((is_notice, owner.c.id), (is_taken, of_submission), else_=None)
    kind = case(
        (is_notice, "already_signed" if entering else "link_request"), (is_taken, "confirmation"), else_="blank"
    )
    always = select(literal(1).label("one")).subquery("always")
    source = always.outerjoin(claimed, is_ours).outerjoin(owner, claimed.c.slot == NOTICE_SLOT)
    row = select(*map(_message, _MESSAGE), signature_id, kind).select_from(source)
    return _OUTBOX.insert().from_select([*_MESSAGE, "signature_id", "kind"], row)


def _row_numbers(below: int) -> Subquery:
    numbers: list[Select[Any]] = [select(literal_column(str(number)).label("slot")) for number in range(below)]
    return union_all(*numbers).subquery("slots")


def _row(name: str) -> BindParameter[Any]:
    """Return a parameter of the type of its column."""
    return bindparam(f"row_{name}", type_=_SIGNATURES.c[name].type)


def _message(name: str) -> BindParameter[Any]:
    return bindparam(f"message_{name}", type_=_OUTBOX.c[name].type)
