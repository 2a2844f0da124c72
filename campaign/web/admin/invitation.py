"""Coming in with an invitation, step by step: who you are, a second factor, recovery codes, an export passphrase."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from campaign.accounts import invitations, organisers, passkeys, second_factors
from campaign.accounts.login import begin, check_code, check_password, has_factor
from campaign.accounts.second_factors import recovery_codes_left
from campaign.context import state
from campaign.core.database import db
from campaign.errors import AddressTaken, UnknownInvitation
from campaign.key_worker import client
from campaign.sharing.qr import qr_inline
from campaign.web.admin import sessions
from campaign.web.admin.access import open_to_anybody, tell
from campaign.web.admin.registration import invited, is_in, lead_to, newcomer_step, step, who
from campaign.web.admin.relying_party import place
from campaign.web.forms.admin import AccountForm, CodeForm, KeyForm, MemberPassphraseForm, OldForm, PassphraseForm
from campaign.web.rate_limits import count_sign_in

bp = Blueprint("invitation", __name__)


@bp.before_request
def find_invitation() -> None:
    """Find the invitation before any of these pages. Raises `UnknownInvitation`."""
    g.invited = invitations.invited(db.session, (request.view_args or {})["token"])


@bp.errorhandler(UnknownInvitation)
def explain(_error: UnknownInvitation) -> ResponseReturnValue:
    """Say that an invitation is good once, and for 48 hours; a second click on the last step leads on."""
    if request.method == "POST" and (g.organiser or is_in(sessions.joining())):
        return redirect(url_for("account.welcome" if g.organiser else "entrance.sign_in"), 303)
    title, advice = gettext("This invitation is over"), gettext("It is good once, and for 48 hours. Ask for a new one.")
    return render_template("organise/refused.html", title=title, advice=advice), 404


@bp.get("/invitation/<token:token>", strict_slashes=False)
@open_to_anybody
def account(token: str) -> ResponseReturnValue:
    """Ask who they are; who has begun already goes on."""
    if (here := who(invited())) is not None:
        return lead_to(".passphrase" if is_in(here) else ".show_factor")
    return _sign_in_first() if is_in(invited().organiser_id) else _account(AccountForm(formdata=None))


@bp.post("/invitation/<token>")
@open_to_anybody
def give_account(token: str) -> ResponseReturnValue:
    """Take address and password."""
    count_sign_in()
    if is_in(invited().organiser_id):
        return _sign_in_first()
    form = AccountForm()
    if invited().email:
        form.email.data = invited().email
    if not form.validate():
        return _account(form, 422)
    begun_by_another = gettext("Somebody has begun with this invitation; this is not their password.")
    try:
        with form.refusing(form.chosen, begun_by_another):
            sessions.begin_joining(begin(db.session, invited(), email=form.address, password=str(form.chosen.data)))
            return lead_to(".show_factor")
    except AddressTaken:
        form.refuse(form.email, gettext("Somebody with this address is in already."))
    return _account(form, form.status)


@bp.get("/invitation/<token>/factor")
@newcomer_step
def show_factor(who: UUID) -> ResponseReturnValue:
    """Show what an authenticator app reads, and offer a passkey."""
    return lead_to(".show_codes") if has_factor(db.session, who) else _factor(who, CodeForm(formdata=None))


@bp.post("/invitation/<token>/factor")
@newcomer_step
def give_code(who: UUID) -> ResponseReturnValue:
    """Take the first code of the app: it works."""
    if has_factor(db.session, who):
        return lead_to(".show_codes")  # and no error page, which would show the app's secret again
    form = CodeForm()
    if not form.validate():
        return _factor(who, form, 422)
    with form.refusing(form.code, gettext("This code is not right. Is the clock of your device right?")):
        check_code(db.session, state().factor_key, who, str(form.code.data))
    return _after_factor(who, form)


@bp.post("/invitation/<token>/passkey")
@newcomer_step
def give_passkey(who: UUID) -> ResponseReturnValue:
    """Take a passkey in place of an app."""
    if has_factor(db.session, who):
        return lead_to(".show_codes")
    credential, form = request.form.get("credential", ""), CodeForm(formdata=None)
    with form.refusing(form.code, gettext("That passkey cannot be used here. Try once more, or use an app.")):
        passkeys.keep(db.session, place(), who, credential=credential)
    return _after_factor(who, form)


@bp.get("/invitation/<token>/codes")
@newcomer_step
def show_codes(who: UUID) -> ResponseReturnValue:
    """Offer recovery codes."""
    return _codes(who, OldForm(formdata=None)) if has_factor(db.session, who) else lead_to(".show_factor")


@bp.post("/invitation/<token>/codes")
@newcomer_step
def make_codes(who: UUID) -> ResponseReturnValue:
    """Make them, and show them this once; to make others in their place needs the password."""
    if not has_factor(db.session, who):
        return lead_to(".show_factor")
    shown, form = second_factors.first_recovery_codes(db.session, who), OldForm()
    if shown is None:
        if not form.validate():
            return _codes(who, form, 422)
        with form.refusing(form.old, gettext("This is not your password.")):
            check_password(db.session, organisers.member(db.session, who).email, str(form.old.data))
            shown = second_factors.new_recovery_codes(db.session, who)
    return _codes(who, form, form.status if form.errors else 200, codes=shown)


@bp.get("/invitation/<token>/passphrase")
@step
def passphrase(who: UUID) -> ResponseReturnValue:
    """Ask for an export passphrase."""
    return _passphrase(_passphrase_form(who, empty=True))


@bp.post("/invitation/<token>/passphrase")
@step
def give_passphrase(who: UUID) -> ResponseReturnValue:
    """Wrap a copy of the campaign's key by it."""
    form = _passphrase_form(who)
    if not invited().exports or not has_factor(db.session, who):
        abort(403)
    if not form.validate():
        return _passphrase(form, 422)
    if isinstance(form, MemberPassphraseForm):
        with form.refusing(form.password, gettext("This is not your password.")):
            check_password(db.session, organisers.member(db.session, who).email, str(form.password.data))
        if form.errors:
            return _passphrase(form, form.status)
    db.session.rollback()
    asked: dict[str, Any] = {"organiser_id": str(who), "passphrase": form.chosen.data, "token": invited().token}
    if isinstance(form, KeyForm):
        asked["recovery_keys"] = form.recovery_key.data
    wrong_key = gettext("This is not this campaign’s recovery key, or has a slip.")
    with form.refusing(form["recovery_key"] if isinstance(form, KeyForm) else form.chosen, wrong_key):
        client.begin("hold", database=state().settings.database(), **asked).finish()
        return _enter(who)
    return _passphrase(form, form.status)


@bp.post("/invitation/<token>/enter")
@newcomer_step
def enter(who: UUID) -> ResponseReturnValue:
    """Let somebody in who does not export."""
    if invited().exports or not has_factor(db.session, who):
        abort(403)
    return _enter(who)


def _enter(who: UUID) -> ResponseReturnValue:
    if not recovery_codes_left(db.session, who):
        return lead_to(".show_codes")
    if not invitations.finish(db.session, invited().token, who):
        raise UnknownInvitation("another request was faster")
    tell("came-in", who)
    sessions.sign_in(organisers.member(db.session, who))
    return redirect(url_for("account.welcome"), 303)


def _sign_in_first() -> ResponseReturnValue:
    title, advice = gettext("Please sign in first"), gettext("Then open your invitation once more.")
    return render_template("organise/refused.html", title=title, advice=advice), 403


def _account(form: AccountForm, status: int = 200) -> ResponseReturnValue:
    return _page("account", status, form=form)


def _after_factor(who: UUID, form: CodeForm) -> ResponseReturnValue:
    """Lead on; a second click, whose code was used by the first one, is led on too."""
    if form.errors and not has_factor(db.session, who):
        return _factor(who, form, form.status)
    return lead_to(".show_codes")


def _codes(who: UUID, form: OldForm, status: int = 200, *, codes: list[str] | None = None) -> ResponseReturnValue:
    further = ".passphrase" if invited().exports else ".enter"
    left, email = recovery_codes_left(db.session, who), organisers.member(db.session, who).email
    return _page("codes", status, form=form, codes=codes, left=left, email=email, further=further)


def _factor(who: UUID, form: CodeForm, status: int = 200) -> ResponseReturnValue:
    email = organisers.member(db.session, who).email
    secret = second_factors.totp_secret(db.session, state().factor_key, who)
    options = passkeys.creation(db.session, place(), who, email)
    qr = Markup(qr_inline(second_factors.totp_address(secret, email=email), title=gettext("QR code")))  # noqa: S704
    return _page("factor", status, form=form, secret=secret, qr=qr, options=options)


def _passphrase_form(who: UUID, *, empty: bool = False) -> PassphraseForm:
    kind = MemberPassphraseForm if is_in(who) else PassphraseForm if invited().carries_keys else KeyForm
    return kind(formdata=None) if empty else kind()


def _passphrase(form: PassphraseForm, status: int = 200) -> ResponseReturnValue:
    return _page("passphrase", status, form=form)


def _page(name: str, status: int = 200, **shown: object) -> ResponseReturnValue:
    return make_response(render_template(f"organise/join/{name}.html", invited=invited(), **shown), status)
