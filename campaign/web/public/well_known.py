"""What machines ask every site for: which pages there are, which not to visit, whom to tell of a security hole."""

from datetime import timedelta

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from campaign.config.validators import sender_of
from campaign.context import current_context
from campaign.core.database import iso, utcnow
from campaign.web.petition_settings import current_settings

KEPT_SECONDS = 3600
SECURITY_LIFE = timedelta(days=180)  # RFC 9116, 2.5.5: less than a year

# Secrets, and addresses that count; networks that fetch previews ask here first.
_CLOSED = ("/confirm/", "/receipt/", "/share/", "/film/watched", "/organise/")

bp = Blueprint("well_known", __name__)


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """Return robots.txt (RFC 9309)."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED), "", f"Sitemap: {_public_url()}/sitemap.xml"]
    return _text(lines)


@bp.get("/sitemap.xml")
def sitemap() -> ResponseReturnValue:
    """Return the sitemap: each public page in each language (sitemaps.org)."""
    return _cached(
        Response(
            render_template("public/sitemap.xml", endpoints=("petition.page", "privacy.page")),
            mimetype="application/xml",
        )
    )


@bp.get("/.well-known/security.txt")
def security() -> ResponseReturnValue:
    """Return security.txt (RFC 9116)."""
    expires = (utcnow() + SECURITY_LIFE).replace(hour=0, minute=0, second=0)
    canonical = f"Canonical: {_public_url()}/.well-known/security.txt"
    # Without a contact or a sender, the privacy page: an invented address would reach nobody.
    address = current_settings().contact or sender_of(current_context().settings.mail_url)
    contact = f"mailto:{address}" if address else f"{_public_url()}/en/privacy"
    return _text([f"Contact: {contact}", f"Expires: {iso(expires)}", "Preferred-Languages: en", canonical])


def _text(lines: list[str]) -> Response:
    return _cached(Response("\n".join([*lines, ""]), mimetype="text/plain"))


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return response


def _public_url() -> str:
    return current_context().settings.public_url
