"""Registration with an invitation, step by step: account, second factor, backup codes, export passphrase."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from campaign.accounts import backup_codes, invitations, organisers, passkeys, totp
from campaign.accounts.backup_codes import backup_codes_left
from campaign.accounts.login import check_code, check_password, has_second_factor, start_registration
from campaign.context import current_context
from campaign.core.database import db
from campaign.errors import EmailAlreadyRegistered, UnknownInvitation
from campaign.key_worker import client
from campaign.sharing.qr import qr_inline
from campaign.web.admin import sessions
from campaign.web.admin.access import public_view, recording_for
from campaign.web.admin.registration import (
    current_invitation,
    current_invitee,
    is_active,
    newcomer_step,
    redirect_to,
    registration_step,
)
from campaign.web.admin.relying_party import relying_party
from campaign.web.forms.admin import (
    AccountForm,
    CodeForm,
    CurrentSecretForm,
    KeyForm,
    MemberPassphraseForm,
    PassphraseForm,
)
from campaign.web.rate_limits import count_login

bp = Blueprint("invitation", __name__)


@bp.before_request
def find_invitation() -> None:
    """Find the invitation before any of these pages. Raises `UnknownInvitation`."""
    g.invited = invitations.find_invitation(db.session, (request.view_args or {})["token"])


@bp.errorhandler(UnknownInvitation)
def explain(_error: UnknownInvitation) -> ResponseReturnValue:
    """Explain that an invitation is single-use and valid for 48 hours. A second click on the last step redirects."""
    if request.method == "POST" and (g.organiser or is_active(sessions.registration_token())):
        return redirect(url_for("account.welcome" if g.organiser else "login.login"), 303)
    title, advice = (
        gettext("This invitation is no longer valid"),
        gettext("Invitations work only once and expire after 48 hours. Ask for a new one."),
    )
    return render_template("admin/error.html", title=title, advice=advice), 404


@bp.get("/invitation/<token:token>", strict_slashes=False)
@public_view
def account(token: str) -> ResponseReturnValue:
    """Show the form for email address and password, or redirect a person who has registered already."""
    if (here := current_invitee(current_invitation())) is not None:
        return redirect_to(".passphrase" if is_active(here) else ".show_second_factor")
    return _sign_in_first() if is_active(current_invitation().organiser_id) else _account(AccountForm(formdata=None))


@bp.post("/invitation/<token>")
@public_view
def submit_account(token: str) -> ResponseReturnValue:
    """Create the account from email address and password."""
    count_login()
    if is_active(current_invitation().organiser_id):
        return _sign_in_first()
    form = AccountForm()
    if current_invitation().email:
        form.email.data = current_invitation().email
    if not form.validate():
        return _account(form, 422)
    begun_by_another = gettext(
        "Someone has already started setting up an account with this invitation. Enter the "
        "password chosen then, or ask for a new invitation."
    )
    try:
        with form.refusing(form.chosen, begun_by_another):
            sessions.start_registration(
                start_registration(db.session, current_invitation(), email=form.address, password=str(form.chosen.data))
            )
            return redirect_to(".show_second_factor")
    except EmailAlreadyRegistered:
        form.refuse(form.email, gettext("This email address already has an account."))
    return _account(form, form.status)


@bp.get("/invitation/<token>/factor")
@newcomer_step
def show_second_factor(who: UUID) -> ResponseReturnValue:
    """Show the QR code for an authenticator app, and offer a passkey."""
    return redirect_to(".show_codes") if has_second_factor(db.session, who) else _factor(who, CodeForm(formdata=None))


@bp.post("/invitation/<token>/factor")
@newcomer_step
def submit_code(who: UUID) -> ResponseReturnValue:
    """Confirm the authenticator app with its first code."""
    if has_second_factor(db.session, who):
        return redirect_to(".show_codes")  # and no error page, which would show the app's secret again
    form = CodeForm()
    if not form.validate():
        return _factor(who, form, 422)
    with form.refusing(
        form.code, gettext("Wrong code. Check that your device’s clock is correct, then enter a new code.")
    ):
        check_code(db.session, current_context().factor_key, who, str(form.code.data))
    return _after_factor(who, form)


@bp.post("/invitation/<token>/passkey")
@newcomer_step
def submit_passkey(who: UUID) -> ResponseReturnValue:
    """Register a passkey instead of an app."""
    if has_second_factor(db.session, who):
        return redirect_to(".show_codes")
    credential, form = request.form.get("credential", ""), CodeForm(formdata=None)
    with form.refusing(form.code, gettext("This passkey can’t be used here. Try again, or use an authenticator app.")):
        passkeys.register(db.session, relying_party(), who, credential=credential)
    return _after_factor(who, form)


@bp.get("/invitation/<token>/codes")
@newcomer_step
def show_codes(who: UUID) -> ResponseReturnValue:
    """Offer backup codes."""
    return (
        _codes(who, CurrentSecretForm(formdata=None))
        if has_second_factor(db.session, who)
        else redirect_to(".show_second_factor")
    )


@bp.post("/invitation/<token>/codes")
@newcomer_step
def make_codes(who: UUID) -> ResponseReturnValue:
    """Make them, and show them this once; to make others in their place needs the password."""
    if not has_second_factor(db.session, who):
        return redirect_to(".show_second_factor")
    codes, form = backup_codes.first_backup_codes(db.session, who), CurrentSecretForm()
    if codes is None:
        if not form.validate():
            return _codes(who, form, 422)
        with form.refusing(form.old, gettext("Wrong password. Try again.")):
            check_password(db.session, organisers.member(db.session, who).email, str(form.old.data))
            codes = backup_codes.new_backup_codes(db.session, who)
    return _codes(who, form, form.status if form.errors else 200, codes=codes)


@bp.get("/invitation/<token>/passphrase")
@registration_step
def passphrase(who: UUID) -> ResponseReturnValue:
    """Show the form for an export passphrase."""
    return _passphrase(_passphrase_form(who, empty=True))


@bp.post("/invitation/<token>/passphrase")
@registration_step
def submit_passphrase(who: UUID) -> ResponseReturnValue:
    """Wrap a copy of the campaign's key by it."""
    form = _passphrase_form(who)
    if not current_invitation().may_export or not has_second_factor(db.session, who):
        abort(403)
    if not form.validate():
        return _passphrase(form, 422)
    if isinstance(form, MemberPassphraseForm):
        with form.refusing(form.password, gettext("Wrong password. Try again.")):
            check_password(db.session, organisers.member(db.session, who).email, str(form.password.data))
        if form.errors:
            return _passphrase(form, form.status)
    db.session.rollback()
    arguments: dict[str, Any] = {
        "organiser_id": str(who),
        "passphrase": form.chosen.data,
        "token": current_invitation().token,
    }
    if isinstance(form, KeyForm):
        arguments["recovery_keys"] = form.recovery_key.data
    wrong_key = gettext("This isn’t the campaign’s recovery key. Check it for typing errors.")
    with form.refusing(form["recovery_key"] if isinstance(form, KeyForm) else form.chosen, wrong_key):
        client.begin("grant_keys", database=current_context().settings.database(), **arguments).finish()
        return _enter(who)
    return _passphrase(form, form.status)


@bp.post("/invitation/<token>/enter")
@newcomer_step
def enter(who: UUID) -> ResponseReturnValue:
    """Complete the registration of an organiser without the export right."""
    if current_invitation().may_export or not has_second_factor(db.session, who):
        abort(403)
    return _enter(who)


def _enter(who: UUID) -> ResponseReturnValue:
    if not backup_codes_left(db.session, who):
        return redirect_to(".show_codes")
    with recording_for(who, "came-in") as draft:
        draft.happened = invitations.complete_registration(db.session, current_invitation().token, who)
        if draft.happened:
            sessions.sign_in(organisers.member(db.session, who))
    if not draft.happened:
        raise UnknownInvitation("another request was faster")
    return redirect(url_for("account.welcome"), 303)


def _sign_in_first() -> ResponseReturnValue:
    title, advice = gettext("Log in first"), gettext("Then open your invitation again.")
    return render_template("admin/error.html", title=title, advice=advice), 403


def _account(form: AccountForm, status: int = 200) -> ResponseReturnValue:
    return _page("account", status, form=form)


def _after_factor(who: UUID, form: CodeForm) -> ResponseReturnValue:
    """Redirect to the next step, also after a second click whose code the first one has used."""
    if form.errors and not has_second_factor(db.session, who):
        return _factor(who, form, form.status)
    return redirect_to(".show_codes")


def _codes(
    who: UUID, form: CurrentSecretForm, status: int = 200, *, codes: list[str] | None = None
) -> ResponseReturnValue:
    next_endpoint = ".passphrase" if current_invitation().may_export else ".enter"
    codes_left, email = backup_codes_left(db.session, who), organisers.member(db.session, who).email
    return _page(
        "backup_codes", status, form=form, codes=codes, codes_left=codes_left, email=email, next_endpoint=next_endpoint
    )


def _factor(who: UUID, form: CodeForm, status: int = 200) -> ResponseReturnValue:
    email = organisers.member(db.session, who).email
    secret = totp.totp_secret(db.session, current_context().factor_key, who)
    options = passkeys.registration_options(db.session, relying_party(), who, email)
    qr = Markup(qr_inline(totp.totp_uri(secret, email=email), title=gettext("QR code")))  # noqa: S704
    return _page("second_factor", status, form=form, secret=secret, qr=qr, options=options)


def _passphrase_form(who: UUID, *, empty: bool = False) -> PassphraseForm:
    kind = MemberPassphraseForm if is_active(who) else PassphraseForm if current_invitation().carries_keys else KeyForm
    return kind(formdata=None) if empty else kind()


def _passphrase(form: PassphraseForm, status: int = 200) -> ResponseReturnValue:
    return _page("passphrase", status, form=form)


def _page(name: str, status: int = 200, **context: object) -> ResponseReturnValue:
    return make_response(
        render_template(f"admin/registration/{name}.html", invitation=current_invitation(), **context), status
    )
