"""What kind of answer a request asks for, and when it gets it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta

from campaign.core.capacity import RETRY_SECONDS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

ANSWER_AT = "campaign.answer_at"  # in the environment, where the server can wait without a thread (`web.event_loop`)
MIN_SIGNING_SECONDS = 0.01  # slightly more than signing takes while emails are being sent


def wants_json() -> bool:
    """Whether the client would rather have JSON than a page."""
    accepts = request.accept_mimetypes
    return accepts.best_match(("text/html", "application/json")) == "application/json"


@contextmanager
def minimum_duration() -> Iterator[None]:
    """Make the block take at least `MIN_SIGNING_SECONDS`, so that small differences are not measurable from outside."""
    end = time.monotonic() + MIN_SIGNING_SECONDS
    yield
    if ANSWER_AT in request.environ:
        request.environ[ANSWER_AT] = end
    else:
        time.sleep(max(0.0, end - time.monotonic()))


def wait_in_words(seconds: int) -> str:
    """Return when `seconds` will have passed, in the language of the request and never too early: "in 4 minutes"."""
    unit = 1 if seconds < 90 else 60 if seconds < 90 * 60 else 3600
    whole = timedelta(seconds=ceil(seconds / unit) * unit)
    return str(format_timedelta(whole, threshold=1.5, add_direction=True))  # "in 75 minutes", and not "in 1 hour"


def set_retry_after(answer: ResponseReturnValue, seconds: int) -> Response:
    """Return `answer` with the time to come back (RFC 9110, 10.2.3)."""
    response = make_response(answer)
    response.headers["Retry-After"] = str(seconds)
    return response


def refuse_busy(start_response: "StartResponse", status: str, text: str) -> list[bytes]:
    """Answer without the application, since a page would cost too much now."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
    start_response(status, [*headers, ("Retry-After", str(RETRY_SECONDS))])
    return [f"{text} Please try again in a few seconds.\n".encode()]
