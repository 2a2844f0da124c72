"""The organisers' cookie. It is restricted to /organise, so that public pages never depend on a cookie."""

from uuid import UUID

from flask import Flask, Request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf import CSRFProtect

from campaign.accounts import sessions, short_lived_tokens
from campaign.accounts.organisers import Member, member
from campaign.accounts.short_lived_tokens import PASSWORD_VERIFIED, REGISTRATION_STARTED
from campaign.config.settings import Settings
from campaign.context import context_of
from campaign.core.database import call_after_commit, db

ADMIN_PATH = "/organise"
_TOKEN = "token"  # noqa: S105
_REGISTRATION = "joining"
_PASSWORD_VERIFIED = "waiting"  # noqa: S105
_PROOF = "proof"

csrf = CSRFProtect()


class AdminSessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookie, but none elsewhere: there a page would differ by it (`Vary: Cookie`)."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the content of the cookie, or None outside of the organisers' area."""
        return super().open_session(app, request) if is_admin_path(request.path) else None


def init_sessions(app: Flask, settings: Settings) -> None:
    """Configure the cookie and the CSRF tokens of `app`."""
    app.secret_key = context_of(app).session_key
    app.session_interface = AdminSessionInterface()
    app.config.update(
        SESSION_COOKIE_NAME="organiser",
        SESSION_COOKIE_PATH=ADMIN_PATH,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https:"),
        WTF_CSRF_CHECK_DEFAULT=False,  # `access` checks, before anything else
        WTF_CSRF_SSL_STRICT=False,  # these pages send no Referer; `access` checks the origin
        WTF_CSRF_TIME_LIMIT=None,  # as long as the cookie
    )
    csrf.init_app(app)


def is_admin_path(path: str) -> bool:
    """Return whether `path` is in the organisers' area."""
    return path == ADMIN_PATH or path.startswith(f"{ADMIN_PATH}/")


def current_session_organiser(*, used: bool) -> Member | None:
    """Return the logged-in organiser of this request, if any; with `used`, the session is extended by 30 minutes."""
    organiser_id = sessions.organiser_of(db.session, str(session.get(_TOKEN, "")), used=used)
    return member(db.session, organiser_id) if organiser_id else None


def start_registration(organiser_id: UUID) -> None:
    """Allow this browser to continue a registration for an hour."""
    session[_REGISTRATION] = short_lived_tokens.issue(db.session, REGISTRATION_STARTED, organiser_id)


def registration_token() -> UUID | None:
    """Return the organiser who is registering in this browser, if any."""
    return short_lived_tokens.organiser_of(db.session, REGISTRATION_STARTED, session.get(_REGISTRATION, ""))


def remember_password(organiser_id: UUID) -> None:
    """Allow this browser to enter the second factor within five minutes."""
    session[_PASSWORD_VERIFIED] = short_lived_tokens.issue(db.session, PASSWORD_VERIFIED, organiser_id)


def password_verified() -> UUID | None:
    """Return the organiser who recently entered their password in this browser, if any."""
    return short_lived_tokens.organiser_of(db.session, PASSWORD_VERIFIED, session.get(_PASSWORD_VERIFIED, ""))


def consume_password() -> bool:
    """Use up the first factor of this browser. Returns False if another request with this cookie was faster."""
    return short_lived_tokens.consume(db.session, PASSWORD_VERIFIED, session.get(_PASSWORD_VERIFIED, "")) is not None


def is_confirmed() -> bool:
    """Return whether the organiser gave a secret again in this browser, in the last five minutes."""
    return sessions.is_confirmed(db.session, session.get(_TOKEN, ""), session.get(_PROOF, ""))


def confirm() -> None:
    """Record that the organiser passed step-up authentication in this browser."""
    session[_PROOF] = sessions.confirm(db.session, session.get(_TOKEN, ""))


def sign_in(organiser: Member) -> None:
    """Start a session for this browser, within the caller's transaction, and discard any earlier one."""
    token = sessions.start(db.session, organiser.id)

    def replace_cookie() -> None:
        language = session.get("language")
        session.clear()
        session.update({_TOKEN: token, "language": language})

    call_after_commit(db.session, replace_cookie)


def sign_out() -> None:
    """End the session, here and in the database."""
    sessions.end(db.session, str(session.get(_TOKEN, "")))
    session.clear()


def end_others(organiser: Member) -> None:
    """End all sessions of an organiser but this one."""
    sessions.end_all_sessions(db.session, organiser.id, except_token=str(session.get(_TOKEN, "")))
