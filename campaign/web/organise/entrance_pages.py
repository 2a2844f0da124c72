"""The door of the organisers' room: signing in with two factors, and signing out."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_limiter import RateLimitExceeded

from campaign.db import db, utcnow
from campaign.errors import WrongFactor
from campaign.organising import activity, passkeys
from campaign.organising.entrance import check_code, check_password
from campaign.organising.organisers import member
from campaign.state import state
from campaign.web.limits import count_sign_in
from campaign.web.organise import cookies
from campaign.web.organise.access import needs, no_step_up, open_to_anybody
from campaign.web.organise.forms import CodeForm, PasswordForm

SECOND_WITHIN = 300  # seconds between the two factors
_WAITING = "waiting"  # in the cookie: who has given the first factor, and when

bp = Blueprint("entrance", __name__)


@bp.get("/sign-in")
@open_to_anybody
def sign_in() -> ResponseReturnValue:
    """Ask for address and password."""
    return _first(PasswordForm(formdata=None))


@bp.post("/sign-in")
@open_to_anybody
def give_password() -> ResponseReturnValue:
    """Take the first factor."""
    count_sign_in()
    form = PasswordForm()
    if not form.validate():
        return _first(form, 422)
    with form.refusing(form.password, gettext("Address or password is not right.")):
        found = check_password(db.session, str(form.email.data), str(form.password.data))
        session[_WAITING] = [str(found.id), utcnow().timestamp()]
        if found.ready_at is None:
            form.refuse(form.email, gettext("You have not finished coming in. Please open your invitation again."))
    return _first(form, form.status) if form.errors else redirect(url_for(".second"), 303)


@bp.get("/sign-in/code")
@open_to_anybody
def second() -> ResponseReturnValue:
    """Ask for the second factor."""
    who = first_given()
    return _second(CodeForm(formdata=None), who) if who else redirect(url_for(".sign_in"), 303)


@bp.post("/sign-in/code")
@open_to_anybody
def give_code() -> ResponseReturnValue:
    """Take the second factor, and let them in."""
    count_sign_in()
    form, who = CodeForm(), first_given()
    if who is None:
        return redirect(url_for(".sign_in"), 303)
    if not form.validate():
        return _second(form, who, 422)
    with form.refusing(form.code, gettext("This code is not right. Each code is good once.")), _noting(who):
        check_code(db.session, state().factor_key, who, str(form.code.data))
    return _second(form, who, form.status) if form.errors else let_in(who)


@bp.post("/sign-in/passkey")
@open_to_anybody
def give_passkey() -> ResponseReturnValue:
    """Take a passkey as the second factor, and let them in."""
    count_sign_in()
    who, credential, challenge = first_given(), request.form.get("credential", ""), cookies.challenge()
    if who is None:
        return redirect(url_for(".sign_in"), 303)
    form = CodeForm(formdata=None)
    with form.refusing(form.code, gettext("That passkey is not right. Try once more, or type a code.")), _noting(who):
        passkeys.check(db.session, place(), who, credential=credential, challenge=challenge)
    return _second(form, who, form.status) if form.errors else let_in(who)


@bp.post("/sign-out")
@needs("reader")
@no_step_up
def sign_out() -> ResponseReturnValue:
    """End the session."""
    cookies.sign_out()
    return redirect(url_for(".sign_in"), 303)


@bp.errorhandler(RateLimitExceeded)
def refuse_for_now(_error: RateLimitExceeded) -> ResponseReturnValue:
    """Tell somebody who tries too often."""
    form = PasswordForm(formdata=None)
    form.refuse(form.email, gettext("Too much came from your network. Please try again later."))
    return _first(form, 429)


def first_given() -> UUID | None:
    """Return who has given the first factor with this browser, a short while ago."""
    who, when = session.get(_WAITING, ("", 0.0))
    return UUID(who) if utcnow().timestamp() < when + SECOND_WITHIN else None


def let_in(who: UUID) -> ResponseReturnValue:
    """Begin the session of somebody who has given both factors."""
    cookies.sign_in(member(db.session, who))
    tell("signed-in", who)
    return redirect(url_for("dashboard.show"), 303)


def tell(action: str, who: UUID) -> None:
    """Note what somebody did at the door."""
    activity.record(db.session, state().activity_key, actor=member(db.session, who).email, action=action)


@contextmanager
def _noting(who: UUID) -> Iterator[None]:
    """Note a wrong second factor: somebody knows the password."""
    try:
        yield
    except WrongFactor:
        tell("wrong-code", who)
        raise


def place() -> passkeys.Place:
    """Return where passkeys of this campaign are good."""
    return passkeys.Place(state().settings.public_url)


def _first(form: PasswordForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("organise/sign_in.html", form=form), status)


def _second(form: CodeForm, who: UUID, status: int = 200) -> ResponseReturnValue:
    options = passkeys.request(db.session, place(), who) if passkeys.has_passkey(db.session, who) else None
    if options:
        cookies.new_challenge(options["challenge"])
    return make_response(render_template("organise/second.html", form=form, options=options), status)
