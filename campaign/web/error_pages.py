"""Error pages in the visitor's language: what happened, and what to do next."""

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, NotFound, ServiceUnavailable

from campaign.core.database import DatabaseError, InvalidValue, db, is_unavailable
from campaign.core.logging import error_code
from campaign.errors import Busy, ExpiredLink, RateLimited, UnknownLink, UnknownOrganiser
from campaign.web import i18n, last_known
from campaign.web.headers import never_cache
from campaign.web.negotiation import set_retry_after, wait_in_words, wants_json
from campaign.web.rate_limits import give_back

RETRY_SECONDS = 60  # after which a database is back, or has been replaced by its standby

log = structlog.get_logger(__name__)

_TEXTS = {
    400: (_("Sorry, we didn’t understand that"), _("Please go back and try again.")),
    403: (_("This form came from another site"), _("Please sign on our own page.")),
    404: (_("Page not found"), _("Part of the link may be missing.")),
    405: (_("That isn’t possible here"), _("Please start again from our page.")),
    413: (_("That’s too much"), _("That’s too long. Please shorten it.")),
    415: (_("We can’t read that"), _("Please use the form on the page.")),
    503: (_("We’re busy at the moment"), _("Please try again in a few seconds.")),
    500: (
        _("Sorry, something went wrong"),
        _("If you were signing, try again: signing twice does no harm."),
    ),
}


def register_error_handlers(app: Flask) -> None:
    """Answer each failure in `app` with a page, or with JSON where that was asked for."""
    app.log_exception = _log  # type: ignore[method-assign]
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(RateLimited, _rate_limited)
    app.register_error_handler(UnknownLink, _unknown_link)
    app.register_error_handler(ExpiredLink, _expired_link)
    app.register_error_handler(UnknownOrganiser, lambda _error: _http_error(NotFound()))
    app.register_error_handler(Busy, lambda error: _http_error(ServiceUnavailable(retry_after=error.seconds)))
    app.register_error_handler(InvalidValue, _invalid_value)
    app.register_error_handler(DatabaseError, unavailable)


def unavailable(
    error: DatabaseError, form_page: Callable[[str], ResponseReturnValue] | None = None
) -> ResponseReturnValue:
    """Answer a request that the database could not serve: it uses up no limit, and visitors are asked to try again.

    `form_page` returns the page with the submitted form, given the advice for the visitor. Other errors than those of a
    database that is away, overloaded or full are raised again.
    """
    if not is_unavailable(error):
        raise error
    log.warning("database unavailable", page=request.endpoint, method=request.method, error=error_code(error))
    db.session.rollback()
    last_known.note_outage()
    give_back()
    advice = gettext("Try again in a minute. Nothing you typed is lost.")
    try:
        page = form_page(advice) if form_page else None
    except DatabaseError:  # nothing of the page is known yet
        page = None
    return set_retry_after(page or (_page(_TEXTS[503][0], advice), 503), RETRY_SECONDS)


def _log(exc_info: Any) -> None:
    """Log a failure by its endpoint: the URL, which Flask would log, can contain a supporter's token."""
    log.error("failure", page=request.endpoint, method=request.method, exc_info=exc_info)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400 or error.response is not None:
        return error
    status = error.code if error.code in _TEXTS else 400 if error.code < 500 else InternalServerError.code
    headers = [(name, value) for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")]
    return _page(*_TEXTS[status]), error.code, headers


def _rate_limited(error: RateLimited) -> ResponseReturnValue:
    """Answer a flood in short: the form with all that was typed would cost ten times as much."""
    i18n.set_language(request.form.get("lang"))
    advice = gettext(
        "Too many requests have come from your network. Please try again %(when)s.", when=wait_in_words(error.seconds)
    )
    return set_retry_after((_page(_TEXTS[413][0], advice), 429), error.seconds)


def _page(title: str, advice: str) -> Response | str:
    if wants_json():
        return jsonify(errors={"form": [f"{title}. {advice}"]})
    return render_template("public/error.html", title=title, advice=advice)


def _invalid_value(error: InvalidValue) -> ResponseReturnValue:
    """Refuse text or numbers that the database cannot hold, such as a NUL character on PostgreSQL."""
    log.warning("invalid value refused by the database", page=request.endpoint, error=error_code(error))
    db.session.rollback()
    return _http_error(BadRequest())


def _unknown_link(_error: UnknownLink) -> ResponseReturnValue:
    return _link_page(
        404,
        _("This link no longer works"),
        _(
            "The signature was withdrawn, or part of the link is missing. If you confirmed using another email "
            "from us, your signature counts."
        ),
    )


def _expired_link(_error: ExpiredLink) -> ResponseReturnValue:
    return _link_page(
        410,
        _("This link has expired"),
        _("Links last 30 days. The signature wasn’t confirmed in that time, or it was withdrawn."),
    )


def _link_page(status: int, title: str, advice: str) -> ResponseReturnValue:
    can_sign_again = last_known.status().is_open
    page = render_template(
        "public/error.html", title=title, advice=advice, can_sign_again=can_sign_again, is_link_error=True
    )
    return never_cache(make_response(page, status))
