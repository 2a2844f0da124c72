"""Integrity checks: whether the count equals the rows, and whether every row is complete."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from campaign.crypto.data_keys import ENCRYPTED_KEY_BYTES, MIN_BLOB_BYTES
from campaign.exports.export import ExportFilter, row_count
from campaign.models import CampaignKey, DataKey, Signature
from campaign.petition import totals

MAX_EXAMPLES = 5  # ids listed per failed check


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: what, whether it holds, and the figures."""

    subject: str
    holds: bool
    figures: str


def findings(session: Session) -> Iterator[Finding]:
    """Check the signatures using only the database. Yields one finding per check."""
    yield _count_reconciles(session)
    yield _no_orphans(session, "every signature has its data key", Signature.data_key_id, DataKey.id)
    yield _no_orphans(session, "every data key has its campaign key", DataKey.campaign_key_id, CampaignKey.id)
    whole = func.length(DataKey.encrypted_key) == ENCRYPTED_KEY_BYTES
    yield _no_rows(session, "every data key is whole", DataKey.id, ~whole, "of another length")
    short = func.length(Signature.encrypted_person) < MIN_BLOB_BYTES
    yield _no_rows(session, "every sealed row is whole", Signature.id, short, "too short")
    yield _no_mixed_signatures(session)
    if session.get_bind().dialect.name == "sqlite":
        verdict = session.scalar(text("PRAGMA integrity_check"))
        yield Finding("the database file is whole", verdict == "ok", str(verdict))


def _count_reconciles(session: Session) -> Finding:
    """Count three ways: as the page does (from totals), as the export does, and by looking at each row."""
    by_row = select(func.sum(case((Signature.confirmed_at.is_not(None), 1), else_=0)))
    public, exported, rows = totals.confirmed(session), row_count(session, ExportFilter()), session.scalar(by_row) or 0
    figures = f"count {public}, export {exported}, confirmed rows {rows}"
    return Finding("the count is right", public == exported == rows, figures)


def _no_mixed_signatures(session: Session) -> Finding:
    """Synthetic signatures are for trials; mixed with real ones they would be delivered too."""
    synthetic, real = (
        session.scalar(select(func.count()).where(Signature.synthetic.is_(kind))) or 0 for kind in (True, False)
    )
    return Finding("no synthetic signatures among real ones", not (synthetic and real), f"{synthetic} among {real}")


def _no_orphans(
    session: Session, subject: str, child: InstrumentedAttribute[UUID], parent: InstrumentedAttribute[UUID]
) -> Finding:
    return _no_rows(session, subject, child.class_.id, child.not_in(select(parent)), "without")


def _no_rows(session: Session, subject: str, ids: Any, wrong: ColumnElement[bool], what: str) -> Finding:
    """Look for rows that are `wrong`, and name the first of them."""
    number = session.scalar(select(func.count(ids)).where(wrong)) or 0
    first = [str(identity) for identity in session.scalars(select(ids).where(wrong).order_by(ids).limit(MAX_EXAMPLES))]
    return Finding(subject, number == 0, ": ".join(filter(None, (f"{number} {what}", ", ".join(first)))))
