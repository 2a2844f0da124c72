"""Step-up authentication: before a far-reaching action, a page names its effect and asks for a secret again.

The page carries the submitted values in hidden fields and posts them to the same URL: nothing is stored, and it works
without JavaScript. Secrets are not carried; the original form asks for them again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup, escape

from campaign.accounts import passkeys, passwords
from campaign.accounts.login import check_code, check_password
from campaign.context import current_context
from campaign.core.database import db
from campaign.core.secret_text import compact_code
from campaign.errors import WrongCredential
from campaign.web.admin import sessions
from campaign.web.admin.access import (
    EVERYONE,
    SAFE_METHODS,
    StepUp,
    attempted_action,
    current_organiser,
    record_refused,
)
from campaign.web.admin.relying_party import relying_party
from campaign.web.admin.sessions import is_admin_path
from campaign.web.forms.admin import StepUpForm

CREDENTIAL = "confirm-credential"
CONFIRM_FIELD = "confirm-sure"
CODE_LENGTH = 6
# Names of fields that are never carried on; a form may put a prefix before them.
SECRETS = frozenset({"passphrase", "old", "chosen", "again", "password", "recovery_key", "code", "secret"})
_OURS = ("csrf_token", "confirm-secret", CREDENTIAL, CONFIRM_FIELD)

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Question:
    """The question before an action: `facts` names the effect, `button` the action."""

    title: str
    facts: tuple[str, ...]
    button: str


def describe(title: str, email: str) -> Markup:
    """Return the title of a question, which has `%(email)s` in it, with an email address that can break anywhere."""
    return escape(title) % {"email": Markup("<bdi>{}</bdi>").format(email)}


def asks_confirmation(question: Callable[..., Question | None], *, private: bool = False) -> Callable[[View], View]:
    """Show a page before a view runs; `question` gets the same arguments, and returns None if there is no question.

    A `private` question contains data that a session without the secret must not see: it is shown after the secret.
    """

    def mark(view: View) -> View:
        view.question, view.is_private = question, private  # type: ignore[attr-defined]
        return view

    return mark


def init_step_up(app: Flask) -> None:
    """Guard each view that changes something under /organise. Call `access.guard` before this."""
    app.before_request(_ask_confirmation)
    app.jinja_env.globals.update(is_confirmed=sessions.is_confirmed, step_up_form=_form)


def _ask_confirmation() -> ResponseReturnValue | None:
    view = current_app.view_functions.get(request.endpoint or "")
    if not is_admin_path(request.path) or request.method in SAFE_METHODS or getattr(view, "needs", "") == EVERYONE:
        return None
    form = StepUpForm(prefix="confirm")
    needs_secret = getattr(view, "step_up", StepUp.REQUIRED) is StepUp.REQUIRED and not sessions.is_confirmed()
    if needs_secret and _is_confirmed(form):
        needs_secret = False
    if needs_secret:
        return _page(form, None if getattr(view, "is_private", False) else _question(view), needs_secret=True)
    question = None if CONFIRM_FIELD in request.form else _question(view)
    return _page(form, question, needs_secret=False) if question else None


def _question(view: Any) -> Question | None:
    ask = getattr(view, "question", None)
    question: Question | None = ask(**request.view_args or {}) if ask else None
    return question


def _is_confirmed(form: StepUpForm) -> bool:
    """Return whether the request holds a secret that is right. Wrong guesses are slowed, and recorded."""
    credential, secret = request.form.get(CREDENTIAL), str(form.secret.data or "")
    if not form.validate() or not (credential or secret):
        return False
    with form.refusing(form.secret, gettext("Wrong password or code. Each code works only once. Try again.")):
        try:
            _check(credential, secret)
        except WrongCredential:
            record_refused(attempted_action(), "wrong-secret")
            raise
        sessions.confirm()
    return not form.errors


def _check(credential: str | None, secret: str) -> None:
    """Accept a passkey, the digits of an app, or the password. Raises `WrongCredential` and `Throttled`."""
    compact = compact_code(secret)
    if credential:
        passkeys.verify(db.session, relying_party(), current_organiser().id, credential=credential)
    elif len(compact) == CODE_LENGTH and compact.isdecimal() and len(secret.strip()) < passwords.MIN_LENGTH:
        check_code(db.session, current_context().factor_key, current_organiser().id, compact)
    else:
        check_password(db.session, current_organiser().email, secret)


def _page(form: StepUpForm, question: Question | None, *, needs_secret: bool) -> ResponseReturnValue:
    endpoint = f"{request.blueprint}.show"
    context: dict[str, Any] = {
        "form": form,
        "question": question,
        "needs_secret": needs_secret,
        "back_url": url_for(endpoint if endpoint in current_app.view_functions else "overview.show"),
    }
    context |= {"carried_values": list(_carried_fields()), "has_secrets": any(map(_is_secret, request.form))}
    if needs_secret and passkeys.has_passkey(db.session, current_organiser().id):
        context["options"] = passkeys.authentication_options(db.session, relying_party(), current_organiser().id)
    page = render_template(
        "admin/confirm_action.html", **context, credential_field=CREDENTIAL, confirm_field=CONFIRM_FIELD
    )
    status = form.status if form.errors else 403 if needs_secret else 200
    return make_response(page, status)


def _carried_fields() -> Iterator[tuple[str, str]]:
    """Yield the fields of the request that are carried on, by name and value."""
    for name, value in request.form.items(multi=True):
        if name not in _OURS and not _is_secret(name):
            yield name, value


def _is_secret(name: str) -> bool:
    return name not in _OURS and name.rpartition("-")[2] in SECRETS


def _form() -> StepUpForm:
    """Return an empty field for the secret, for use in another form."""
    return StepUpForm(formdata=None, prefix="confirm")
