"""Security and caching headers: strict for everything, loosened by name where a page needs it."""

from collections.abc import Mapping

from flask import Flask, Response

from campaign.config.settings import Settings

# The target of "Leave quickly": known everywhere, and says nothing about the visitor
EXIT_URL = "https://www.wikipedia.org/"
SHARED_SECONDS = 10  # how long a shared cache may show an old page, with its count

_POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "img-src": "'self'",
    "manifest-src": "'self'",
    "media-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
}
_UNFRAMED = "frame-ancestors 'none'"


def _format_policy(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


_HEADERS = {
    "Content-Security-Policy": _format_policy(_POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",  # "no-referrer" would make form posts send "Origin: null"
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def init_headers(app: Flask, settings: Settings) -> None:
    """Add the security headers to every response of `app`."""
    app.jinja_env.globals["exit_url"] = EXIT_URL
    headers = dict(_HEADERS)
    if settings.public_url.startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000"

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if _UNFRAMED not in response.headers["Content-Security-Policy"]:
            del response.headers["X-Frame-Options"]  # which knows no other answer
        return response


def allow(response: Response, sources: Mapping[str, str]) -> None:
    """Allow this one response further `sources` by directive of its Content-Security-Policy."""
    wider = {directive: f"{_POLICY.get(directive, '')} {source}".strip() for directive, source in sources.items()}
    response.headers["Content-Security-Policy"] = _format_policy(_POLICY | wider)


def allow_framing(response: Response) -> Response:
    """Allow other sites to frame this one page; it contains nothing that needs protection from clickjacking."""
    policy = response.headers.get("Content-Security-Policy", _HEADERS["Content-Security-Policy"])
    response.headers["Content-Security-Policy"] = policy.replace(_UNFRAMED, "frame-ancestors *")
    return response


def cache_publicly(response: Response) -> Response:
    """Allow shared caches to store `response` briefly; browsers revalidate each time (`web.page_cache`)."""
    response.headers["Cache-Control"] = f"public, max-age=0, s-maxage={SHARED_SECONDS}, stale-while-revalidate=60"
    return response


def never_cache(response: Response) -> Response:
    """Exclude `response`, whose URL is a secret, from caches, search engines and Referer headers."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
