"""The bot check, where an organiser has switched it on: work for a browser with JavaScript, a wait for one without."""

import hmac

from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from campaign.context import current_context
from campaign.core.database import db, utcnow
from campaign.petition import proof_of_work
from campaign.petition.email_addresses import canonical_email
from campaign.web import last_known
from campaign.web.client_id import recent_hashes, visitor_hash

WAIT_SECONDS = 10
TOKEN_SECONDS = 3600
TOKEN_FIELD = "waited"  # noqa: S105
SOLUTION_FIELD = "altcha"


def is_enabled() -> bool:
    """Return whether the check is on."""
    return "bot-check" in last_known.flags()


def is_passed(address: str) -> bool:
    """Return whether this request solved a challenge or waited; without either, the database is not asked."""
    solution = request.form.get(SOLUTION_FIELD)
    if not (solution or TOKEN_FIELD in request.form) or not is_enabled():
        return False
    if solution and proof_of_work.accept_solution(db.session, current_context().challenge_key, solution):
        return True
    return (_seconds_waited(address) or 0) >= WAIT_SECONDS


def token(address: str) -> str:
    """Return a token that passes for `address` after the wait: the one that came with this request, if it is good."""
    if _seconds_waited(address) is not None:
        return str(request.form[TOKEN_FIELD])
    return str(_serializer().dumps(_bearer(visitor_hash(), address)))


def _seconds_waited(address: str) -> float | None:
    """Return how many seconds ago the token was made that came with this request; None if it is not good."""
    try:
        bearer, made_at = _serializer().loads(
            request.form.get(TOKEN_FIELD, ""), max_age=TOKEN_SECONDS, return_timestamp=True
        )
    except BadSignature:
        return None
    is_theirs = bearer in [_bearer(visitor, address) for visitor in recent_hashes()]
    return (utcnow() - made_at).total_seconds() if is_theirs else None


def _bearer(visitor: str, address: str) -> str:
    """Return the bearer of a token: this client with this email address, so that each wait is for one signature.

    It uses the key for forms, since the hash under which email addresses are stored must never leave the server.
    """
    return hmac.new(current_context().form_key, f"{visitor} {canonical_email(address)}".encode(), "sha256").hexdigest()


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_context().form_key, salt="waited")
