"""The database goes away, hangs or turns read-only: nothing typed is lost, nothing half-stored, and all comes back."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from campaign.config.settings import Settings
from campaign.core.database import ConnectionOptions, db, purge_deleted_pages
from campaign.core.languages import LANGUAGES
from campaign.core.postgresql import init_postgresql
from campaign.models import OutboxMessage
from campaign.petition import signatures
from campaign.web import last_known
from tests.conftest import Ready
from tests.live_server import Site, wait_for
from tests.unreliable_line import Line, line_to

pytestmark = pytest.mark.slow

FORM = {"given_name": "Ada", "email": "ada@example.org", "country": "GB", "message": "Love wins"}
OURS = {"Sec-Fetch-Site": "same-origin"}
ADVICE = "Try again in a minute. Nothing you typed is lost."
TIMEOUT = 1  # seconds, of CAMPAIGN_DATABASE_TIMEOUT
FREEZE_SECONDS = TIMEOUT + 1 + 3 + 1  # until all notice: a statement's time, its grace, and that of a connection


@pytest.fixture
def line(ready: Ready) -> Iterator[tuple[Line, str, str]]:
    """A line to a ready PostgreSQL, the URL that uses it, and the URL without it."""
    with ready.database("postgresql", Path()) as (url, _), line_to(url) as (line, via):
        yield line, via, url


@pytest.fixture
def site(request: pytest.FixtureRequest, ready: Ready, line: tuple[Line, str, str], tmp_path: Path) -> Iterator[Site]:
    """A campaign that is served, with its database at the end of the line."""
    limit = getattr(request, "param", "")
    site = ready.site(tmp_path, CAMPAIGN_SIGN_LIMIT=limit, CAMPAIGN_DATABASE_TIMEOUT=str(TIMEOUT))
    site.set(CAMPAIGN_DATABASE_URL=line[1])
    with site.served():
        yield site


@pytest.fixture
def engine(line: tuple[Line, str, str]) -> Iterator[Engine]:
    """The database itself, without the line."""
    engine = create_engine(line[2])
    yield engine
    engine.dispose()


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    retry_after: str | None
    text: str


def send(site: Site, path: str, fields: dict[str, str], accept: str = "text/html") -> Answer:
    """Send a form."""
    headers = {"Accept": accept, **OURS}
    try:
        response = urlopen(Request(f"{site.url}{path}", urlencode(fields).encode(), headers), timeout=30)
    except HTTPError as error:
        response = error
    with response:
        return Answer(response.status, response.headers["Retry-After"], response.read().decode())


def takes_signatures(site: Site, fields: dict[str, str]) -> bool:
    return send(site, "/sign", fields, "application/json").status == 202


@pytest.mark.parametrize("site", ["2 per hour"], indirect=True)
def test_a_signature_meets_no_database_and_is_signed_a_minute_later(site, line, engine):
    site.status("/en/")
    line[0].cut()
    for _ in range(3):  # more often than the limit allows
        answer = send(site, "/sign", FORM)
        assert (answer.status, answer.retry_after) == (503, "60")
        assert ADVICE in answer.text
        assert 'value="ada@example.org"' in answer.text
        assert "Love wins" in answer.text
    answer = send(site, "/sign", FORM, "application/json")
    assert answer.text == f'{{"errors":{{"form":["{ADVICE}"]}}}}\n'
    line[0].mend()
    wait_for(lambda: takes_signatures(site, FORM), "a signature")
    assert len(site.mails(1)) == 1
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM signatures")) == 1


def test_readers_notice_nothing(site, line):
    paths = [f"/{language}/{page}" for language in LANGUAGES for page in ("", "thanks", "privacy", "embed")]
    line[0].cut()
    for path in [*paths, "/count.json", "/card/ru.png", "/share/qr?lang=en", "/oembed?url=" + f"{site.url}/en/"]:
        assert site.status(path) == 200, path
    assert site.count() == 0
    assert site.status("/healthz") == 200
    with pytest.raises(HTTPError, match="503") as raised:
        site.status("/readyz")
    raised.value.close()


def test_pages_of_one_supporter_ask_to_come_back(site, line, engine):
    assert takes_signatures(site, FORM)
    [mail] = site.mails(1)
    path = next(word for word in mail.get_body(("plain",)).get_content().split() if "/confirm/" in word)
    path = path.removeprefix(site.url)
    line[0].cut()
    for refused in (send(site, path, {}), send(site, f"{path}/not-me", {}), send(site, "/link", FORM)):
        assert (refused.status, refused.retry_after) == (503, "60")
        assert ADVICE in refused.text
    line[0].mend()
    wait_for(lambda: send(site, path, {}).status == 200, "the receipt")
    site.waits_for_count(1)


def test_a_frozen_database_holds_threads_for_seconds_only(site, line):
    site.status("/en/")
    line[0].freeze()
    with ThreadPoolExecutor(40) as clients:
        began = time.monotonic()
        forms = [{**FORM, "email": f"ada{number}@example.org"} for number in range(40)]
        answers = [clients.submit(send, site, "/sign", form) for form in forms]
        for _ in range(20):
            asked = time.monotonic()
            site.status("/en/")
            assert time.monotonic() - asked < 1
        assert {answer.result().status for answer in answers} == {503}
        assert time.monotonic() - began < 2 * FREEZE_SECONDS
    began = time.monotonic()
    assert send(site, "/sign", FORM).status == 503
    assert time.monotonic() - began < FREEZE_SECONDS
    line[0].mend()
    wait_for(lambda: takes_signatures(site, FORM), "a signature")


def test_a_lock_that_somebody_holds_makes_nobody_wait_for_long(site, engine):
    with engine.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE signatures IN ACCESS EXCLUSIVE MODE"))
        began = time.monotonic()
        answer = send(site, "/sign", FORM)
        assert (answer.status, ADVICE in answer.text) == (503, True)
        assert time.monotonic() - began < FREEZE_SECONDS
    assert takes_signatures(site, FORM)


def test_a_primary_that_became_a_standby_is_left_for_the_new_one(site, engine):
    assert takes_signatures(site, FORM)  # its connection is kept
    name = engine.url.database
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(text(f"{others} AND pid <> pg_backend_pid()"), {"name": name})
        other = {**FORM, "email": "grace@example.org"}
        assert send(site, "/sign", other).status == 503
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
    assert takes_signatures(site, other)


def test_of_several_hosts_the_one_that_can_be_written_to_is_used(line):
    host = f"127.0.0.1:{line[0].port}"
    several = line[1].replace(host, f"127.0.0.1:1,{host}") + "?target_session_attrs=read-write"
    engine = create_engine(Settings.load(database_url=several).database())
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT inet_server_port()")) == int(line[2].partition("127.0.0.1:")[2][:5])
    engine.dispose()


@pytest.mark.parametrize("has_pgbouncer", [True, False])
def test_behind_pgbouncer_nothing_is_kept_in_a_session(line, has_pgbouncer):
    engine = create_engine(line[2])
    init_postgresql(engine, ConnectionOptions(seconds=7, has_pgbouncer=has_pgbouncer))
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == ("0" if has_pgbouncer else "7s")
        assert (connection.connection.driver_connection.prepare_threshold is None) == has_pgbouncer
    engine.dispose()


@pytest.mark.parametrize("has_pgbouncer", [True, False])
def test_emptying_the_outbox_may_take_long_and_leaves_nothing_in_a_shared_session(line, has_pgbouncer):
    engine = create_engine(line[2])
    init_postgresql(engine, ConnectionOptions(seconds=7, has_pgbouncer=has_pgbouncer))
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert purge_deleted_pages(engine, OutboxMessage)
    limits = ["SET statement_timeout = 0", "RESET statement_timeout"]
    assert [each for each in statements if "timeout" in each] == ([] if has_pgbouncer else limits)
    with engine.connect() as connection:
        assert connection.connection.driver_connection.time_limit == 8
    engine.dispose()


@pytest.fixture(params=["sqlite"])
def backend(request):
    return request.param


def test_a_request_that_met_an_outage_asks_the_database_no_second_time(campaign, monkeypatch):
    def is_away(*_arguments, **_named):
        raise PoolTimeoutError  # after three seconds

    assert campaign.client.get("/en/").status_code == 200
    monkeypatch.setattr(signatures, "sign", is_away)
    for name in last_known._READERS:
        monkeypatch.setitem(last_known._READERS, name, pytest.fail)
    assert campaign.client.post("/sign", data=FORM, headers=OURS).status_code == 503


@pytest.mark.settings(sign_limit="1 per hour")
def test_a_full_disk_keeps_the_form_and_its_limit(campaign):
    def leave_no_space(connection, _record, _proxy):
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the present number: no more

    with campaign.app.app_context():
        event.listen(db.engine, "checkout", leave_no_space)
        for number in range(60):  # until the free pages of the file are used up
            form = {**FORM, "message": "x" * 900, "email": f"ada{number}@example.org"}
            answer = campaign.client.post("/sign", data=form, headers=OURS)
            if answer.status_code == 503:
                break
            campaign.app.extensions["windows"]._own.storage.reset()
        assert answer.status_code == 503
        assert ADVICE in answer.text
        event.remove(db.engine, "checkout", leave_no_space)
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 4294967294")
    assert campaign.client.post("/sign", data=FORM, headers=OURS).status_code == 303
    assert campaign.client.post("/sign", data=FORM, headers=OURS).status_code == 429


def test_a_fault_of_the_program_is_no_outage(campaign):
    with campaign.app.app_context():
        db.session.execute(text("DROP TABLE email_slots"))
        db.session.commit()
    campaign.app.config["PROPAGATE_EXCEPTIONS"] = False
    campaign.app.testing = False
    answer = campaign.client.post("/sign", data=FORM, headers=OURS)
    assert (answer.status_code, "Retry-After" in answer.headers) == (500, False)
