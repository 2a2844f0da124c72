"""A cache of finished public pages, in front of everything else in the application.

Each page is kept as it is sent: in each content coding, with its headers and a strong ETag. A thread looks once a
second whether anything has changed that pages show, and renders again what changed and was asked for within the last
minute. So a request costs a look into a dictionary, however many come, and a page is at most 1.5 seconds old. While the
database is away, the last known page is sent.

Only these pages are compressed: the compressed length of a page with a secret could reveal it (BREACH).
"""

import gzip
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from hashlib import blake2b
from http import HTTPStatus
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

import brotli
import structlog
from werkzeug.datastructures import Accept, Headers
from werkzeug.http import parse_accept_header
from werkzeug.test import EnvironBuilder, run_wsgi_app

from campaign.core.database import DatabaseError
from campaign.core.logging import error_code
from campaign.web.header_bounds import MAX_LIST
from campaign.web.request_gate import SKIPS_GATE

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CHECK_SECONDS = 1.0  # between two checks for changes
STALE_SECONDS = 1.4  # since the last look: then a request looks itself
ASKED_SECONDS = 60.0  # what nobody asked for in this time is not rendered in advance
WAIT_SECONDS = 0.5  # for a look or a page, where there is an older one to send
RENDER_SECONDS = 10.0  # the same where there is none
MAX_VARIANTS = 512  # pages that differ by their query, of which strangers could invent any number
MAX_VARIANT_BYTES = 8 * 1024 * 1024  # for all of them
MAX_HEADERS = 64  # spellings of Accept-Encoding that a page remembers
MAX_KEY = 1000  # characters of an address; longer ones are not kept
_MIN_COMPRESSED = 500  # bytes; for less, a coding saves nothing
_TEXT = re.compile(r"text/|application/(?:json|manifest\+json|xml)|image/svg\+xml")

log = structlog.get_logger(__name__)

_COMPRESS: dict[str, Callable[[bytes], bytes]] = {  # the best first; they decide where a client likes several equally
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": lambda body: zstd.compress(body, 9),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),  # without a time, every process makes the same bytes
}


class Answer(NamedTuple):
    """Status, headers and body of an answer; shared between requests, so nobody may change it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Page:
    """A page as it was rendered for `version`, with its answers in the content codings asked for so far."""

    def __init__(self, headers: Headers, body: bytes, version: Hashable) -> None:
        self.body, self.version = body, version
        self.asked_at = time.monotonic()
        self.is_outdated = False
        self._is_text = len(body) >= _MIN_COMPRESSED and _TEXT.match(headers.get("Content-Type", "")) is not None
        self._tag = headers.get("ETag", "").strip('"') or blake2b(body, digest_size=16).hexdigest()
        for name in ("Content-Length", "ETag"):
            headers.remove(name)
        if self._is_text:
            headers["Vary"] = "Accept-Encoding"
        self._headers = headers.to_wsgi_list()
        self._answers: dict[str, tuple[str, Answer, Answer]] = {}
        self._by_header: dict[str, tuple[str, Answer, Answer]] = {}  # the same by what browsers send as Accept-Encoding

    @property
    def codings(self) -> tuple[str, ...]:
        """The content codings that were asked for."""
        return tuple(self._answers)

    def answer(self, accept_encoding: str, if_none_match: str) -> Answer:
        """Return the answer to a request with these headers, "" for one that is missing."""
        prepared = self._by_header.get(accept_encoding)
        if prepared is None:
            coding = preferred_coding(accept_encoding[:MAX_LIST]) if self._is_text else ""
            prepared = self._answers.get(coding) or self.prepare(coding)
            if len(self._by_header) < MAX_HEADERS and len(accept_encoding) < MAX_LIST:
                self._by_header[accept_encoding] = prepared
        etag, whole, unchanged = prepared
        if if_none_match and (etag in if_none_match or if_none_match == "*"):
            return unchanged
        return whole

    def prepare(self, coding: str) -> tuple[str, Answer, Answer]:
        """Compress the page in `coding`, "" for none; return its ETag, the answer with it and the one without (304)."""
        body = _COMPRESS[coding](self.body) if coding else self.body
        etag = f'"{self._tag}-{coding}"' if coding else f'"{self._tag}"'
        shared = [*self._headers, ("ETag", etag)]
        headers = [*shared, ("Content-Length", str(len(body)))]
        if coding:
            headers.append(("Content-Encoding", coding))
        without = [(name, value) for name, value in shared if name != "Content-Type"]
        made = (etag, Answer(HTTPStatus.OK.value, headers, body), Answer(HTTPStatus.NOT_MODIFIED.value, without, b""))
        self._answers[coding] = made
        return made


class PageCache:
    """WSGI middleware that answers for the pages it keeps.

    Without `start`, as in tests and commands, each request renders its page.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        paths: frozenset[str],
        timed: frozenset[str],
        variants: re.Pattern[str],
        read_version: Callable[[], Hashable],
        base_url: str,
    ) -> None:
        """Create a cache of the pages of `app` at `paths`, whatever the query, and of `variants` with each query.

        `read_version` returns a value that changes whenever a page would; those at `timed` also change by the second.
        """
        self._app, self._base_url = app, base_url
        self._paths, self._timed, self._variable = paths, timed, variants
        self._read_version = read_version
        self._lock = Lock()  # for looking and for rendering pages: one at a time
        self._pages: dict[str, Page] = {}
        self._variants = _Variants()
        self._version: Hashable = None
        self._looked_at = -STALE_SECONDS
        self._is_running = self._is_wanted = False
        self._stopped = Event()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Answer with a kept page, or pass the request on."""
        method = environ["REQUEST_METHOD"]
        key = self.key(method, environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
        page = key and (self.lookup(key) or self.load(key))
        if not page:
            return self._app(environ, start_response)
        answer = page.answer(environ.get("HTTP_ACCEPT_ENCODING", ""), environ.get("HTTP_IF_NONE_MATCH", ""))
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.headers.copy())
        return [answer.body if method == "GET" else b""]

    def start(self) -> None:
        """Start keeping pages, and checking for changes in a thread of this process."""
        self._is_running = True
        Thread(target=self._look_periodically, name="page cache", daemon=True).start()

    def stop(self) -> None:
        """Look for no more changes; pages are rendered for each request again."""
        self._is_running = False
        self._looked_at = -STALE_SECONDS
        self._stopped.set()

    def key(self, method: str, path: str, query: str) -> str | None:
        """Return the key of a page that may be kept, None for any other request."""
        if method not in ("GET", "HEAD"):
            return None
        if path in self._paths:
            return path
        if self._variable.fullmatch(path) and len(path) + len(query) < MAX_KEY:
            return f"{path}?{query}"
        return None

    def fresh(self, path: str) -> Page | None:
        """Return the page at `path` if it is kept and fresh, whatever the query."""
        page = self._pages.get(path)
        if page is None or page.is_outdated or (now := time.monotonic()) > self._looked_at + STALE_SECONDS:
            return None
        page.asked_at = now
        self._is_wanted = True
        return page

    def lookup(self, key: str) -> Page | None:
        """Return the page for a key if it is kept and fresh, without waiting."""
        if key in self._paths:
            return self.fresh(key)
        page = self._variants.get(key)
        if page is None or page.version != self._version or time.monotonic() > self._looked_at + STALE_SECONDS:
            return None
        self._is_wanted = True
        return page

    def is_rendered_in_advance(self, key: str) -> bool:
        """Return whether the page is rendered again before somebody asks for it."""
        return key in self._paths

    def load(self, key: str) -> Page | None:
        """Return a page that `lookup` did not find, rendered if need be; None if there is no such page.

        While the database is slow or away, the last known page is returned.
        """
        if not self._is_running:
            return self._render(key)
        self._is_wanted = True
        known = self._pages.get(key) or self._variants.get(key)
        if not self._lock.acquire(timeout=WAIT_SECONDS if known else RENDER_SECONDS):
            self._looked_at = time.monotonic()
            return known
        try:
            if time.monotonic() > self._looked_at + STALE_SECONDS and self._look():
                for other, kept in self._pages.items():
                    kept.is_outdated = kept.version != self._version or other in self._timed
            if key in self._paths:
                return self.lookup(key) or self._renew(key)
        finally:
            self._lock.release()
        # Not under the lock, since there may be many, and some are pictures.
        if page := self.lookup(key):
            return page
        if page := self._render(key):
            self._variants.put(key, page)
        return page or known

    def _look_periodically(self) -> None:
        while not self._stopped.wait(CHECK_SECONDS):
            if self._is_wanted:
                self._is_wanted = False
                try:
                    self.refresh()
                except Exception as error:  # noqa: BLE001 - if this thread ended, requests would have to look themselves
                    log.warning("pages could not be rendered", reason=error_code(error))

    def refresh(self) -> None:
        """Look for changes, and render what changed; old pages are sent until each new one is complete."""
        with self._lock:
            if not self._look():
                return
        for key, page in list(self._pages.items()):
            if page.version == self._version and key not in self._timed:
                continue
            if time.monotonic() > page.asked_at + ASKED_SECONDS:
                page.is_outdated = True
                continue
            with self._lock:
                self._renew(key)

    def _look(self) -> bool:
        """Read the version; returns False where the database does not tell, and then everything stays as it is."""
        try:
            self._version = self._read_version()
        except DatabaseError as error:
            log.warning("pages are sent as last known", reason=error_code(error))
            return False
        finally:
            self._looked_at = time.monotonic()
        return True

    def _renew(self, key: str) -> Page | None:
        """Render and keep a page; returns the last known one if that fails."""
        known, page = self._pages.get(key), self._render(key, SKIPS_GATE)  # under the lock, so there is one at a time
        if page is None:
            if known:
                known.is_outdated = False  # until the next look
            return known
        if known:
            page.asked_at = known.asked_at
            for coding in known.codings:
                page.prepare(coding)
        self._pages[key] = page
        return page

    def _render(self, key: str, *flags: str) -> Page | None:
        version = self._version
        path, _, query = key.partition("?")
        environ = EnvironBuilder(path, query_string=query, base_url=self._base_url).get_environ()
        environ |= dict.fromkeys(flags, True)
        parts, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        return Page(headers, b"".join(parts), version) if status.startswith("200") else None


class _Variants:
    """Pages that differ by their query: those asked for last, of a bounded number and size."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> Page | None:
        with self._lock:
            if page := self._pages.get(key):
                self._pages.move_to_end(key)
            return page

    def put(self, key: str, page: Page) -> None:
        with self._lock:
            if old := self._pages.pop(key, None):
                self._bytes -= len(old.body)
            self._pages[key] = page
            self._bytes += len(page.body)
            while len(self._pages) > MAX_VARIANTS or self._bytes > MAX_VARIANT_BYTES:
                self._bytes -= len(self._pages.popitem(last=False)[1].body)


@lru_cache(maxsize=256)
def preferred_coding(accept_encoding: str) -> str:
    """Return the content coding for a client that sends this Accept-Encoding, "" for none (RFC 9110, 12.5.3)."""
    accepted = parse_accept_header(accept_encoding, Accept)
    best = max(_COMPRESS, key=accepted.quality)
    return best if accepted.quality(best) > 0 else ""
