"""The request gate limits concurrent requests, and concurrent uploads of request bodies.

A WSGI server assigns a thread to each request from its headers on, and a client may take any time to send the body. So
there are many threads, which are cheap while they wait. Few of them work, since there is one interpreter and SQLite has
one writer. Some never wait for a body, so that pages are always served.
"""

import time
from collections.abc import Iterable
from io import BytesIO
from threading import Semaphore
from typing import TYPE_CHECKING

from werkzeug.wsgi import get_content_length

from campaign.web.negotiation import refuse_busy
from campaign.web.rate_limits import MAX_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

MAX_SENDING = 64  # request bodies, of the threads of such a server
BODY_SECONDS = 30  # for all of one; the longest has 64 KiB

INCOMPLETE = "The request was incomplete."
SKIPS_GATE = "campaign.skips_gate"  # in the environment of a page that is rendered for all: readers wait for no signer


class RequestGate:
    """WSGI middleware that reads the request body before the application runs."""

    def __init__(self, app: "WSGIApplication", threads: int) -> None:
        """Run `app` for at most `threads` requests at a time; each may use a database connection."""
        self._app = app
        self._working = Semaphore(threads)
        self._sending = Semaphore(MAX_SENDING)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request: 503 when too many bodies are on their way, 408 for a slow one, 400 for a broken one."""
        if SKIPS_GATE in environ:
            return self._app(environ, start_response)
        body, length = b"", get_content_length(environ) or 0  # 0 for a chunked body
        if environ["REQUEST_METHOD"] == "POST" and length <= MAX_BODY:
            if not self._sending.acquire(blocking=False):
                return refuse_busy(start_response, "503 Service Unavailable", INCOMPLETE)
            try:
                body = _read_body(environ["wsgi.input"])
            except TimeoutError:
                return refuse_busy(start_response, "408 Request Timeout", INCOMPLETE)
            finally:
                self._sending.release()
            if len(body) < length:  # the connection broke: half a form must not count
                return refuse_busy(start_response, "400 Bad Request", INCOMPLETE)
        # Nothing behind the gate waits for the network, not even for the body of a GET.
        environ["wsgi.input"] = BytesIO(body)
        with self._working:
            return self._app(environ, start_response)


def _read_body(stream: "InputStream") -> bytes:
    """Return a body, of one that is too large only enough to be known as such. Raises `TimeoutError` for a slow one."""
    parts, missing, end = [], MAX_BODY + 1, time.monotonic() + BODY_SECONDS
    while missing and (part := stream.read(missing)):  # blocks until something has arrived
        parts.append(part)
        missing -= len(part)
        if time.monotonic() > end:
            raise TimeoutError
    return b"".join(parts)
