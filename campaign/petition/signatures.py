"""Writing signatures: signing, confirming, erasing, refusing."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from campaign.core.database import Base, core_transaction, insert, new_id, retry_on_deadlock, transaction, utcnow
from campaign.core.group_commit import GroupCommit
from campaign.crypto.data_keys import DataKeys, Person
from campaign.errors import BotCheckRequired, CampaignError, ExpiredLink, PetitionClosed, PetitionDelivered, UnknownLink
from campaign.mail import outbox
from campaign.mail.pacing import EMAIL_INTERVAL
from campaign.models import Signature, SuppressedEmail
from campaign.petition import feature_flags
from campaign.petition.display_names import display_name_for
from campaign.petition.email_addresses import email_hash, mailbox_hash
from campaign.petition.expiry import LINK_LIFETIME, SUPPRESSION_PERIOD, has_expired, link_error
from campaign.petition.signing_sql import Mailbox, NewSignature, Submission, insert_signatures, queue_link_again
from campaign.petition.status import status_of

CONSENT_VERSION = "2013-11d"  # of the privacy page; a new text is a new version


@dataclass(frozen=True, slots=True)
class Keys:
    """The server's own keys that signing needs, 32 bytes each, and the data keys of this process."""

    addresses: bytes
    outbox: bytes
    data: DataKeys


@dataclass(frozen=True, slots=True)
class Signer:
    """A submission of the form; `person.email` is normalised."""

    person: Person
    country: str
    language: str
    updates: bool
    show_name: bool


@dataclass(frozen=True, slots=True)
class Referral:
    """The referral of a signature: the channel, and the code of the supporter whose link was used."""

    via: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A submission, and whether it passed the bot check."""

    submission: Submission
    has_passed: bool


class Signing(GroupCommit[_Attempt]):
    """Stores the submissions of this process, those of the same moment in one transaction."""

    def __init__(self) -> None:
        super().__init__(_store)


def sign(
    session: Session, keys: Keys, signing: Signing, signer: Signer, *, arrived: Referral, has_passed: bool = False
) -> None:
    """Store a submission and its confirmation email in one transaction, and return after the commit.

    An email address may have several pending submissions, each with its own email: at most three a day per mailbox. An
    address with a confirmed signature gets a notice instead, at most one a day; a suppressed one gets nothing. The
    caller cannot tell the difference, not even by the time: the same statements run, and a decoy is queued if no email
    must be sent. So nobody can find out who signed. Raises `PetitionClosed`, and `BotCheckRequired` if the check is on
    and the submission has not passed it.
    """
    identity, now = new_id(), utcnow()
    letter = outbox.Recipient(to=signer.person.email, language=signer.language)
    row = new_signature(session, keys, signer, identity=identity, signed_at=now, via=arrived.via)
    submission = Submission(row, outbox.new_message(keys.outbox, letter), arrived.ref)
    signing.submit(session, _Attempt(submission, has_passed))


def _store(session: Session, attempts: Sequence[_Attempt]) -> list[CampaignError | None]:
    """Store those that are not refused, in one transaction; returns the refusal of each, if any."""
    return retry_on_deadlock(partial(_store_once, session, attempts))


def _store_once(session: Session, attempts: Sequence[_Attempt]) -> list[CampaignError | None]:
    with core_transaction(session) as connection:
        flags = feature_flags.enabled_since(connection)
        refusals = [_refusal(flags, attempt) for attempt in attempts]
        if accepted := [each.submission for each, refusal in zip(attempts, refusals, strict=True) if refusal is None]:
            insert_signatures(connection, accepted)
    return refusals


def _refusal(flags: Mapping[str, datetime], attempt: _Attempt) -> CampaignError | None:
    if not status_of(flags).is_open:
        return PetitionClosed()
    if "bot-check" in flags and not attempt.has_passed:
        return BotCheckRequired()
    return None


def send_link(session: Session, keys: Keys, *, email: str, language: str, at_once: bool = False) -> None:
    """Email the link of the confirmed signature with `email` (normalised) to its owner again.

    This is done at most once a day, or with `at_once` for an organiser at any time. A pending submission may belong to
    someone else, so its link is only in its own confirmation email; the owner can sign again.

    As with `sign`, the caller cannot tell the difference. It works in every status, since withdrawing is always
    possible.
    """
    now = utcnow()
    mailbox = Mailbox(email_hash(keys.addresses, email), mailbox_hash(keys.addresses, email))
    message = outbox.new_message(keys.outbox, outbox.Recipient(to=email, language=language), budgeted=False)
    queue_link_again(session, mailbox, message, now=now, free_before=now + EMAIL_INTERVAL if at_once else now)


def new_signature(
    session: Session, keys: Keys, signer: Signer, *, identity: UUID, signed_at: datetime, via: str | None
) -> NewSignature:
    """Return an encrypted submission. May commit a data key: call it before a transaction."""
    encrypted = keys.data.encrypt(session, signer.person, identity=identity)
    return NewSignature(
        id=identity,
        email_hash=email_hash(keys.addresses, signer.person.email),
        mailbox_hash=mailbox_hash(keys.addresses, signer.person.email),
        data_key_id=encrypted.data_key_id,
        encrypted_person=encrypted.blob,
        country=signer.country,
        language=signer.language,
        updates=signer.updates,
        display_name=display_name_for(signer.person.given_name) if signer.show_name else None,
        via=via,
        referral_code=secrets.token_urlsafe(8),
        consent_version=CONSENT_VERSION,
        signed_at=signed_at,
    )


def confirm(session: Session, signature_id: UUID) -> None:
    """Count this submission from now on and delete the others with its address; a second time changes nothing.

    Raises `UnknownLink` (also when another submission was confirmed first), `ExpiredLink`, or `PetitionDelivered` when
    it comes too late to be delivered.
    """
    retry_on_deadlock(partial(_confirm, session, signature_id))


def stop_updates(session: Session, signature_id: UUID) -> None:
    """Send the supporter no further updates. Raises `UnknownLink` when the signature is gone."""
    statement = update(Signature).where(Signature.id == signature_id).values(updates=False)
    with transaction(session):
        if session.execute(statement.returning(Signature.id)).first() is None:
            raise link_error(signature_id)


def erase(session: Session, signature_id: UUID) -> bool:
    """Delete the signature, pending submissions with its address, and the emails that wait for them.

    A signature with the address that was confirmed by another link stays. Returns whether there was anything to delete.
    """
    return retry_on_deadlock(partial(_erase, session, signature_id))


def refuse(session: Session, signature_id: UUID) -> bool:
    """Erase the submission as `erase` does, and for 30 days send nothing to its mailbox: its owner did not sign.

    Returns `False` if it was gone already: then nothing is known of its address.
    """
    return retry_on_deadlock(partial(_erase, session, signature_id, refusing=True))


def _confirm(session: Session, signature_id: UUID) -> None:
    now = utcnow()
    with core_transaction(session) as connection:
        submissions = _submissions_with_its_address(connection, signature_id)
        if not any(each.id == signature_id for each in submissions):
            raise link_error(signature_id)
        if confirmed := [each.id for each in submissions if each.confirmed_at is not None]:
            if confirmed != [signature_id]:
                raise UnknownLink
            return
        values = {"signature_id": signature_id, "now": now, "signed_after": now - LINK_LIFETIME}
        if connection.execute(_CONFIRM, values).first() is None:
            raise _confirmation_error(connection, signature_id)
        if others := [each.id for each in submissions if each.id != signature_id]:
            connection.execute(delete(Signature).where(Signature.id.in_(others)))
        outbox.cancel_for(connection, signature_id)


def _erase(session: Session, signature_id: UUID, *, refusing: bool = False) -> bool:
    until = utcnow() + SUPPRESSION_PERIOD
    with transaction(session):
        submissions = _submissions_with_its_address(session.connection(), signature_id)
        erased = [each for each in submissions if each.id == signature_id or each.confirmed_at is None]
        session.execute(delete(Signature).where(Signature.id.in_([each.id for each in erased])))
        if refusing and erased:
            row = insert(session, SuppressedEmail).values(email_hash=erased[0].mailbox_hash, expires_at=until)
            session.execute(row.on_conflict_do_update(index_elements=["email_hash"], set_={"expires_at": until}))
    return bool(erased)


def _submissions_with_its_address(connection: Connection, signature_id: UUID) -> Sequence[Row[Any, Any, Any]]:
    """Return id, confirmed_at and mailbox_hash of all submissions with the address of this one; none if it is gone.

    They are locked in the order of their ids: so two that are confirmed at the same moment wait for each other.
    """
    return connection.execute(_SAME_ADDRESS, {"signature_id": signature_id}).all()


def _confirmation_error(connection: Connection, signature_id: UUID) -> CampaignError:
    """Return the error for a submission that could not be confirmed."""
    signed_at = connection.scalar(select(Signature.signed_at).where(Signature.id == signature_id))
    if signed_at is None:
        return link_error(signature_id)
    return ExpiredLink() if has_expired(signed_at=signed_at, confirmed_at=None) else PetitionDelivered()


# Statements that are built once, since that takes longer than executing them.
_SIGNATURES = Base.metadata.tables[Signature.__tablename__]
_ID = bindparam("signature_id", type_=_SIGNATURES.c.id.type)
_SAME_ADDRESS = (
    select(_SIGNATURES.c.id, _SIGNATURES.c.confirmed_at, _SIGNATURES.c.mailbox_hash)
    .where(
        _SIGNATURES.c.email_hash
        == select((asked := _SIGNATURES.alias("asked")).c.email_hash).where(asked.c.id == _ID).scalar_subquery()
    )
    .order_by(_SIGNATURES.c.id)
    .with_for_update()
)
_CONFIRM = (
    update(_SIGNATURES)
    .where(
        _SIGNATURES.c.id == _ID,
        _SIGNATURES.c.signed_at > bindparam("signed_after", type_=_SIGNATURES.c.signed_at.type),
        ~feature_flags.enabled_flags("delivered"),
    )
    .values(confirmed_at=bindparam("now", type_=_SIGNATURES.c.confirmed_at.type))
    .returning(_SIGNATURES.c.id)
)
