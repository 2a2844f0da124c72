"""Passkeys: a second factor that a device keeps and nobody can copy out of it (W3C, Web Authentication, level 3)."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from campaign.db import insert, new_id, transaction, utcnow
from campaign.errors import WrongFactor
from campaign.models import Passkey, UsedChallenge
from campaign.organising.slowing import guessed

NAME = "Love Always Wins"
CHALLENGE_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys of this campaign are good: the address that people see."""

    origin: str

    @property
    def host(self) -> str:
        """The "relying party" that a passkey belongs to."""
        return urlsplit(self.origin).hostname or ""


def has_passkey(session: Session, organiser_id: UUID) -> bool:
    """Tell whether an organiser has a passkey."""
    return bool(session.scalar(select(exists().where(Passkey.organiser_id == organiser_id))))


def creation(place: Place, organiser_id: UUID, email: str) -> dict[str, Any]:
    """Return what a browser needs to make a passkey, as JSON can hold it; "challenge" is what it has to sign."""
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=NAME,
        user_id=organiser_id.bytes,
        user_name=email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return dict(options_to_json_dict(options))


def keep(session: Session, place: Place, organiser_id: UUID, *, credential: str, challenge: str) -> None:
    """Keep the passkey that a browser made; `credential` is its JSON. Raises `WrongFactor`."""
    _use_up(session, challenge)
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=False,  # it is the second factor; the password is the first
        )
    except (WebAuthnException, ValueError):
        raise WrongFactor("this passkey cannot be used") from None
    row = {"credential_id": made.credential_id, "public_key": made.credential_public_key, "sign_count": made.sign_count}
    with transaction(session):
        session.execute(
            insert(session, Passkey).values(id=new_id(), organiser_id=organiser_id, created_at=utcnow(), **row)
        )


def request(session: Session, place: Place, organiser_id: UUID) -> dict[str, Any]:
    """Return what a browser needs to show that it has a passkey of this organiser."""
    known = session.scalars(select(Passkey.credential_id).where(Passkey.organiser_id == organiser_id))
    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        allow_credentials=[PublicKeyCredentialDescriptor(id=credential_id) for credential_id in known],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options_to_json_dict(options))


def check(session: Session, place: Place, organiser_id: UUID, *, credential: str, challenge: str) -> None:
    """Accept what a browser signed with a passkey. Raises `WrongFactor` and `TooManyTries`."""
    with guessed(session, f"factor of {organiser_id}", wrong=WrongFactor):
        _use_up(session, challenge)
        try:
            _verify(session, place, organiser_id, credential, challenge)
        except (WebAuthnException, ValueError, KeyError):
            raise WrongFactor("this passkey is not right") from None


def _verify(session: Session, place: Place, organiser_id: UUID, credential: str, challenge: str) -> None:
    read = webauthn.helpers.parse_authentication_credential_json(credential)
    known = session.scalar(
        select(Passkey).where(Passkey.credential_id == read.raw_id, Passkey.organiser_id == organiser_id)
    )
    if known is None:
        raise WrongFactor("this passkey is not right")
    verified = webauthn.verify_authentication_response(
        credential=read,
        expected_challenge=base64url_to_bytes(challenge),
        expected_rp_id=place.host,
        expected_origin=place.origin,
        credential_public_key=known.public_key,
        credential_current_sign_count=known.sign_count,
        require_user_verification=False,
    )
    used = update(Passkey).where(Passkey.id == known.id).values(sign_count=verified.new_sign_count)
    with transaction(session):
        session.execute(used)


def _use_up(session: Session, challenge: str) -> None:
    """Let each challenge be good once. Raises `WrongFactor` for one that was used, or never made."""
    if not challenge:
        raise WrongFactor("there was no challenge")
    challenge_hash = blake2b(challenge.encode(), digest_size=32, person=b"passkey").digest()
    row = {"challenge_hash": challenge_hash, "until": utcnow() + CHALLENGE_LIFE}
    used = insert(session, UsedChallenge).values(**row).on_conflict_do_nothing()
    with transaction(session):
        if session.scalar(used.returning(UsedChallenge.challenge_hash)) is None:
            raise WrongFactor("this challenge was answered before")
