"""Protection of the sign form against cross-site request forgery, without cookies.

A token in the form would need a cookie and a different page for everyone. Instead, browsers report the origin of a
request (W3C, Fetch Metadata; RFC 6454, Origin). A client that sends neither gets the form again with a signed token.
"""

from typing import Literal

from flask import abort, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from campaign.context import current_context
from campaign.web.client_id import recent_hashes, visitor_hash
from campaign.web.negotiation import wants_json

TOKEN_SECONDS = 3600
TOKEN_FIELD = "again"  # noqa: S105


def is_same_origin() -> bool:
    """Return whether this request came from one of our own pages; False if nothing indicates it.

    Raises `werkzeug.exceptions.Forbidden` for a request from another site.
    """
    origin = _origin()
    if origin == "foreign":
        abort(403)
    return origin == "ours"


def token() -> str:
    """Return a token with which this visitor can submit the form from a browser that sends no origin."""
    return str(_serializer().dumps(visitor_hash()))


def _origin() -> Literal["ours", "foreign", "unknown"]:
    if site := request.headers.get("Sec-Fetch-Site"):
        return "ours" if site in ("same-origin", "none") else "foreign"
    origin = request.headers.get("Origin")
    if origin is None and wants_json():
        return "ours"  # no browser asks another site for JSON without saying Origin: so this is a program
    if origin is None or origin == "null":
        return "ours" if _has_token() else "unknown"
    return "ours" if origin in (request.host_url.rstrip("/"), current_context().settings.public_url) else "foreign"


def _has_token() -> bool:
    try:
        return bool(_serializer().loads(request.form.get(TOKEN_FIELD, ""), max_age=TOKEN_SECONDS) in recent_hashes())
    except BadSignature:
        return False


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_context().form_key)
