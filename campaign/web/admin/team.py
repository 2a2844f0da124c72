"""The team page, for owners: invitations, roles, the export right, removal."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.accounts import invitations, organisers
from campaign.accounts.organisers import ROLES, Member, member
from campaign.core.database import db
from campaign.errors import LastExporter, LastOwner, UnknownOrganiser
from campaign.web.admin import confirmations
from campaign.web.admin.access import record, recording, requires_role, run_with_passphrase, step_up
from campaign.web.admin.step_up import asks_confirmation
from campaign.web.forms.admin import InviteForm

bp = Blueprint("organisers", __name__)


@bp.get("/organisers")
@requires_role("owner")
def show() -> ResponseReturnValue:
    """List organisers and pending invitations."""
    return _page(InviteForm(formdata=None))


@bp.post("/organisers")
@requires_role("owner")
@step_up
def invite() -> ResponseReturnValue:
    """Make an invitation and show its address, this once; one that carries keys needs the giver's passphrase."""
    form = InviteForm()
    if not form.validate():
        return _page(form, 422)
    organiser = organisers.by_email(db.session, form.address)
    if organiser and organiser.activated_at and not form.exports.data:
        form.refuse(form.email, gettext("This email address already has an account."))
        return _page(form, 422)
    guest = organiser.id if organiser and organiser.activated_at else None
    with form.refusing(form.passphrase, gettext("Wrong passphrase. No invitation was created. Try again.")):
        invitation_url = url_for("invitation.account", token=_invitation(form, guest))
        return _page(InviteForm(formdata=None), invitation_url=invitation_url, email=form.address)
    return _page(form, form.status)


@bp.post("/organisers/<uuid:organiser_id>/role")
@requires_role("owner")
@step_up
@asks_confirmation(confirmations.role_change_question)
def set_role(organiser_id: UUID) -> ResponseReturnValue:
    """Change an organiser's role."""
    role = request.form.get("role", "")
    if role not in ROLES:
        abort(400)
    changed = _find(organiser_id)
    with recording("changed-role", email=changed.email, before=changed.role, role=role) as draft:
        draft.happened = role != _find(organiser_id).role
        organisers.set_role(db.session, organiser_id, role)
    return redirect(url_for(".show"), 303)


@bp.post("/organisers/<uuid:organiser_id>/stop-export")
@requires_role("owner")
@step_up
@asks_confirmation(confirmations.revoke_export_question)
def stop_export(organiser_id: UUID) -> ResponseReturnValue:
    """Revoke the export right, and delete the organiser's copy of the keys."""
    with recording("ended-export", email=_find(organiser_id).email) as draft:
        draft.happened = organisers.revoke_export(db.session, organiser_id)
    return redirect(url_for(".show"), 303)


@bp.post("/organisers/<uuid:organiser_id>/remove")
@requires_role("owner")
@step_up
@asks_confirmation(confirmations.removal_question)
def remove(organiser_id: UUID) -> ResponseReturnValue:
    """Remove an organiser, with their sessions and their copy of the keys."""
    with recording("removed", email=_find(organiser_id).email):
        organisers.remove(db.session, organiser_id)
    return redirect(url_for(".show"), 303)


@bp.post("/organisers/invitations/take-back")
@requires_role("owner")
@step_up
@asks_confirmation(confirmations.revoke_invitation_question)
def take_back() -> ResponseReturnValue:
    """Revoke a pending invitation."""
    email = request.form.get("email") or None
    with recording("took-back-invitation", email=email) as draft:
        draft.happened = invitations.revoke(db.session, email)
    return redirect(url_for(".show"), 303)


@bp.errorhandler(LastOwner)
def explain_last_owner(_error: LastOwner) -> ResponseReturnValue:
    """Explain that at least one owner must remain."""
    return _page(
        InviteForm(formdata=None),
        409,
        error_message=gettext("No one else has the role Admin. Give it to someone else first."),
    )


@bp.errorhandler(LastExporter)
def explain_last_exporter(_error: LastExporter) -> ResponseReturnValue:
    """Explain that at least one organiser with the export right must remain."""
    error_message = gettext("No one else has export access. Give it to someone else first.")
    return _page(InviteForm(formdata=None), 409, error_message=error_message)


@bp.errorhandler(UnknownOrganiser)
def explain_unknown_organiser(_error: UnknownOrganiser) -> ResponseReturnValue:
    """Explain that the organiser has been removed already."""
    return _page(InviteForm(formdata=None), 404, error_message=gettext("This person is no longer in the team."))


def _invitation(form: InviteForm, guest: UUID | None) -> str:
    arguments: dict[str, Any] = {"email": form.address, "role": form.role.data}
    if not form.exports.data:
        with recording("invited", **arguments, exports=False):
            return invitations.invite(db.session, **arguments)
    guest_id = str(guest) if guest else None
    token = run_with_passphrase("invite", str(form.passphrase.data), **arguments, known=guest_id).finish()["token"]
    record("invited", **arguments, exports=True)
    return str(token)


def _find(organiser_id: UUID) -> Member:
    return member(db.session, organiser_id)


def _page(form: InviteForm, status: int = 200, **context: Any) -> ResponseReturnValue:
    page = render_template(
        "admin/team.html",
        form=form,
        members=organisers.members(db.session),
        pending_invitations=invitations.pending_invitations(db.session),
        roles=list(confirmations.role_names().items()),
        **context,
    )
    return make_response(page, status)
