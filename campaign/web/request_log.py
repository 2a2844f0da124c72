"""Each request has an id, and is counted and logged once its response begins: by its endpoint, without its address.

Kept pages and files are only counted: the proxy in front has a log of them, and there may be thousands in a second.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Flask, request, request_started
from structlog.contextvars import bound_contextvars
from structlog.typing import FilteringBoundLogger

from campaign.config.settings import Settings
from campaign.context import context_of
from campaign.core.logging import direct_logger
from campaign.core.metrics import Metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ID_HEADER = "X-Request-ID"
KEPT_PAGE = "kept page"  # the endpoint of pages that the cache answers with
_FILES = {"/static/": "static file", "/film/": "film file"}
_UNKNOWN = "none"  # a request that no view answered
_ENDPOINT = "campaign.endpoint"  # in the environment of a request
_ID = re.compile(r"[0-9A-Fa-f-]{8,64}")  # of nginx, Caddy and HAProxy; no room for words
_SIGN_RESULTS = {2: "accepted", 3: "accepted", 4: "refused", 5: "failed"}  # by the first digit of the status


class RequestLog:
    """WSGI middleware that counts requests, and logs them."""

    def __init__(
        self,
        app: "WSGIApplication",
        metrics: Metrics,
        *,
        trusts_proxy: bool = False,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """Run `app`; count in `metrics`, and write to `log` if there is one.

        With `trusts_proxy`, the request ids are those of the proxy in front.
        """
        self._app, self._metrics, self._log = app, metrics, log
        self._trusts_proxy = trusts_proxy
        # With their labels, which take longer to look up than to count; there are as many as views and statuses.
        self._requests = cache(lambda endpoint, status: metrics.requests.labels(endpoint, str(status)))
        self._seconds = cache(metrics.request_seconds.labels)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request with the application."""
        return self.run(self._app, environ, start_response)

    def run(
        self, app: "WSGIApplication", environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request with `app`, and note it."""
        request_id, began, status = self.request_id(environ.get("HTTP_X_REQUEST_ID", "")), time.perf_counter(), 500

        def start(line: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, [*headers, (ID_HEADER, request_id)], *exc_info)

        with bound_contextvars(request=request_id), self._metrics.busy_threads.track_inprogress():
            try:
                parts = app(environ, start)
            finally:
                self._note(environ, status, time.perf_counter() - began)
        return parts if isinstance(parts, list) else _Body(parts, request_id)

    def request_id(self, given: str) -> str:
        """Return the id of a request, given the one that its client or a proxy sent."""
        if self._trusts_proxy and len(given) <= 64 and _ID.fullmatch(given):
            return given
        return os.urandom(8).hex()

    def count_kept_page(self, status: int) -> None:
        """Count a response of the page cache."""
        self._requests(KEPT_PAGE, status).inc()

    def _note(self, environ: "WSGIEnvironment", status: int, seconds: float) -> None:
        view = environ.get(_ENDPOINT)
        endpoint = view or next((name for at, name in _FILES.items() if environ["PATH_INFO"].startswith(at)), _UNKNOWN)
        self._requests(endpoint, status).inc()
        self._seconds(endpoint).observe(seconds)
        if endpoint == "petition.sign" and environ["REQUEST_METHOD"] == "POST":
            self._metrics.sign_forms.labels("limited" if status == 429 else _SIGN_RESULTS[status // 100]).inc()
        if self._log and (view or endpoint == _UNKNOWN):
            with suppress(OSError):  # the log's disk is full, or its reader is gone: that must fail no request
                self._log.info("request", endpoint=endpoint, status=status, ms=round(seconds * 1000))


class _Body:
    """The rest of a response, whose log lines have the id of its request."""

    def __init__(self, parts: Iterable[bytes], request_id: str) -> None:
        self._parts, self._request_id = parts, request_id

    def __iter__(self) -> Iterator[bytes]:
        parts = iter(self._parts)
        while True:
            with bound_contextvars(request=self._request_id):
                try:
                    part = next(parts)
                except StopIteration:
                    return
            yield part

    def close(self) -> None:
        """Close the application's iterable (PEP 3333)."""
        if close := getattr(self._parts, "close", None):
            with bound_contextvars(request=self._request_id):
                close()


def init_request_log(app: Flask, settings: Settings, *, is_server: bool) -> None:
    """Put the log in front of all of `app`; lines are written by servers only."""
    request_started.connect(_note_endpoint, app)
    app.wsgi_app = app.extensions["request log"] = RequestLog(  # type: ignore[method-assign]
        app.wsgi_app,
        context_of(app).metrics,
        trusts_proxy=settings.proxies > 0,
        log=direct_logger(settings.log_format) if is_server and settings.access_log == "yes" else None,
    )


def _note_endpoint(_app: Flask) -> None:
    request.environ[_ENDPOINT] = request.endpoint


def request_log(app: Flask) -> RequestLog:
    """Return the log in front of `app`."""
    found: RequestLog = app.extensions["request log"]
    return found
