"""Passkeys: a second factor that cannot be copied from its device (W3C, Web Authentication, level 3).

The library that verifies them is imported when it is first needed: no command and few servers ever do, and it takes as
long to import as a tenth of all that starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from campaign.accounts import short_lived_tokens
from campaign.accounts.organisers import lock_organiser
from campaign.accounts.short_lived_tokens import PASSKEY_CREATION, PASSKEY_LOGIN, Purpose
from campaign.accounts.throttling import throttled
from campaign.core.database import insert, new_id, transaction, utcnow
from campaign.core.logging import error_code
from campaign.errors import LastSecondFactor, WrongCredential
from campaign.models import Passkey

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential, RegistrationCredential

RELYING_PARTY_NAME = "Love Always Wins"
MAX_NAME_LENGTH = 60  # characters of the name that an organiser gives a passkey
MAX_CREDENTIAL_LENGTH = 16 * 1024  # characters; an attestation with certificates has some 8,000

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Where passkeys of this campaign are good: the address that people see."""

    origin: str

    @property
    def host(self) -> str:
        """The "relying party" that a passkey belongs to."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True)
class PasskeyInfo:
    """A passkey as its organiser sees it."""

    id: UUID
    name: str | None
    created_at: datetime
    last_used_at: datetime | None


def list_passkeys(session: Session, organiser_id: UUID) -> list[PasskeyInfo]:
    """Return the passkeys of an organiser, the oldest first."""
    columns = (Passkey.id, Passkey.name, Passkey.created_at, Passkey.last_used_at)
    rows = select(*columns).where(Passkey.organiser_id == organiser_id).order_by(Passkey.created_at, Passkey.id)
    return [PasskeyInfo(*row) for row in session.execute(rows)]


def has_passkey(session: Session, organiser_id: UUID) -> bool:
    """Return whether an organiser has a passkey."""
    return bool(session.scalar(select(exists().where(Passkey.organiser_id == organiser_id))))


def registration_options(session: Session, place: RelyingParty, organiser_id: UUID, email: str) -> dict[str, Any]:
    """Return the options with which a browser creates a passkey, as JSON values. The challenge is single-use."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=RELYING_PARTY_NAME,
        user_id=organiser_id.bytes,
        user_name=email,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
    )
    return _with_challenge(session, PASSKEY_CREATION, organiser_id, webauthn.helpers.options_to_json_dict(options))


def register(session: Session, place: RelyingParty, organiser_id: UUID, *, credential: str, name: str = "") -> None:
    """Store a passkey that a browser created; `credential` is its JSON. Raises `WrongCredential`."""
    import webauthn

    parsed: RegistrationCredential = _untrusted_input(
        webauthn.helpers.parse_registration_credential_json, _require_bounded(credential)
    )
    verified = _untrusted_input(
        webauthn.verify_registration_response,
        credential=parsed,
        expected_challenge=_use_challenge(session, PASSKEY_CREATION, organiser_id, parsed),
        expected_rp_id=place.host,
        expected_origin=place.origin,
        require_user_verification=False,  # it is the second factor; the password is the first
    )
    row = {
        "credential_id": verified.credential_id,
        "public_key": verified.credential_public_key,
        "sign_count": verified.sign_count,
    }
    row |= {"id": new_id(), "organiser_id": organiser_id, "created_at": utcnow(), "name": name[:MAX_NAME_LENGTH]}
    try:
        with transaction(session):
            session.execute(insert(session, Passkey).values(**row))
    except IntegrityError:
        raise WrongCredential("this passkey is registered already") from None


def remove(session: Session, organiser_id: UUID, passkey_id: UUID) -> bool:
    """Delete a passkey of an organiser; returns whether there was one. Raises `LastSecondFactor`."""
    theirs = (Passkey.id == passkey_id, Passkey.organiser_id == organiser_id)
    with transaction(session):
        has_app = lock_organiser(session, organiser_id).last_totp_step is not None
        removed = session.scalar(delete(Passkey).where(*theirs).returning(Passkey.id)) is not None
        if removed and not has_app and not has_passkey(session, organiser_id):
            raise LastSecondFactor("this is the only second factor")
    return removed


def authentication_options(session: Session, place: RelyingParty, organiser_id: UUID) -> dict[str, Any]:
    """Return the options for a browser to prove possession of this organiser's passkey, with a single-use challenge."""
    import webauthn
    from webauthn.helpers import structs

    credential_ids = session.scalars(select(Passkey.credential_id).where(Passkey.organiser_id == organiser_id))
    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=credential_id) for credential_id in credential_ids],
        user_verification=structs.UserVerificationRequirement.PREFERRED,
    )
    return _with_challenge(session, PASSKEY_LOGIN, organiser_id, webauthn.helpers.options_to_json_dict(options))


def verify(session: Session, place: RelyingParty, organiser_id: UUID, *, credential: str) -> None:
    """Verify a browser's response to a challenge. Raises `WrongCredential` and `Throttled`."""
    import webauthn

    with throttled(session, f"factor of {organiser_id}"):
        parsed: AuthenticationCredential = _untrusted_input(
            webauthn.helpers.parse_authentication_credential_json, _require_bounded(credential)
        )
        challenge = _use_challenge(session, PASSKEY_LOGIN, organiser_id, parsed)
        passkey = session.scalar(
            select(Passkey).where(Passkey.credential_id == parsed.raw_id, Passkey.organiser_id == organiser_id)
        )
        if passkey is None:
            raise WrongCredential("this passkey is not valid")
        verified = _untrusted_input(
            webauthn.verify_authentication_response,
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,  # a count that does not rise is refused: a copied passkey
            require_user_verification=False,
        )
        unchanged = (Passkey.id == passkey.id, Passkey.sign_count == passkey.sign_count)
        values = {"sign_count": verified.new_sign_count, "last_used_at": utcnow()}
        with transaction(session):
            if session.scalar(update(Passkey).where(*unchanged).values(**values).returning(Passkey.id)) is None:
                raise WrongCredential("this passkey was used concurrently")


def _with_challenge(session: Session, purpose: Purpose, organiser_id: UUID, options: dict[str, Any]) -> dict[str, Any]:
    short_lived_tokens.issue(session, purpose, organiser_id, token=options["challenge"])
    return dict(options)


def _use_challenge(
    session: Session,
    purpose: Purpose,
    organiser_id: UUID,
    credential: "RegistrationCredential | AuthenticationCredential",
) -> bytes:
    """Return the challenge that a credential answers, which is valid once. Raises `WrongCredential`."""
    from webauthn import helpers

    challenge = _untrusted_input(helpers.parse_client_data_json, credential.response.client_data_json).challenge
    if short_lived_tokens.consume(session, purpose, helpers.bytes_to_base64url(challenge)) != organiser_id:
        raise WrongCredential("this challenge has been used or has expired")
    return challenge


def _require_bounded(credential: str) -> str:
    if len(credential) > MAX_CREDENTIAL_LENGTH:
        raise WrongCredential("this is not a passkey")
    return credential


def _untrusted_input(parse: Callable[..., Result], *arguments: object, **options: object) -> Result:
    """Return the library's result for untrusted data. Raises `WrongCredential` for any failure."""
    try:
        return parse(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - deep JSON is a RecursionError, and CBOR has failures of its own
        log.info("passkey refused", error=error_code(error))
        raise WrongCredential("this passkey is not valid") from None
