"""Coming in with an invitation, step by step: who you are, a second factor, recovery codes, an export passphrase."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from campaign.db import db
from campaign.errors import AddressTaken, UnknownInvitation
from campaign.organising import codes, invitations, organisers, passkeys
from campaign.organising.entrance import begin, check_code
from campaign.sharing.qr import qr_inline
from campaign.state import state
from campaign.vault import calling
from campaign.web.limits import count_sign_in
from campaign.web.organise import cookies
from campaign.web.organise.access import open_to_anybody
from campaign.web.organise.entrance_pages import place, tell
from campaign.web.organise.forms import AccountForm, CodeForm, KeyForm, PassphraseForm
from campaign.web.organise.joining import has_factor, invited, is_in, lead_to, step, who

bp = Blueprint("invitation", __name__)


@bp.before_request
def find_invitation() -> None:
    """Find the invitation before any of these pages. Raises `UnknownInvitation`."""
    g.invited = invitations.invited(db.session, (request.view_args or {})["token"])


@bp.errorhandler(UnknownInvitation)
def explain(_error: UnknownInvitation) -> ResponseReturnValue:
    """Say that an invitation is good once, and for 48 hours."""
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
            cookies.begin_joining(begin(db.session, invited(), email=form.address, password=str(form.chosen.data)))
            return lead_to(".show_factor")
    except AddressTaken:
        form.refuse(form.email, gettext("Somebody with this address is in already."))
    return _account(form, form.status)


@bp.get("/invitation/<token>/factor")
@step
def show_factor(who: UUID) -> ResponseReturnValue:
    """Show what an authenticator app reads, and offer a passkey."""
    return lead_to(".show_codes") if has_factor(who) else _factor(who, CodeForm(formdata=None))


@bp.post("/invitation/<token>/factor")
@step
def give_code(who: UUID) -> ResponseReturnValue:
    """Take the first code of the app: it works."""
    form = CodeForm()
    if not form.validate():
        return _factor(who, form, 422)
    with form.refusing(form.code, gettext("This code is not right. Is the clock of your device right?")):
        check_code(db.session, state().factor_key, who, str(form.code.data))
    return _factor(who, form, form.status) if form.errors else lead_to(".show_codes")


@bp.post("/invitation/<token>/passkey")
@step
def give_passkey(who: UUID) -> ResponseReturnValue:
    """Take a passkey in place of an app."""
    credential, challenge = request.form.get("credential", ""), cookies.challenge()
    form = CodeForm(formdata=None)
    with form.refusing(form.code, gettext("That passkey cannot be used here. Try once more, or use an app.")):
        passkeys.keep(db.session, place(), who, credential=credential, challenge=challenge)
    return _factor(who, form, form.status) if form.errors else lead_to(".show_codes")


@bp.get("/invitation/<token>/codes")
@step
def show_codes(who: UUID) -> ResponseReturnValue:
    """Offer recovery codes."""
    return _page("codes") if has_factor(who) else lead_to(".show_factor")


@bp.post("/invitation/<token>/codes")
@step
def make_codes(who: UUID) -> ResponseReturnValue:
    """Make them, and show them this once."""
    if not has_factor(who):
        return lead_to(".show_factor")
    further = ".passphrase" if invited().exports else ".enter"
    return _page("codes", codes=codes.new_recovery_codes(db.session, who), further=further)


@bp.get("/invitation/<token>/passphrase")
@step
def passphrase(who: UUID) -> ResponseReturnValue:
    """Ask for an export passphrase."""
    return _passphrase(_passphrase_form(empty=True))


@bp.post("/invitation/<token>/passphrase")
@step
def give_passphrase(who: UUID) -> ResponseReturnValue:
    """Wrap a copy of the campaign's key by it."""
    form = _passphrase_form()
    if not invited().exports or not has_factor(who):
        abort(403)
    if not form.validate():
        return _passphrase(form, 422)
    db.session.rollback()
    asked: dict[str, Any] = {"organiser_id": str(who), "passphrase": form.chosen.data, "token": invited().token}
    if isinstance(form, KeyForm):
        asked["recovery_keys"] = form.recovery_key.data
    wrong_key = gettext("This is not this campaign’s recovery key, or has a slip.")
    with form.refusing(form["recovery_key"] if isinstance(form, KeyForm) else form.chosen, wrong_key):
        calling.begin("hold", database=state().settings.database(), **asked).finish()
        return _enter(who)
    return _passphrase(form, form.status)


@bp.post("/invitation/<token>/enter")
@step
def enter(who: UUID) -> ResponseReturnValue:
    """Let somebody in who does not export."""
    if invited().exports or not has_factor(who):
        abort(403)
    return _enter(who)


def _enter(who: UUID) -> ResponseReturnValue:
    if not codes.recovery_codes_left(db.session, who):
        return lead_to(".show_codes")
    tell("came-in", who)
    organisers.set_ready(db.session, who)
    invitations.use_up(db.session, invited().token)
    cookies.sign_in(organisers.member(db.session, who))
    return redirect(url_for("account.welcome"), 303)


def _sign_in_first() -> ResponseReturnValue:
    title, advice = gettext("Please sign in first"), gettext("Then open your invitation once more.")
    return render_template("organise/refused.html", title=title, advice=advice), 403


def _account(form: AccountForm, status: int = 200) -> ResponseReturnValue:
    return _page("account", status, form=form)


def _factor(who: UUID, form: CodeForm, status: int = 200) -> ResponseReturnValue:
    email = organisers.member(db.session, who).email
    secret = codes.totp_secret(db.session, state().factor_key, who)
    options = passkeys.creation(place(), who, email)
    cookies.new_challenge(options["challenge"])
    qr = Markup(qr_inline(codes.totp_address(secret, email=email), title=gettext("QR code")))  # noqa: S704
    return _page("factor", status, form=form, secret=secret, qr=qr, options=options)


def _passphrase_form(*, empty: bool = False) -> PassphraseForm:
    kind = PassphraseForm if invited().carries_keys else KeyForm
    return kind(formdata=None) if empty else kind()


def _passphrase(form: PassphraseForm, status: int = 200) -> ResponseReturnValue:
    return _page("passphrase", status, form=form)


def _page(name: str, status: int = 200, **shown: object) -> ResponseReturnValue:
    return make_response(render_template(f"organise/join/{name}.html", invited=invited(), **shown), status)
