"""Limits: how much may be sent, and how often one network address may sign."""

from flask import Flask, abort, current_app, request
from flask_limiter import Limiter, RateLimitExceeded
from redis.exceptions import RedisError

from campaign.config import Settings
from campaign.web.forms import URLENCODED
from campaign.web.visitors import visitor_hash

MAX_BODY = 64 * 1024  # bytes; the longest honest form has about 15,000
MAX_FIELDS = 100  # of one form
COUNTING = "60 per minute;1000 per day"  # views, and marks of the film, counted from one network address
SIGN_IN = "30 per minute;300 per hour"  # tries to come in from one network address
REDIS_SECONDS = 0.25  # a slow Redis must not hold up signing


def limit(app: Flask, settings: Settings) -> None:
    """Limit bodies and signing. Counted in Redis where there is one, in this process's memory while there is none."""
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY, MAX_FORM_PARTS=MAX_FIELDS)
    app.before_request(_read_body)  # first, so that nothing later meets a body that is too large
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url or "memory://"
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = bool(settings.redis_url)
    if settings.redis_url:
        timeouts = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
        app.config["RATELIMIT_STORAGE_OPTIONS"] = timeouts
    # One for each app: it remembers whether its Redis was down.
    limiter = Limiter(visitor_hash, app=app, strategy="fixed-window")
    limited = limiter.limit(lambda: settings.sign_limit, exempt_when=lambda: not settings.sign_limit)
    app.extensions["count_signing"] = limited(_count_signing)
    app.extensions["count_tally"] = limiter.limit(COUNTING)(_count_tally)
    app.extensions["count_sign_in"] = limiter.limit(SIGN_IN)(_count_sign_in)


def _read_body() -> None:
    if request.method == "POST":
        body = request.get_data()  # kept, so that it can be read as a form as well
        request.stream.read(1)  # a body of unknown length is cut at the limit, and only reading on says so (413)
        if request.mimetype == URLENCODED and body.count(b"&") > MAX_FIELDS:
            abort(413)
        _ = request.form


def count_signing() -> None:
    """Count one signing for this visitor. Raises `RateLimitExceeded`.

    Called after all checks of the form, so that nobody is shut out for typing errors.
    """
    _count("count_signing")


def is_countable() -> bool:
    """Tell whether what this visitor watches or opens may still be counted, so that nobody can drive numbers up."""
    try:
        _count("count_tally")
    except RateLimitExceeded:
        return False
    return True


def count_sign_in() -> None:
    """Count one try to come in as an organiser. Raises `RateLimitExceeded`."""
    _count("count_sign_in")


def _count(name: str) -> None:
    count = current_app.extensions[name]
    try:
        count()
    except RedisError:
        # Flask-Limiter turns to memory when Redis fails, but lets the failure of a request beside that one through.
        count()


def _count_signing() -> None:
    """Do nothing more than being counted."""


def _count_tally() -> None:
    """Do nothing more than being counted."""


def _count_sign_in() -> None:
    """Do nothing more than being counted."""
