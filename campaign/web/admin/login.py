"""Log-in with two factors, and log-out."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.accounts import passkeys
from campaign.accounts.login import check_code, check_password
from campaign.accounts.organisers import member
from campaign.context import current_context
from campaign.core.database import db
from campaign.errors import LimitReached, WrongCredential
from campaign.web.admin import sessions
from campaign.web.admin.access import no_step_up, public_view, recording_for, requires_role
from campaign.web.admin.relying_party import relying_party
from campaign.web.forms.admin import CodeForm, PasswordForm
from campaign.web.negotiation import set_retry_after, wait_in_words
from campaign.web.rate_limits import count_login

bp = Blueprint("login", __name__)


@bp.get("/sign-in")
@public_view
def login() -> ResponseReturnValue:
    """Show the form for email address and password."""
    return _login_page(PasswordForm(formdata=None))


@bp.post("/sign-in")
@public_view
def submit_password() -> ResponseReturnValue:
    """Check the first factor."""
    count_login()
    form = PasswordForm()
    if not form.validate():
        return _login_page(form, 422)
    with form.refusing(form.password, gettext("Wrong email address or password. Try again.")):
        organiser = check_password(db.session, str(form.email.data), str(form.password.data))
        if organiser.activated_at is None:
            form.refuse(
                form.email, gettext("You haven’t finished setting up your account. Open your invitation again.")
            )
        else:
            sessions.remember_password(organiser.id)
    return _login_page(form, form.status) if form.errors else redirect(url_for(".two_factor"), 303)


@bp.get("/sign-in/code")
@public_view
def two_factor() -> ResponseReturnValue:
    """Show the form for the second factor."""
    who = sessions.password_verified()
    return _two_factor_page(CodeForm(formdata=None), who) if who else redirect(url_for(".login"), 303)


@bp.post("/sign-in/code")
@public_view
def submit_code() -> ResponseReturnValue:
    """Check the second factor, and log the organiser in."""
    count_login()
    form, who = CodeForm(), sessions.password_verified()
    if who is None:
        return redirect(url_for(".login"), 303)
    if not form.validate():
        return _two_factor_page(form, who, 422)
    with (
        form.refusing(form.code, gettext("Wrong code. Each code works only once. Enter a new one.")),
        _recording_wrong_code(who),
    ):
        check_code(db.session, current_context().factor_key, who, str(form.code.data))
    return _two_factor_page(form, who, form.status) if form.errors else _start_session(who)


@bp.post("/sign-in/passkey")
@public_view
def submit_passkey() -> ResponseReturnValue:
    """Check a passkey as the second factor, and log the organiser in."""
    count_login()
    who, credential = sessions.password_verified(), request.form.get("credential", "")
    if who is None:
        return redirect(url_for(".login"), 303)
    form = CodeForm(formdata=None)
    with (
        form.refusing(form.code, gettext("This passkey didn’t work. Try again, or enter a code.")),
        _recording_wrong_code(who),
    ):
        passkeys.verify(db.session, relying_party(), who, credential=credential)
    return _two_factor_page(form, who, form.status) if form.errors else _start_session(who)


@bp.post("/sign-out")
@requires_role("reader")
@no_step_up
def logout() -> ResponseReturnValue:
    """End the session."""
    sessions.sign_out()
    return redirect(url_for(".login"), 303)


@bp.after_request
def count_refusal(response: Response) -> Response:
    """Count refused steps for monitoring: many of them are an attack."""
    if response.status_code >= 400:
        current_context().metrics.logins.labels("limited" if response.status_code == 429 else "refused").inc()
    return response


@bp.errorhandler(LimitReached)
def refuse_for_now(error: LimitReached) -> ResponseReturnValue:
    """Return the time to retry after too many attempts."""
    form, when = PasswordForm(formdata=None), wait_in_words(error.seconds)
    form.refuse(
        form.email, gettext("Too many requests have come from your network. Please try again %(when)s.", when=when)
    )
    return set_retry_after(_login_page(form, 429), error.seconds)


@contextmanager
def _recording_wrong_code(who: UUID) -> Iterator[None]:
    """Record a wrong second factor, since it means that the password is known."""
    try:
        yield
    except WrongCredential:
        with recording_for(who, "wrong-code"):
            pass
        raise


def _start_session(who: UUID) -> ResponseReturnValue:
    """Start a session after both factors, and use up the first factor."""
    with recording_for(who, "signed-in") as draft:
        draft.happened = sessions.consume_password()
        if draft.happened:
            sessions.sign_in(member(db.session, who))
            current_context().metrics.logins.labels("succeeded").inc()
    return redirect(url_for("overview.show" if draft.happened else ".login"), 303)  # if another request was faster


def _login_page(form: PasswordForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("admin/login.html", form=form), status)


def _two_factor_page(form: CodeForm, who: UUID, status: int = 200) -> ResponseReturnValue:
    options = (
        passkeys.authentication_options(db.session, relying_party(), who)
        if passkeys.has_passkey(db.session, who)
        else None
    )
    return make_response(render_template("admin/two_factor.html", form=form, options=options), status)
