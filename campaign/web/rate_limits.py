"""Limits: how large a body may be, and how often the visitors of one network may send forms or be counted.

Each limit is counted for the network of the request in several sizes (`visitors.networks`), so changing addresses
does not escape it. A refused request is not counted for the larger networks: a flood shuts out its own network first.
"""

from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any, Literal, TypeVar

from flask import Flask, abort, current_app, g, request
from limits import RateLimitItem, parse_many

from campaign.config.settings import Settings
from campaign.context import context_of, current_context
from campaign.errors import LimitReached, TooManyRequests
from campaign.web.client_id import networks, trusted_network
from campaign.web.fixed_windows import FixedWindows
from campaign.web.form_request import URLENCODED

MAX_BODY = 64 * 1024  # bytes; the longest honest form has about 15,000
MAX_FIELDS = 100  # of one form
COUNTING = "60 per minute;1000 per day"  # views, shares and marks of the film, counted from one network address
LOGIN = "30 per minute;300 per hour"  # log-in attempts from one network address

Kind = Literal["signing", "attempt", "tally", "sign-in"]

# For each signature that is allowed: how many forms may be sent, the wrong ones included, and how much is counted of
# the visitors from a trusted network.
_TIMES: dict[Kind, int] = {"signing": 1, "attempt": 12, "tally": 20}
View = TypeVar("View", bound=Callable[..., Any])


def init_limits(app: Flask, settings: Settings) -> None:
    """Limit the size of bodies and the number of forms."""
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY, MAX_FORM_PARTS=MAX_FIELDS)
    on_fallback = context_of(app).metrics.redis_fallback.set
    app.extensions["windows"] = FixedWindows(settings.redis_url, on_fallback=on_fallback)
    app.before_request(_read_body)  # first, so that nothing later meets a body that is too large
    app.before_request(_count_attempt)


def only_counts(view: View) -> View:
    """Mark a view to which pages post in the background: it is cheap, and limits itself by `is_countable`."""
    view.only_counts = True  # type: ignore[attr-defined]
    return view


def count_signing() -> None:
    """Count one signature for this visitor. Raises `LimitReached`.

    Called after validation, so that typing errors lock nobody out.
    """
    if seconds := _seconds_over("signing"):
        raise LimitReached(seconds)


def is_countable() -> bool:
    """Return whether actions of this visitor may still be counted, so one visitor cannot inflate the numbers."""
    return not _seconds_over("tally")


def count_login() -> None:
    """Count one log-in attempt. Raises `LimitReached`."""
    if seconds := _seconds_over("sign-in"):
        raise LimitReached(seconds)


def give_back() -> None:
    """Give back all that this request has used up, since it could not be served through no fault of its own.

    Attempts to log in stay counted: an error must never help to guess.
    """
    windows: FixedWindows = current_app.extensions["windows"]
    for network, limits, kind in g.pop("counted", []):
        windows.give_back(limits, kind, network)


def _read_body() -> None:
    if request.method == "POST":
        body = request.get_data()  # cached, so that it can be parsed as a form too
        request.stream.read(1)  # a body of unknown length is cut at the limit, and only reading on says so (413)
        if request.mimetype == URLENCODED and body.count(b"&") > MAX_FIELDS:
            abort(413)
        _ = request.form


def _count_attempt() -> None:
    """Count a form that is sent to any public page, right or wrong. Raises `TooManyRequests`."""
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method != "POST" or request.path.startswith("/organise/") or hasattr(view, "only_counts"):
        return
    if seconds := _seconds_over("attempt"):
        raise TooManyRequests(seconds)


def _seconds_over(kind: Kind) -> int:
    """Count one for each network of this visitor; return the seconds to wait if one of them is over its limit."""
    windows: FixedWindows = current_app.extensions["windows"]
    for network, limits in _allowances(kind):
        if seconds := windows.seconds_over(limits, kind, network):
            return ceil(seconds)
        if kind != "sign-in":
            g.setdefault("counted", []).append((network, limits, kind))
    return 0


def _allowances(kind: Kind) -> list[tuple[str, list[RateLimitItem]]]:
    """Return the limits of this visitor's networks, smallest network first."""
    if kind == "sign-in":
        return _of_networks(LOGIN, 1)
    limit, trusted = current_context().settings.sign_limit, trusted_network()
    if trusted and (limit or kind == "tally"):
        network, allowance = trusted
        return [(network, _times(allowance.limit, _TIMES[kind]))]
    if kind == "tally":
        return _of_networks(COUNTING, 1)
    return _of_networks(limit, _TIMES[kind]) if limit else []


def _of_networks(limit: str, times: int) -> list[tuple[str, list[RateLimitItem]]]:
    return [(network, _times(limit, times * allowance)) for network, allowance in networks()]


@cache
def _times(limits: str, times: int) -> list[RateLimitItem]:
    """Return `limits`, each `times` as large."""
    return [type(item)(item.amount * times, item.multiples, item.namespace) for item in parse_many(limits)]
