"""Repair of links that mail programs, chats and crawlers have mangled.

Appended text (punctuation, quotes, spaces, tracking parameters after an `&` without a `?`) is cut off; capital letters
and missing or repeated slashes are corrected. Redirects are relative, so they repeat no Host header.
"""

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode

from flask import Flask, Response, current_app, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, MapAdapter
from werkzeug.wrappers import Response as BaseResponse

from campaign.core.languages import LANGUAGES
from campaign.web.headers import never_cache

TOKEN_LENGTH = 43  # characters: 32 bytes in base64

_CLEAN = re.compile(r"[A-Za-z0-9_./-]*")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_LANGUAGE = re.compile(rf"/({'|'.join(LANGUAGES)})(?:[_-][a-z0-9]{{2,4}})?(/.*)?", re.IGNORECASE)
_PARAMETERS = ("ref", "via", "lang", "url", "format", "maxwidth", "maxheight")
_SECRET = ("/confirm/", "/receipt/")


def init_link_repair(app: Flask) -> None:
    """Add the converter `<token:…>`, which takes mangled tokens, and lead from mangled addresses to those meant."""
    app.url_map.converters["token"] = _TokenConverter
    app.before_request(_redirect)


def split_language(path: str) -> tuple[str | None, str]:
    """Return the language in a path ("en" of "/EN-gb/embed…"), if there is one, and the rest of the path ("/embed")."""
    clean = _clean(path)
    match = _LANGUAGE.fullmatch(clean)
    return (match[1].lower(), match[2] or "/") if match else (None, clean)


def parameters(address: str) -> dict[str, str]:
    """Return the parameters that an address or a query carries, also behind an `&` for a `?`, or as `&amp;`."""
    *_path, query = re.split(r"[?&]", address.partition("#")[0], maxsplit=1)
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return {name.removeprefix("amp;"): value for name, value in reversed(pairs)}


class _TokenConverter(BaseConverter):
    """A token, without text before, inside or after it (`=` and line ends of quoted-printable)."""

    def to_python(self, value: str) -> str:
        return "".join(_TOKEN.findall(unquote(value)))[:TOKEN_LENGTH]


def _redirect() -> BaseResponse | None:
    if request.routing_exception is None or request.method not in ("GET", "HEAD"):
        return None
    path = _repaired_path(request.path, current_app.create_url_adapter(request))
    if path is None or path == request.path:
        return None
    given_parameters = parameters(f"?{request.query_string.decode('utf-8', 'replace')}") | parameters(
        unquote(request.path)
    )
    query = urlencode(
        {name: _trimmed(name, given_parameters[name]) for name in _PARAMETERS if name in given_parameters}
    )
    response = redirect(quote(path) + (f"?{query}" if query else ""), 308, Response)
    return never_cache(response) if path.startswith(_SECRET) else response  # type: ignore[arg-type]


def _repaired_path(path: str, adapter: MapAdapter | None) -> str | None:
    """Return the path of the page that a mangled `path` was meant for, if any."""
    if adapter is None:
        return None
    language, rest = split_language(path)
    clean = f"/{language}{rest}" if language else rest
    if clean == "/":
        appended = path.lstrip("/")
        return None if re.match(r"[^?&#;]*[A-Za-z0-9]", appended) else "/"
    first, _, others = clean[1:].partition("/")
    spellings = (clean, f"/{first.lower()}/{others}", clean.lower())  # tokens are case-sensitive
    variants = (variant for spelling in spellings for variant in (spelling, f"{spelling}/"))
    return next((variant for variant in variants if _is_page(variant, adapter)), None)


def _is_page(path: str, adapter: MapAdapter) -> bool:
    try:
        adapter.match(path, "GET")
    except HTTPException:
        return False
    return True


def _clean(path: str) -> str:
    """Return the usable start of `path`, with single slashes between its parts and none at its end."""
    match = _CLEAN.match(path)
    parts = (part.rstrip(".") for part in (match[0] if match else "").split("/"))
    return "/" + "/".join(part for part in parts if part.strip("_-"))


def _trimmed(name: str, value: str) -> str:
    """Return the value of a parameter without text appended to the link."""
    match = _TOKEN.match(value)
    return value if name == "url" else match[0] if match else ""
