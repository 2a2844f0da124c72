"""Request ids and log lines: one can follow a request through the log, and nobody can be found in it."""

import io
import json
import re
import sqlite3
import sys
from contextlib import closing, suppress
from http.client import HTTPConnection
from urllib.parse import quote, urlencode, urlsplit

import pytest
from werkzeug.routing import Rule

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.core.logging import direct_logger
from campaign.models import Signature
from tests.conftest import campaign_on, dispose
from tests.leak_search import found_in
from tests.live_server import Site, ready_site, wait_for
from tests.personas import FROM_OUR_PAGE

NAME, MESSAGE = "Adelheid", "Remember the skaters"
EMAIL, ADDRESS = "adelheid.secret@example.org", "203.0.113.77"
TOKEN = "q7Zr-planted-token-4fKw0Lm_xY2s8Hd6vBn1TgRc"  # of the form that links have
PLANTED = (NAME, MESSAGE, EMAIL, ADDRESS, TOKEN)
PROXY_ID = "5f2b8c1e9a7d4e60b3c2d1f0a9e8b7c6"


def lines_of(site: Site) -> list[dict]:
    return [json.loads(line) for line in site.log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture
def site(tmp_path) -> Site:
    """A campaign behind a proxy, with a log for machines."""
    return ready_site(tmp_path, CAMPAIGN_PROXIES="1", CAMPAIGN_LOG_FORMAT="json", CAMPAIGN_SIGN_LIMIT="")


def ask(site: Site, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    """Send a request; return the status and the request id of the response."""
    address = urlsplit(site.url)
    connection = HTTPConnection(address.hostname, address.port, timeout=30)
    sent = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": ADDRESS, **FROM_OUR_PAGE}
    connection.request(
        method, path, body or None, sent | {name.replace("_", "-"): value for name, value in headers.items()}
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("X-Request-ID")


def test_a_request_can_be_followed_from_the_proxy_to_each_line_of_the_log(site):
    with site.served():
        assert ask(site, "GET", f"/confirm/{TOKEN}", X_Request_ID=PROXY_ID) == (404, PROXY_ID)
        _, own = ask(site, "GET", "/healthz")
    [line] = [line for line in lines_of(site) if line.get("request") == PROXY_ID]
    assert (line["event"], line["endpoint"], line["status"]) == ("request", "signature.confirm", 404)
    assert 0 <= line["ms"] < 10_000
    assert re.fullmatch(r"[0-9a-f]{16}", own)
    assert any(line.get("request") == own and line["endpoint"] == "health.alive" for line in lines_of(site))


@pytest.mark.parametrize("sent", ["adelheid", TOKEN, "a" * 65, "0", "", "5f2b8c1e\n9a7d", "5f2b 8c1e 9a7d"])
def test_only_an_id_that_cannot_hold_words_is_taken_over(ready, tmp_path, sent):
    with campaign_on(ready, "sqlite", tmp_path, proxies=1) as campaign:
        answer = campaign.client.get("/healthz", environ_overrides={"HTTP_X_REQUEST_ID": sent})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-ID"])


def test_an_id_is_not_taken_from_visitors(campaign):
    assert campaign.client.get("/healthz", headers={"X-Request-ID": PROXY_ID}).headers["X-Request-ID"] != PROXY_ID


def test_pages_from_memory_and_refused_bodies_have_ids_too(site):
    with site.served():
        for _ in range(2):
            assert ask(site, "GET", "/en/", X_Request_ID=PROXY_ID) == (200, PROXY_ID)
        status, request_id = ask(site, "POST", "/sign", "a=" + "b" * 70_000, X_Request_ID=PROXY_ID)
        assert (status, request_id) == (413, PROXY_ID)


def test_pages_from_memory_and_files_have_no_lines(site):
    with site.served():
        for path in ("/en/", "/count.json", "/static/000000000000/css/base.css", "/film/none/film.m3u8"):
            ask(site, "GET", path)
        ask(site, "GET", "/healthz")
    assert [line["endpoint"] for line in lines_of(site) if line["event"] == "request"][-1:] == ["health.alive"]
    assert not [line for line in lines_of(site) if line.get("endpoint") in ("kept page", "static file", "film file")]


def test_no_line_is_written_where_the_operator_wants_none(tmp_path):
    site = ready_site(tmp_path, CAMPAIGN_ACCESS_LOG="no", CAMPAIGN_LOG_FORMAT="json")
    with site.served():
        ask(site, "GET", "/healthz")
    assert not [line for line in lines_of(site) if line["event"] == "request"]


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_whatever_is_asked_no_log_and_no_report_says_who_asked(site, log_format, sentry):
    site.set(CAMPAIGN_LOG_FORMAT=log_format, CAMPAIGN_SENTRY_DSN=sentry.dsn)
    rules = list(create_app(Settings.load(instance=site.instance)).url_map.iter_rules())
    fields = {
        "given_name": NAME,
        "family_name": NAME,
        "email": EMAIL,
        "country": "GB",
        "message": MESSAGE,
        "lang": "en",
    }
    fields |= {"password": TOKEN, "code": TOKEN, "passphrase": TOKEN, "instance": EMAIL, "credential": TOKEN}
    headers = {"User_Agent": NAME, "Referer": f"https://example.org/{TOKEN}", "Cookie": f"organiser={TOKEN}"}
    headers |= {"Authorization": f"Bearer {TOKEN}", "X_Request_ID": TOKEN, "Accept_Language": NAME}
    statuses = set()
    with site.served():
        for rule in rules:
            path = filled(rule)
            for query in (
                f"?ref={TOKEN}&lang=en&q={quote(EMAIL)}",
                f"?lang={quote(NAME)}&url={quote(f'http://{EMAIL}/')}",
            ):
                for method in rule.methods - {"OPTIONS", "HEAD"}:
                    body = urlencode(fields) if method == "POST" else ""
                    statuses.add(ask(site, method, path + query, body, **headers)[0])
        statuses.add(ask(site, "POST", "/sign", urlencode(fields | {"message": f"{MESSAGE}\0"}), **headers)[0])
        statuses.add(ask(site, "DELETE", f"/receipt/{TOKEN}", **headers)[0])
        statuses.add(ask(site, "GET", f"/{quote(NAME)}/%ff{TOKEN}", **headers)[0])
        break_tables(site)
        statuses.add(ask(site, "POST", "/sign", urlencode(fields), **headers)[0])
        statuses.add(ask(site, "GET", f"/receipt/{TOKEN}", **headers)[0])
        wait_for(sentry.reports, "reports")
    assert statuses >= {200, 303, 404, 405, 422, 500}
    assert len(site.log.read_bytes()) > 10_000
    assert found_in([site.log, sentry.received], PLANTED) == []


def test_each_line_is_written_in_one_piece(monkeypatch):
    written: list[str] = []

    class Pieces(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Pieces())
    for log_format in ("console", "json"):
        direct_logger(log_format).info("request", status=200)
    assert len(written) == 2
    assert all(text.endswith("\n") for text in written)


def test_a_full_log_fails_no_request(campaign, monkeypatch):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        monkeypatch.setattr(sys, "stderr", full)
        app = create_app(campaign.settings, is_server=True)
        answer = app.test_client().get("/healthz")
        with suppress(OSError):
            full.close()
    dispose(app)
    assert answer.status_code == 200


def break_tables(site: Site) -> None:
    """Take the signatures away, so that requests fail by our fault."""
    with closing(sqlite3.connect(site.instance / "campaign.sqlite3")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"ALTER TABLE {Signature.__tablename__} RENAME TO elsewhere")


def filled(rule: Rule) -> str:
    """Return an address of `rule` with the planted token where it takes one."""
    path = re.sub(r"<[^>]*lang[^>]*>", "en", rule.rule)
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
    path = re.sub(r"<uuid:[^>]+>", "0190b3c4-0000-7000-8000-000000000000", path)
    return re.sub(r"<[^>]+>", TOKEN, path)
