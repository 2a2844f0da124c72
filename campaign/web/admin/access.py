"""Access control of /organise/: every view is denied unless it declares a role."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from campaign.accounts import audit_log
from campaign.accounts.organisers import Member, Role, member
from campaign.context import current_context
from campaign.core.database import db
from campaign.core.languages import LANGUAGES
from campaign.errors import NoKeyHolder, WrongPassphrase
from campaign.key_worker import client
from campaign.key_worker.client import Task, TaskName
from campaign.web import csrf as origins
from campaign.web import i18n
from campaign.web.admin.sessions import csrf, current_session_organiser, is_admin_path
from campaign.web.forms.sign import FORM_TYPES
from campaign.web.headers import never_cache

DEFAULT_ROLE: Role = "owner"
NO_RIGHT_TO_EXPORT = "may-not-export"  # why an attempt was refused
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
EVERYONE = "anybody"
REFRESH = "X-Refresh"  # sent by a page that refreshes itself, which is not activity

# Words of the audit log, which stay when a blueprint gets another name.
_RECORDED_AS = {"data_requests": "requests", "delivery": "hand_in", "display_names": "names"}
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of surrogate pairs

View = TypeVar("View", bound=Callable[..., Any])


def requires_role(role: Role) -> Callable[[View], View]:
    """Allow a view for organisers with `role` or a higher one."""

    def mark(view: View) -> View:
        view.needs = role  # type: ignore[attr-defined]
        return view

    return mark


def public_view(view: View) -> View:
    """Allow a view without a session."""
    view.needs = EVERYONE  # type: ignore[attr-defined]
    return view


class StepUp(Enum):
    """What a view with state-changing requests asks for, beside a session: a secret again, if it does not say."""

    REQUIRED = "the password or second factor again, unless given in the last five minutes"
    OWN_SECRET = "a password or passphrase in the form itself, each time"  # noqa: S105
    NONE = "nothing"


def step_up(view: View) -> View:
    """Require the password or second factor again before a view; valid for five minutes."""
    view.step_up = StepUp.REQUIRED  # type: ignore[attr-defined]
    return view


def own_secret(view: View) -> View:
    """Mark a view whose own form asks for the password or passphrase each time."""
    view.step_up = StepUp.OWN_SECRET  # type: ignore[attr-defined]
    return view


def no_step_up(view: View) -> View:
    """Mark a view that a session is enough for: it changes nothing that matters to others."""
    view.step_up = StepUp.NONE  # type: ignore[attr-defined]
    return view


def init_access(app: Flask) -> None:
    """Require a session and a role for each view under /organise, and the CSRF token for each form."""
    app.before_request(_check_access)
    app.after_request(_keep_private)
    app.jinja_env.globals["current_organiser"] = current_organiser


def current_organiser() -> Member:
    """Return the organiser of this request."""
    organiser: Member = g.organiser
    return organiser


def record(action: str, **details: object) -> None:
    """Record an action of the organiser that is done already."""
    audit_log.record(
        db.session, current_context().activity_key, actor=current_organiser().email, action=action, **details
    )


def recording(action: str, **details: object) -> AbstractContextManager[audit_log.Draft]:
    """Carry out an action of the organiser and record it, both or neither; see `audit_log.recording`."""
    return audit_log.recording(
        db.session, current_context().activity_key, actor=current_organiser().email, action=action, **details
    )


def record_refused(attempt: str, why: str, **details: object) -> None:
    """Record an action that was refused to the organiser."""
    key, actor = current_context().activity_key, current_organiser().email
    audit_log.record_refused(db.session, key, actor=actor, attempt=attempt, why=why, **details)


def attempted_action() -> str:
    """Return the word of the audit log for the view of this request: its blueprint and function."""
    blueprint, *view = str(request.endpoint).split(".")
    return ".".join((_RECORDED_AS.get(blueprint, blueprint), *view))


def run_with_passphrase(task: TaskName, passphrase: str, **arguments: object) -> Task:
    """Start a key worker task with the passphrase of the current organiser.

    Raises `WrongPassphrase`, which is recorded, `NoKeyHolder`, and `Throttled` after repeated wrong guesses.
    """
    who, database = current_organiser(), current_context().settings.database()
    try:
        opened = client.open_keys(
            db.session, task, database=database, organiser_id=who.id, passphrase=passphrase, **arguments
        )
    except WrongPassphrase:
        record("wrong-passphrase")
        raise
    except NoKeyHolder:
        record_refused(task, NO_RIGHT_TO_EXPORT)
        raise
    current_context().metrics.key_tasks.labels(task).inc()
    return opened


def _check_access() -> ResponseReturnValue | None:
    if not is_admin_path(request.path):
        return None
    _choose_language()
    _require_plain_text()
    g.organiser = current_session_organiser(used=REFRESH not in request.headers)
    needed = _required_role()
    if g.organiser is None and needed != EVERYONE:
        return _redirect_to_login()
    if request.method not in SAFE_METHODS:
        origins.is_same_origin()
        csrf.protect()
    if needed != EVERYONE and not current_organiser().has_role(needed):
        if request.method not in SAFE_METHODS:
            record_refused(attempted_action(), "role")
        return _forbidden(
            403, _("You don’t have access"), _("To get access, ask an Admin of the campaign to change your role.")
        )
    return None


def _required_role() -> Any:
    if request.endpoint is None:
        return "reader"  # no such page, which only logged-in organisers may know
    return getattr(current_app.view_functions[request.endpoint], "needs", DEFAULT_ROLE)


def _require_plain_text() -> None:
    """Refuse bodies other than forms (415), and control characters, which PostgreSQL cannot store (400)."""
    if request.mimetype not in FORM_TYPES and (request.mimetype or request.content_length):
        abort(415)
    texts = (part for values in (request.args, request.form) for item in values.items(multi=True) for part in item)
    if any(_UNSTORABLE.search(text) for text in (request.path, *texts)):
        abort(400)


def _choose_language() -> None:
    if (language := request.args.get("lang")) in LANGUAGES:
        session["language"] = language
    i18n.set_language(session.get("language"))


def _redirect_to_login() -> ResponseReturnValue:
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("login.login"), 303)
    return _forbidden(401, _("You’re logged out"), _("Nothing was changed. Log in and try again."))


def _forbidden(status: int, title: str, advice: str) -> ResponseReturnValue:
    return make_response(render_template("admin/error.html", title=title, advice=advice), status)


def _keep_private(response: Response) -> Response:
    return never_cache(response) if is_admin_path(request.path) else response


def recording_for(who: UUID, action: str) -> AbstractContextManager[audit_log.Draft]:
    """Carry out a step of an organiser's log-in and record it, both or neither; see `audit_log.recording`."""
    actor = member(db.session, who).email
    return audit_log.recording(db.session, current_context().activity_key, actor=actor, action=action)
