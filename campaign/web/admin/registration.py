"""The steps of a registration: each one requires the browser that started it, or a session of its organiser."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from flask import g, redirect, url_for
from flask.typing import ResponseReturnValue

from campaign.accounts import organisers
from campaign.accounts.invitations import InvitationDetails
from campaign.core.database import db
from campaign.web.admin import sessions
from campaign.web.admin.access import public_view

Step = Callable[[UUID], ResponseReturnValue]


def registration_step(view: Step) -> Callable[..., ResponseReturnValue]:
    """Allow a step only in the browser that started the registration; redirect others to its beginning."""

    @public_view
    @wraps(view)
    def wrapper(token: str) -> ResponseReturnValue:
        organiser_id = current_invitee(current_invitation())
        return view(organiser_id) if organiser_id else redirect(url_for(".account", token=token), 303)

    return wrapper


def newcomer_step(view: Step) -> Callable[..., ResponseReturnValue]:
    """Like `registration_step`, for organisers who cannot log in yet; others use their account page."""

    def wrapper(organiser_id: UUID) -> ResponseReturnValue:
        return redirect_to(".passphrase") if is_active(organiser_id) else view(organiser_id)

    return registration_step(wraps(view)(wrapper))


def current_invitee(of: InvitationDetails) -> UUID | None:
    """Return the invited organiser if this request comes from them, otherwise None."""
    signed_in = g.organiser.id if g.organiser else None
    here = (
        signed_in if is_active(of.organiser_id) else sessions.registration_token()
    )  # an active organiser must log in with both factors first
    return here if here is not None and here == of.organiser_id else None


def is_active(organiser_id: UUID | None) -> bool:
    """Return whether an organiser has completed the registration."""
    return organiser_id is not None and organisers.member(db.session, organiser_id).activated_at is not None


def current_invitation() -> InvitationDetails:
    """Return the invitation of this request."""
    invitation: InvitationDetails = g.invited
    return invitation


def redirect_to(step: str) -> ResponseReturnValue:
    """Redirect to another step."""
    return redirect(url_for(step, token=current_invitation().token), 303)
