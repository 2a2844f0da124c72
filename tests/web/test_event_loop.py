"""Requests that wait too long for one of the threads of the server are refused."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

from campaign.core.metrics import Metrics
from campaign.web import event_loop
from campaign.web.event_loop import EventLoopApp
from campaign.web.page_cache import PageCache
from campaign.web.request_log import RequestLog


class Requests:
    """An application that answers a request once it may, and notes its path."""

    def __init__(self) -> None:
        self.began, self.may_answer = Event(), Event()
        self.paths: list[str] = []

    def __call__(self, environ, start_response):
        self.paths.append(environ["PATH_INFO"])
        self.began.set()
        assert self.may_answer.wait(10)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"OK"]


class Protocol:
    """Granian's side of a request; takes the response."""

    status = 0

    def response_bytes(self, status, headers, body):
        self.status, self.headers, self.body = status, dict(headers), body


def scope(path: str) -> SimpleNamespace:
    return SimpleNamespace(
        method="GET",
        path=path,
        query_string="",
        headers={},
        client="127.0.0.1:1",
        server="127.0.0.1:2",
        http_version="1.1",
        scheme="http",
    )


def no_pages(app: Requests) -> PageCache:
    return PageCache(
        app,
        paths=frozenset(),
        timed=frozenset(),
        variants=re.compile("-"),
        read_version=int,
        base_url="http://localhost",
    )


def test_a_request_that_waited_too_long_for_a_thread_is_refused_and_not_run(monkeypatch):
    app, first, second = Requests(), Protocol(), Protocol()
    served = EventLoopApp(app, no_pages(app), RequestLog(app, Metrics()), threads=1)

    async def ask_twice() -> None:
        running = asyncio.ensure_future(served.__rsgi__(scope("/first"), first))
        await asyncio.to_thread(app.began.wait)
        monkeypatch.setattr(event_loop, "MAX_WAIT_SECONDS", 0)
        waiting = asyncio.ensure_future(served.__rsgi__(scope("/second"), second))
        await asyncio.sleep(0)
        app.may_answer.set()
        await asyncio.gather(running, waiting)

    with ThreadPoolExecutor(1) as thread:  # Playwright leaves a loop in the thread of the tests
        thread.submit(asyncio.run, ask_twice()).result()
    assert (first.status, second.status) == (200, 503)
    assert second.headers["Retry-After"] == "5"
    assert app.paths == ["/first"]
