"""Coming in: with an invitation at first, and then with a password and a second factor."""

from uuid import UUID

from sqlalchemy.orm import Session

from campaign.errors import AddressTaken, WrongFactor
from campaign.models import Organiser
from campaign.organising import invitations, organisers, passwords
from campaign.organising.codes import accept_recovery_code, accept_totp
from campaign.organising.invitations import Invited
from campaign.organising.slowing import guessed


def check_password(session: Session, email: str, password: str) -> Organiser:
    """Return the organiser whose address and password these are. Raises `WrongFactor` and `TooManyTries`.

    An address that no organiser has takes as long, and is answered alike.
    """
    with guessed(session, f"password of {organisers.folded(email)}", wrong=WrongFactor):
        found = organisers.by_email(session, email)
        if not passwords.is_right(password, found.password_hash if found else None) or found is None:
            raise WrongFactor("address or password is wrong")
    return found


def check_code(session: Session, key: bytes, organiser_id: UUID, code: str) -> None:
    """Accept the six digits of an authenticator app, or a recovery code. Raises `WrongFactor` and `TooManyTries`."""
    with guessed(session, f"factor of {organiser_id}", wrong=WrongFactor):
        found = session.get(Organiser, organiser_id)
        if found is None or not (
            accept_totp(session, key, found, code) or accept_recovery_code(session, organiser_id, code)
        ):
            raise WrongFactor("the code is wrong")


def begin(session: Session, invited: Invited, *, email: str, password: str) -> UUID:
    """Let somebody begin to come in, or go on where they began, and return their id.

    Raises `AddressTaken`, and `WrongFactor` and `TooManyTries` for who goes on with another password.
    """
    if invited.organiser_id is not None:
        return check_password(session, email, password).id
    hashed = passwords.hashed(password)
    identity = organisers.add(session, email=invited.email or email, role=invited.role, password_hash=hashed)
    if identity is None:
        raise AddressTaken("somebody with this address is in already")
    invitations.begin(session, invited.token, identity)
    return identity
