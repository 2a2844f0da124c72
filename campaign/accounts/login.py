"""Coming in: with an invitation at first, and then with a password and a second factor."""

from uuid import UUID

from sqlalchemy.orm import Session

from campaign.accounts import invitations, organisers, passwords
from campaign.accounts.backup_codes import accept_backup_code
from campaign.accounts.invitations import InvitationDetails
from campaign.accounts.passkeys import has_passkey
from campaign.accounts.throttling import throttled
from campaign.accounts.totp import accept_totp
from campaign.core.capacity import PASSWORDS
from campaign.errors import WrongCredential
from campaign.models import Organiser


def check_password(session: Session, email: str, password: str) -> Organiser:
    """Return the organiser whose address and password these are. Raises `WrongCredential` and `Throttled`.

    Also raises `Busy`. An address that no organiser has takes as long, and is answered alike.
    """
    with PASSWORDS.slot(), throttled(session, f"password of {organisers.normalize_email(email)}"):
        organiser = organisers.by_email(session, email)
        if not passwords.verify(password, organiser.password_hash if organiser else None) or organiser is None:
            raise WrongCredential("email address or password is wrong")
    return organiser


def check_code(session: Session, key: bytes, organiser_id: UUID, code: str) -> None:
    """Accept the six digits of an authenticator app, or a backup code. Raises `WrongCredential` and `Throttled`."""
    with throttled(session, f"factor of {organiser_id}"):
        organiser = session.get(Organiser, organiser_id)
        if organiser is None or not (
            accept_totp(session, key, organiser, code) or accept_backup_code(session, organiser_id, code)
        ):
            raise WrongCredential("the code is wrong")


def start_registration(session: Session, invited: InvitationDetails, *, email: str, password: str) -> UUID:
    """Start a registration, or continue an earlier one, and return the organiser's id.

    Of two concurrent requests one starts it and the other continues, if the password is the same. Raises
    `EmailAlreadyRegistered`, `Busy`, `UnknownInvitation`, and for a different password `WrongCredential` and
    `Throttled`.
    """
    if invited.organiser_id is None:
        hashed = passwords.hash_password(password)
        if (
            new_organiser_id := invitations.start_registration(
                session, invited.token, email=email, password_hash=hashed
            )
        ) is not None:
            return new_organiser_id
    organiser_id = check_password(session, email, password).id
    if organiser_id != invitations.find_invitation(session, invited.token).organiser_id:
        raise WrongCredential("another organiser has started to use this invitation")
    return organiser_id


def has_second_factor(session: Session, organiser_id: UUID) -> bool:
    """Return whether an organiser has shown a second factor: a code of their app, or a passkey."""
    organiser = session.get(Organiser, organiser_id, populate_existing=True)
    return organiser is not None and (organiser.last_totp_step is not None or has_passkey(session, organiser_id))
