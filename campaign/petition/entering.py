"""Entering a signature and posting its letter: the database judges which of them is needed, in one go."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Insert,
    Row,
    Select,
    bindparam,
    case,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from campaign.db import Base, at_once, despite_deadlocks, insert_for, transaction
from campaign.models import OutboxMessage, RefusedAddress, Signature

# Core without the ORM: this path must be fast.
_SIGNATURES = Base.metadata.tables[Signature.__tablename__]
_OUTBOX = Base.metadata.tables[OutboxMessage.__tablename__]

_ENTERED = (
    *("id", "address_hash", "data_key_id", "sealed", "country", "language", "updates", "shown_name", "via", "code"),
    *("consent_version", "signed_at", "synthetic"),
)
_FOUND = [_SIGNATURES.c[name] for name in ("id", "signed_at", "confirmed_at", "noticed_at")]
_POSTED = ("id", "sealed", "created_at", "due_at", "attempts", "refusal")


def enter(session: Session, row: dict[str, Any], letter: dict[str, Any]) -> Row[Any] | None:
    """Enter a signature with its letter, in one transaction; returns the one signature that the address has now.

    `row` has the columns of the signature, `ref` (the code of who brought the signer) and `noticed_before` (who was
    told later is not told now); `letter` those of a message. Returns None where the address is refused. PostgreSQL
    does it in one statement, and so holds no lock for longer.
    """
    return despite_deadlocks(lambda: _carry_out(_entering, session, row, letter))


def find_again(session: Session, row: dict[str, Any], letter: dict[str, Any]) -> None:
    """Post the letter to who signed with the address of `row`, in the same way; to nobody else, and a blank instead.

    `row` has an `id` that no signature has, `address_hash`, `signed_at` (now) and `noticed_before`.
    """
    despite_deadlocks(lambda: _carry_out(_finding, session, row, letter))


def _carry_out(
    change: Callable[[str], Any], session: Session, row: dict[str, Any], letter: dict[str, Any]
) -> Row[Any] | None:
    """Make the `change` to the signatures and post the letter; returns the signature of that address."""
    # Not by the bare names of columns: those an UPDATE would take for what it is to set.
    values = {f"row_{name}": value for name, value in row.items()}
    values |= {f"letter_{name}": value for name, value in letter.items()}
    if session.get_bind().dialect.name == "postgresql":
        with at_once(session) as connection:
            return connection.execute(_in_one_statement(change), values).first()
    with transaction(session):
        entry = session.connection().execute(change("sqlite"), values).first()
        session.connection().execute(_posting_after(), values)
    return entry


@cache
def _in_one_statement(change: Callable[[str], Any]) -> Select[Any]:
    entry = change("postgresql").cte("entry")
    posted = _posting(entry, true()).returning(_OUTBOX.c.id).cte("posted")
    return select(entry).add_cte(posted)


@cache
def _posting_after() -> Insert:
    return _posting(_SIGNATURES, _SIGNATURES.c.address_hash == _parameter("address_hash"))


@cache
def _entering(dialect: str) -> Any:
    """Enter a signature unless its address is refused; of one that is there already, note that its owner is told now.

    Whoever comes second, by a hair even, meets the row of the first.
    """
    new = insert_for(dialect, _SIGNATURES).from_select([*_ENTERED, "referred_by"], _welcome())
    merged = new.on_conflict_do_update(index_elements=["address_hash"], set_={"noticed_at": _noticed()})
    return merged.returning(*_FOUND)


@cache
def _finding(_dialect: str) -> Any:
    """Note of the signature with this address that its owner is told now."""
    found = update(_SIGNATURES).where(_SIGNATURES.c.address_hash == _parameter("address_hash"))
    return found.values(noticed_at=_noticed()).returning(*_FOUND)


def _noticed() -> ColumnElement[Any]:
    """When the owner of a signature was told last: now, unless that was a short while ago."""
    told_before = _SIGNATURES.c.noticed_at
    rested = or_(told_before.is_(None), told_before <= _parameter("noticed_before"))
    return case((rested, _parameter("signed_at")), else_=told_before)


def _welcome() -> Select[Any]:
    """The row to enter, from its parameters; no row where the address is refused."""
    refused = select(RefusedAddress.until).where(
        RefusedAddress.address_hash == _parameter("address_hash"), RefusedAddress.until > _parameter("signed_at")
    )
    by_link = select(Signature.id).where(Signature.code == _parameter("ref"), Signature.confirmed_at.is_not(None))
    # Locked, so that who brought the signer is there still when the row refers to them, or is not referred to.
    still_there = by_link.with_for_update(read=True, key_share=True).scalar_subquery()
    return select(*map(_parameter, _ENTERED), still_there).where(~refused.exists())


def _posting(entry: FromClause, condition: ColumnElement[bool]) -> Insert:
    """Post one letter, of the kind that `entry` asks for; a blank where there is none, or its owner was told today."""
    kind = case(
        (entry.c.id == _parameter("id"), "confirmation"),
        (entry.c.noticed_at == _parameter("signed_at"), "already_signed"),
        else_="blank",
    )
    letter = [bindparam(f"letter_{name}", type_=_OUTBOX.c[name].type) for name in _POSTED]
    always = select(literal(1).label("one")).subquery("always")
    row = select(*letter, entry.c.id, kind).select_from(always.outerjoin(entry, condition))
    return _OUTBOX.insert().from_select([*_POSTED, "signature_id", "kind"], row)


def _parameter(name: str) -> BindParameter[Any]:
    """Return a parameter of the type of its column."""
    column = {"ref": "code", "noticed_before": "noticed_at"}.get(name, name)
    return bindparam(f"row_{name}", type_=_SIGNATURES.c[column].type)
