"""Every write on the signatures table: signing, confirming, erasing; and reading one signature for its owner."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from campaign.db import insert, new_id, transaction, utcnow
from campaign.errors import UnknownLink
from campaign.mail import outbox
from campaign.models import Signature
from campaign.petition.addresses import address_hash
from campaign.petition.links import token_for
from campaign.petition.sealing import DataKeys, Person

CONSENT_VERSION = "2013-11"  # of the privacy page; a new text is a new version
NOTICE_PAUSE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Keys:
    """The server's own keys that signing needs, 32 bytes each, and the data keys of this process."""

    addresses: bytes
    links: bytes
    outbox: bytes
    data: DataKeys


@dataclass(frozen=True, slots=True)
class Signer:
    """What somebody signs with; `person.email` is normalised."""

    person: Person
    country: str
    language: str
    updates: bool
    show_name: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """How somebody came: the channel and the code of the supporter whose link it was."""

    via: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the server can still tell a supporter about their signature."""

    signed_at: datetime
    confirmed_at: datetime | None
    language: str
    code: str
    shown_name: str | None
    brought: int


def sign(session: Session, keys: Keys, signer: Signer, *, arrived: Arrival) -> None:
    """Store the signature and its mail in one transaction; returns after the commit.

    An address that has signed already gets a mail that says so, at most one a day, and nothing else changes. The caller
    cannot tell the difference, so nobody can find out who signed.
    """
    identity = new_id()
    row = new_row(session, keys, signer, identity=identity, signed_at=utcnow())
    with transaction(session):
        new = insert(session, Signature).values(**row, via=arrived.via, referred_by=_referrer(arrived.ref))
        if session.execute(new.on_conflict_do_nothing(index_elements=["address_hash"]).returning(Signature.id)).first():
            _mail(session, keys, signer, kind="confirmation", signature_id=identity)
        elif known := _take_notice(session, row["address_hash"]):
            _mail(session, keys, signer, kind="already_signed", signature_id=known)


def new_row(session: Session, keys: Keys, signer: Signer, *, identity: UUID, signed_at: datetime) -> dict[str, Any]:
    """Return the columns of an unconfirmed signature, sealed. May commit a data key: call it before a transaction."""
    sealed = keys.data.seal(session, signer.person, identity=identity)
    return {
        "id": identity,
        "address_hash": address_hash(keys.addresses, signer.person.email),
        "data_key_id": sealed.data_key_id,
        "sealed": sealed.blob,
        "country": signer.country,
        "language": signer.language,
        "updates": signer.updates,
        "shown_name": signer.person.given_name if signer.show_name else None,
        "code": secrets.token_urlsafe(8),
        "consent_version": CONSENT_VERSION,
        "signed_at": signed_at,
        "synthetic": False,
    }


def confirm(session: Session, signature_id: UUID) -> None:
    """Count the signature from now on; a second time changes nothing. Raises `UnknownLink` when it is gone."""
    with transaction(session):
        first = func.coalesce(Signature.confirmed_at, utcnow())
        chosen = update(Signature).where(Signature.id == signature_id).values(confirmed_at=first)
        if session.execute(chosen.returning(Signature.id)).first() is None:
            raise UnknownLink


def erase(session: Session, signature_id: UUID) -> None:
    """Delete the signature and any mail that waits for it; once it is gone, nothing is left to do."""
    with transaction(session):
        session.execute(delete(Signature).where(Signature.id == signature_id))


def receipt(session: Session, signature_id: UUID) -> Receipt:
    """Return what stands readable about a signature, for its owner. Raises `UnknownLink` when it is gone."""
    columns = (Signature.signed_at, Signature.confirmed_at, Signature.language, Signature.code, Signature.shown_name)
    row = session.execute(select(*columns).where(Signature.id == signature_id)).first()
    if row is None:
        raise UnknownLink
    brought = select(func.count()).where(Signature.referred_by == signature_id, Signature.confirmed_at.is_not(None))
    return Receipt(*row, brought=session.scalar(brought) or 0)


def _mail(session: Session, keys: Keys, signer: Signer, *, kind: outbox.Kind, signature_id: UUID) -> None:
    letter = outbox.Letter(
        kind=kind,
        to=signer.person.email,
        language=signer.language,
        token=token_for(keys.links, signature_id),
    )
    outbox.post(session, keys.outbox, letter, signature_id=signature_id)


def _take_notice(session: Session, hashed: object) -> UUID | None:
    """Return the id of the known signature if its owner may be written to now: nobody can flood them by signing."""
    now = utcnow()
    rested = or_(Signature.noticed_at.is_(None), Signature.noticed_at < now - NOTICE_PAUSE)
    noticed = update(Signature).where(and_(Signature.address_hash == hashed, rested)).values(noticed_at=now)
    return session.scalar(noticed.returning(Signature.id))


def _referrer(ref: str | None) -> ScalarSelect[UUID] | None:
    if ref is None:
        return None
    of_code = select(Signature.id).where(Signature.code == ref, Signature.confirmed_at.is_not(None))
    return of_code.scalar_subquery()
