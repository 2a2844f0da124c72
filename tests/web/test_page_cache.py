"""Kept pages: what a client gets, how old it may be, and what happens while it is rendered or cannot be."""

import gzip
import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import brotli
import pytest
from werkzeug.test import Client

from campaign.core.database import DatabaseError
from campaign.core.languages import LANGUAGES
from campaign.web import kept_pages, page_cache
from campaign.web.page_cache import MAX_VARIANTS, PageCache, preferred_coding
from tests.personas import comparable

TEXT = b"Love always wins. " * 100


class App:
    """A WSGI application with one page, which counts how often it is rendered."""

    def __init__(self):
        self.text, self.status, self.version = TEXT, "200 OK", 1
        self.rendered = 0
        self.may_render = Event()
        self.may_render.set()

    def __call__(self, environ, start_response):
        self.may_render.wait(10)
        self.rendered += 1
        start_response(self.status, [("Content-Type", "text/html"), ("X-Query", environ["QUERY_STRING"])])
        return [self.text]

    def read_version(self):
        if self.version is None:
            raise DatabaseError("the database is away")
        return self.version

    def change(self, text):
        self.text, self.version = text, self.version + 1


@pytest.fixture
def app():
    return App()


@pytest.fixture
def cache(app):
    cache = PageCache(
        app,
        paths=frozenset({"/page", "/clock"}),
        timed=frozenset({"/clock"}),
        variants=re.compile("/qr"),
        read_version=app.read_version,
        base_url="http://campaign.example",
    )
    cache.start()
    yield cache
    cache.stop()


@pytest.fixture
def campaign_cache(campaign):
    """The cache in front of the campaign, which keeps no pages yet."""
    cache = kept_pages.page_cache(campaign.app)
    yield cache
    cache.stop()


@pytest.fixture
def client(cache):
    return Client(cache)


def test_a_page_is_rendered_once_for_many_requests_whatever_their_query(app, client):
    answers = {client.get(f"/page?utm_source={number}").data for number in range(50)}
    assert (answers, app.rendered) == ({TEXT}, 1)


def test_a_change_is_shown_after_the_next_look(app, cache, client):
    client.get("/page")
    app.change(b"new")
    cache.refresh()
    assert client.get("/page").data == b"new"


def test_the_thread_looks_by_itself(app, client):
    client.get("/page")
    app.change(b"new")
    end = time.monotonic() + 10
    while client.get("/page").data != b"new":
        assert time.monotonic() < end
        time.sleep(0.01)
    assert app.rendered == 2


def test_what_has_not_changed_is_not_rendered_again_except_what_shows_the_time(app, cache, client):
    client.get("/page")
    client.get("/clock")
    cache.refresh()
    assert app.rendered == 3


def test_the_old_page_is_sent_at_once_while_the_new_one_is_rendered(app, cache, client):
    client.get("/page")
    app.change(b"new")
    app.may_render.clear()
    with ThreadPoolExecutor(1) as pool:
        refreshing = pool.submit(cache.refresh)
        while cache._version != app.version:
            time.sleep(0.001)
        assert client.get("/page").data == TEXT
        assert not refreshing.done()
        app.may_render.set()
    assert client.get("/page").data == b"new"


def test_many_first_requests_render_a_page_once(app, cache):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: Client(cache).get("/page").data, range(16)))
    assert (set(answers), app.rendered) == ({TEXT}, 1)


def test_the_last_known_page_is_sent_while_the_database_is_away(app, cache, client):
    client.get("/page")
    app.version, app.status = None, "503 Service Unavailable"
    cache.refresh()
    assert client.get("/page").data == TEXT
    assert app.rendered == 1


def test_a_page_that_cannot_be_rendered_stays_as_last_known_and_is_tried_again(app, cache, client):
    client.get("/page")
    app.status = "503 Service Unavailable"
    app.change(b"we are busy")
    cache.refresh()
    assert (client.get("/page").status_code, client.get("/page").data) == (200, TEXT)
    app.status = "200 OK"
    cache.refresh()
    assert client.get("/page").data == b"we are busy"


def test_after_a_pause_the_first_request_sees_the_change(app, cache, client, monkeypatch):
    client.get("/page")
    app.change(b"new")
    later = time.monotonic() + 3600
    monkeypatch.setattr(page_cache.time, "monotonic", lambda: later)
    assert client.get("/page").data == b"new"


def test_a_page_that_nobody_asked_for_in_the_last_minute_is_not_rendered_in_advance(app, cache, client, monkeypatch):
    client.get("/page")
    app.change(b"new")
    later = time.monotonic() + page_cache.ASKED_SECONDS + 1
    monkeypatch.setattr(page_cache.time, "monotonic", lambda: later)
    cache.refresh()
    assert app.rendered == 1
    assert client.get("/page").data == b"new"


def test_an_error_is_not_kept(app, client):
    app.status = "500 Internal Server Error"
    assert client.get("/page").status_code == 500
    app.status = "200 OK"
    assert client.get("/page").status_code == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("identity", ""),
        ("", ""),
    ],
)
def test_the_coding_is_the_one_that_the_client_likes_best(accepted, coding):
    assert preferred_coding(accepted) == coding


def test_each_coding_has_an_etag_of_its_own_and_says_so(client):
    plain = client.get("/page")
    packed = client.get("/page", headers={"Accept-Encoding": "br"})
    zipped = client.get("/page", headers={"Accept-Encoding": "gzip"})
    assert (brotli.decompress(packed.data), gzip.decompress(zipped.data), plain.data) == (TEXT, TEXT, TEXT)
    assert len({answer.headers["ETag"] for answer in (plain, packed, zipped)}) == 3
    assert {answer.headers["Vary"] for answer in (plain, packed, zipped)} == {"Accept-Encoding"}
    assert (packed.headers["Content-Encoding"], plain.headers.get("Content-Encoding")) == ("br", None)
    assert int(packed.headers["Content-Length"]) == len(packed.data)


def test_who_has_the_page_is_told_so_in_short(client):
    etag = client.get("/page").headers["ETag"]
    for known in (etag, f'"another", W/{etag}', "*"):
        answer = client.get("/page", headers={"If-None-Match": known})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
    assert client.get("/page", headers={"If-None-Match": '"another"'}).status_code == 200


def test_head_is_get_without_the_body(client):
    whole, head = client.get("/page"), client.head("/page")
    assert (head.data, head.headers) == (b"", whole.headers)


def test_other_methods_are_passed_on(app, client):
    client.get("/page")
    client.post("/page")
    assert app.rendered == 2


def test_the_pages_with_a_query_are_bounded_in_number(app, cache, client):
    for number in range(MAX_VARIANTS + 10):
        assert client.get(f"/qr?ref={number}").headers["X-Query"] == f"ref={number}"
    assert len(cache._variants._pages) == MAX_VARIANTS
    client.get(f"/qr?ref={MAX_VARIANTS}")
    assert app.rendered == MAX_VARIANTS + 10  # it was kept


def test_the_pages_with_a_query_are_bounded_in_size(app, cache, client, monkeypatch):
    monkeypatch.setattr(page_cache, "MAX_VARIANT_BYTES", 3 * len(TEXT))
    for number in range(10):
        client.get(f"/qr?ref={number}")
    assert len(cache._variants._pages) == 3
    client.get("/qr?ref=9")
    assert app.rendered == 10


def test_a_very_long_query_is_answered_and_not_kept(cache, client):
    client.get(f"/qr?ref={'x' * 5000}")
    assert not cache._variants._pages


def test_every_public_page_is_the_same_when_kept(campaign, campaign_cache):
    paths = [f"/{lang}/{page}" for lang in LANGUAGES for page in ("", "thanks", "privacy", "embed")]
    paths += ["/robots.txt", "/sitemap.xml", "/qr.svg", "/qr.svg?ref=abcdefghijk"]

    def answers() -> list:
        return [comparable(answer) for answer in map(campaign.client.get, paths)]

    anew = answers()
    campaign_cache.start()
    for _ in range(2):
        assert answers() == anew


def test_kept_pages_show_the_count_the_status_names_and_settings_that_changed(campaign, campaign_cache):
    campaign_cache.start()
    assert campaign.client.get("/count.json").json["count"] == 0
    page = campaign.client.get("/en/").text
    assert "Ada" not in page
    campaign.persona("Ada", email="ada@example.org", show_name="on").confirms()
    campaign_cache.refresh()
    assert campaign.client.get("/count.json").json["count"] == 1
    assert "Ada" in campaign.client.get("/en/").text
    campaign.command("petition", "close")
    campaign_cache.refresh()
    assert "is closed" in campaign.client.get("/en/").text


def test_without_keeping_each_request_renders_its_page(app, cache, client):
    client.get("/page")
    cache.stop()
    app.change(b"new")
    assert client.get("/page").data == b"new"
