"""Writing signatures: signing, confirming, erasing, refusing."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, update
from sqlalchemy.orm import Session

from campaign import switches
from campaign.db import insert, new_id, transaction, utcnow
from campaign.errors import CampaignError, ExpiredLink, PetitionClosed, PetitionDelivered
from campaign.mail import outbox
from campaign.models import RefusedAddress, Signature
from campaign.petition.addresses import address_hash
from campaign.petition.entering import enter, find_again
from campaign.petition.lifetimes import LINK_LIFE, REFUSAL_LIFE, has_expired, missing
from campaign.petition.sealing import DataKeys, Person
from campaign.petition.shown_names import showable
from campaign.stages import stage

CONSENT_VERSION = "2013-11c"  # of the privacy page; a new text is a new version
NOTICE_PAUSE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Keys:
    """The server's own keys that signing needs, 32 bytes each, and the data keys of this process."""

    addresses: bytes
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


def sign(session: Session, keys: Keys, signer: Signer, *, arrived: Arrival) -> bool:
    """Store the signature and its mail in one transaction; returns after the commit whether it is a new one.

    An address that has signed already gets a mail that says so, at most one a day; one whose owner refused mail gets
    none. The caller cannot tell the difference, by the time it takes either: the same statements are carried out, and
    where no mail is to go out, a blank is posted. So nobody can find out who signed. Raises `PetitionClosed`.
    """
    if not stage(session).is_open:
        raise PetitionClosed
    identity, now = new_id(), utcnow()
    letter = outbox.Letter(to=signer.person.email, language=signer.language)
    row = new_row(session, keys, signer, identity=identity, signed_at=now)
    row |= {"via": arrived.via, "ref": arrived.ref, "noticed_before": now - NOTICE_PAUSE}
    entry = enter(session, row, outbox.new_row(keys.outbox, letter))
    if entry is not None and has_expired(signed_at=entry.signed_at, confirmed_at=entry.confirmed_at):
        erase(session, entry.id)
        entry = enter(session, row, outbox.new_row(keys.outbox, letter))
    return entry is not None and entry.id == identity


def send_link(session: Session, keys: Keys, *, email: str, language: str, at_once: bool = False) -> None:
    """Mail who signed with `email` (normalised) the link to their signature again; no one else.

    That is done once a day at most, but `at_once` for an organiser.

    As with `sign`, the caller cannot tell the difference, and it works in every stage: withdrawing is always possible.
    """
    now = utcnow()
    row = {"id": new_id(), "address_hash": address_hash(keys.addresses, email), "signed_at": now}
    letter = outbox.Letter(to=email, language=language)
    noticed_before = now if at_once else now - NOTICE_PAUSE
    find_again(session, row | {"noticed_before": noticed_before}, outbox.new_row(keys.outbox, letter))


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
        "shown_name": showable(signer.person.given_name) if signer.show_name else None,
        "code": secrets.token_urlsafe(8),
        "consent_version": CONSENT_VERSION,
        "signed_at": signed_at,
        "synthetic": False,
    }


def confirm(session: Session, signature_id: UUID) -> None:
    """Count the signature from now on; a second time changes nothing.

    Raises `UnknownLink`, `ExpiredLink`, or `PetitionDelivered` when it comes too late to be handed in.
    """
    now = utcnow()
    in_time = and_(Signature.signed_at > now - LINK_LIFE, ~switches.on("delivered"))
    alive = or_(Signature.confirmed_at.is_not(None), in_time)
    first = func.coalesce(Signature.confirmed_at, now)
    chosen = update(Signature).where(Signature.id == signature_id, alive).values(confirmed_at=first)
    with transaction(session):
        if session.execute(chosen.returning(Signature.id)).first() is None:
            raise _why_not(session, signature_id)
        outbox.withdraw(session, signature_id)


def stop_updates(session: Session, signature_id: UUID) -> None:
    """Write no more to who signed. Raises `UnknownLink` when the signature is gone."""
    chosen = update(Signature).where(Signature.id == signature_id).values(updates=False)
    with transaction(session):
        if session.execute(chosen.returning(Signature.id)).first() is None:
            raise missing(signature_id)


def erase(session: Session, signature_id: UUID) -> None:
    """Delete the signature and any mail that waits for it; once it is gone, nothing is left to do."""
    with transaction(session):
        session.execute(delete(Signature).where(Signature.id == signature_id))


def refuse(session: Session, signature_id: UUID) -> bool:
    """Erase the signature, and for 30 days send nothing to its address: its owner did not sign.

    Returns `False` if it was gone already: then nothing is known of its address.
    """
    until = utcnow() + REFUSAL_LIFE
    with transaction(session):
        gone = delete(Signature).where(Signature.id == signature_id).returning(Signature.address_hash)
        if hashed := session.scalar(gone):
            refused = insert(session, RefusedAddress).values(address_hash=hashed, until=until)
            session.execute(refused.on_conflict_do_update(index_elements=["address_hash"], set_={"until": until}))
    return hashed is not None


def _why_not(session: Session, signature_id: UUID) -> CampaignError:
    """Return what to say of a signature that could not be confirmed."""
    found = session.get(Signature, signature_id)
    if found is None:
        return missing(signature_id)
    return ExpiredLink() if has_expired(signed_at=found.signed_at, confirmed_at=None) else PetitionDelivered()
