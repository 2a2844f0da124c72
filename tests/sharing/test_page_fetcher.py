"""Getting a page as a network does: under its name, no more than it reads, and without following."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from campaign.sharing.preview_checker.crawlers import HttpResponse
from campaign.sharing.preview_checker.page_fetcher import fetch
from tests import services


class Pages(BaseHTTPRequestHandler):
    """Responds with the client's User-Agent; /away redirects, /gone is missing."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/")
        elif self.path == "/gone":
            self.send_response(410)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if self.path == "/":
            self.wfile.write(self.headers["User-Agent"].encode())

    def log_message(self, *_arguments: object) -> None:
        """Suppress the log of requests."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """The address of a site with three pages."""
    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_asks_under_the_name_of_the_network(pages):
    assert fetch(f"{pages}/", "WhatsApp/2", 100) == HttpResponse(200, "text/html", b"WhatsApp/2")


def test_it_reads_no_more_than_the_network_does(pages):
    assert fetch(f"{pages}/", "WhatsApp/2", 4) == HttpResponse(200, "text/html", b"What", cut=True)


def test_it_follows_nothing(pages):
    assert fetch(f"{pages}/away", "x", 100) == HttpResponse(302, location="/")


def test_a_missing_page_is_distinguished_from_an_unreachable_one(pages):
    assert fetch(f"{pages}/gone", "x", 100) == HttpResponse(410)
    assert fetch(f"http://127.0.0.1:{services.free_port()}/", "x", 100) == HttpResponse(0)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "/en/", ""])
def test_only_the_web_is_asked(url):
    assert fetch(url, "x", 100) == HttpResponse(0)
