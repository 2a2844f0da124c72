"""The application for granian's event loop (its RSGI interface), which answers with kept pages itself.

Everything else runs in a few threads, as any WSGI server would run it. The loop reads forms and sends films, so clients
that are slow at either hold no thread. Pages and files have threads of their own, so people who sign keep no reader
waiting.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

import structlog
from granian.rsgi import HTTPProtocol, ProtocolClosed, ProtocolError
from werkzeug.wsgi import get_content_length

from campaign.core.logging import error_code
from campaign.web.negotiation import ANSWER_AT, refuse_busy
from campaign.web.page_cache import Page, PageCache
from campaign.web.rate_limits import MAX_BODY
from campaign.web.request_gate import BODY_SECONDS, INCOMPLETE
from campaign.web.request_log import ID_HEADER, RequestLog
from campaign.web.static_files import MAX_BUFFERED

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from granian.rsgi import Scope

MAX_BODIES = 512  # forms on their way at the same time, of at most `MAX_BODY` bytes each
MAX_WAITING = 512  # requests that wait for a thread or have one: about two seconds of work for a slow machine
MAX_WAIT_SECONDS = 10  # for a thread; after that the client has probably gone, or would send its form again
_FILES = ("/static/", "/film/")  # paths of files, which only wait for the disk
_FILE_THREADS = 4
_BUSY = ("503 Service Unavailable", "Many people are here just now.")
_STREAM_THREADS = 16  # an export waits in one of them for the key worker

log = structlog.get_logger(__name__)


class EventLoopApp:
    """An RSGI application that answers with kept `pages`, and runs `app` in threads for all other requests."""

    def __init__(self, app: "WSGIApplication", pages: PageCache, requests: RequestLog, threads: int) -> None:
        """Answer with `pages`, which are counted in `requests`; otherwise with `app`, which `threads` threads run."""
        self._app, self._pages, self._log = app, pages, requests
        self._requests = ThreadPoolExecutor(threads, "request")
        self._files = ThreadPoolExecutor(_FILE_THREADS, "file")
        self._streams = ThreadPoolExecutor(_STREAM_THREADS, "stream")
        self._renderer = ThreadPoolExecutor(1, "page")
        self._loading: dict[str, asyncio.Future[Page | None]] = {}
        self._bodies = self._waiting = 0

    async def __rsgi__(self, scope: "Scope", proto: HTTPProtocol) -> None:
        """Answer one request."""
        method = scope.method
        try:
            page = self._pages.fresh(scope.path) if method in ("GET", "HEAD") else None
            if page is None and (key := self._pages.key(method, scope.path, scope.query_string)):
                page = self._pages.lookup(key) or await self._load(key)
            if page is None:
                await self._run(scope, proto)
                return
            header = scope.headers.get
            status, headers, body = page.answer(header("accept-encoding", ""), header("if-none-match", ""))
            self._log.count_kept_page(status)
            headers = [*headers, (ID_HEADER, self._log.request_id(header("x-request-id", "")))]
            if body and method == "GET":
                proto.response_bytes(status, headers, body)
            else:
                proto.response_empty(status, headers)
        except (ProtocolClosed, ProtocolError):
            pass  # the client has gone
        except Exception as error:  # noqa: BLE001 - granian would log the address, which may hold a token
            log.error("failure", method=method, error=error_code(error))  # noqa: TRY400
            proto.response_str(500, [("Content-Type", "text/plain")], "Something went wrong on our side.\n")

    async def _load(self, key: str) -> Page | None:
        """Load a page once for all who ask for it now."""
        if (loading := self._loading.get(key)) is None:
            pool = self._renderer if self._pages.is_rendered_in_advance(key) else self._requests
            loading = asyncio.get_running_loop().run_in_executor(pool, self._pages.load, key)
            self._loading[key] = loading
            loading.add_done_callback(lambda _done: self._loading.pop(key, None))
        return await loading

    async def _run(self, scope: "Scope", proto: HTTPProtocol) -> None:
        environ, response = _environ(scope), _Response()
        is_file = scope.method != "POST" and scope.path.startswith(_FILES)
        if refusal := await self._read_body(environ, proto):
            self._refuse(response, environ, refusal)
        elif is_file:
            await asyncio.get_running_loop().run_in_executor(self._files, response.run, self._app, environ)
        else:
            await self._run_in_turn(response, environ)
        if response.rest is not None:
            await self._stream(response, proto)
        elif response.body and scope.method != "HEAD":
            proto.response_bytes(response.status, response.headers, response.body)
        else:
            proto.response_empty(response.status, response.headers)

    async def _run_in_turn(self, response: "_Response", environ: "WSGIEnvironment") -> None:
        """Run the application in one of few threads, unless that would take too long to begin."""
        if self._waiting >= MAX_WAITING:
            self._refuse(response, environ, _BUSY)
            return
        latest = time.monotonic() + MAX_WAIT_SECONDS

        def run() -> None:
            if time.monotonic() > latest:
                self._refuse(response, environ, _BUSY)
            else:
                response.run(self._app, environ)

        self._waiting += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._requests, run)
        finally:
            self._waiting -= 1
        if until := environ[ANSWER_AT]:
            await asyncio.sleep(until - time.monotonic())

    def _refuse(self, response: "_Response", environ: "WSGIEnvironment", refusal: tuple[str, str]) -> None:
        """Answer without the application, but not without a line in the log."""
        response.run(partial(self._log.run, partial(_refused, refusal)), environ)

    async def _read_body(self, environ: "WSGIEnvironment", proto: HTTPProtocol) -> tuple[str, str] | None:
        """Read a form into `environ`; returns the status and the text to refuse it with, if it cannot be read."""
        length = get_content_length(environ) or 0  # 0 for a chunked body
        if environ["REQUEST_METHOD"] != "POST" or length > MAX_BODY:
            return None
        if self._bodies >= MAX_BODIES:
            return _BUSY
        self._bodies += 1
        reading = asyncio.ensure_future(_read(proto))
        try:
            done, _ = await asyncio.wait({reading}, timeout=BODY_SECONDS)
        finally:
            self._bodies -= 1
        if not done:
            reading.cancel()
            return "408 Request Timeout", INCOMPLETE
        if reading.exception() or len(reading.result()) < length:  # half a form must not count
            return "400 Bad Request", INCOMPLETE
        environ["wsgi.input"] = BytesIO(reading.result())
        return None

    async def _stream(self, response: "_Response", proto: HTTPProtocol) -> None:
        """Send a long response, as fast as the client takes it."""
        run = asyncio.get_running_loop().run_in_executor
        try:
            transport = proto.response_stream(response.status, response.headers)
            while (part := await run(self._streams, response.next_part)) is not None:
                await transport.send_bytes(part)
        finally:
            await run(self._streams, response.close)


class _Response:
    """What a WSGI application answers: whole in `body`, or its `rest` still to come."""

    def __init__(self) -> None:
        self.status, self.body = HTTPStatus.INTERNAL_SERVER_ERROR.value, b""
        self.headers: list[tuple[str, str]] = []
        self.rest: Iterator[bytes] | None = None
        self._parts: Iterable[bytes] = ()

    def run(self, app: "WSGIApplication", environ: "WSGIEnvironment") -> None:
        """Call `app`, and let it finish unless its response is long or of unknown length."""
        self.finish(app(environ, self.start))

    def start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
        """Store status and headers (PEP 3333, "The start_response() Callable")."""
        self.status, self.headers = int(status[:3]), headers

    def finish(self, parts: Iterable[bytes]) -> None:
        """Store the body, or the iterator of a long one."""
        self._parts = parts
        length = next((int(value) for name, value in self.headers if name.lower() == "content-length"), None)
        if isinstance(parts, list) or (length is not None and length < MAX_BUFFERED):
            try:
                self.body = b"".join(parts)
            finally:
                self.close()
        else:
            self.rest = iter(parts)

    def next_part(self) -> bytes | None:
        """Return the next part of the rest that is not empty, None at its end."""
        return next(filter(None, self.rest or ()), None)

    def close(self) -> None:
        """Close the application's iterable (PEP 3333), which releases the resources of this response."""
        if close := getattr(self._parts, "close", None):
            close()


def _refused(refusal: tuple[str, str], _environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    return refuse_busy(start_response, *refusal)


async def _read(proto: HTTPProtocol) -> bytes:
    """Return a body, of one that is too large only enough to be known as such."""
    parts, size = [], 0
    async for part in proto:
        parts.append(bytes(part))
        if (size := size + len(part)) > MAX_BODY:
            break
    return b"".join(parts)


def _environ(scope: "Scope") -> "WSGIEnvironment":
    """Return the environment of a request (PEP 3333), without its body."""
    client, _, client_port = scope.client.rpartition(":")
    server, _, server_port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode("utf-8", "surrogateescape").decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server,
        "SERVER_PORT": server_port,
        "REMOTE_ADDR": client.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        ANSWER_AT: 0.0,
    }
    for header, value in scope.headers.items():
        if "_" in header:  # would pass for the header with a hyphen, which a proxy may have checked
            continue
        name = header.upper().replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = f"HTTP_{name}"
        if name not in environ:
            environ[name] = value
        elif name != "HTTP_HOST":
            environ[name] += f"{'; ' if name == 'HTTP_COOKIE' else ','}{value}"
    return environ
