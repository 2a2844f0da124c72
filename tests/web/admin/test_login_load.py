"""Slow work of the organisers' area leaves threads for visitors: a request beyond the capacity is refused at once."""

import re
import time
from collections import Counter
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from statistics import median
from threading import Event, Thread
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from campaign.accounts import audit_log
from campaign.core.capacity import KEY_PROCESSES, PASSWORDS
from campaign.core.database import db
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser

CLIENTS = 20
PAGES = 30
LOG_IN = "/organise/sign-in"


@pytest.fixture
def backend() -> str:
    """What holds threads does not depend on the database."""
    return "sqlite"


class Client:
    """A client with a network address of its own, so that no limit of an address stops it first."""

    def __init__(self, site, number: int) -> None:
        self.connection = HTTPConnection(urlsplit(site.url).netloc, source_address=(f"127.0.1.{number + 1}", 0))
        page = self.answer("GET", LOG_IN)
        self.token = re.search(r'name="csrf_token"\s+value="([^"]+)"', page[1])[1]
        self.cookie = page[0].headers["Set-Cookie"].partition(";")[0]

    def answer(self, method: str, path: str, body: str = "", **headers: str) -> tuple[HTTPResponse, str]:
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        return response, response.read().decode()

    def guesses(self, email: str) -> tuple[HTTPResponse, str]:
        """Try to log in with a wrong password."""
        form = urlencode({"csrf_token": self.token, "email": email, "password": "a guess of mine"})
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        return self.answer("POST", LOG_IN, form, **headers, **{"Accept-Language": "de"})


@pytest.mark.slow
def test_twenty_clients_with_wrong_passwords_do_not_hold_up_visitors(ready, tmp_path):
    with ready.site(tmp_path, CAMPAIGN_SIGN_LIMIT="").served() as site:
        clients = [Client(site, number) for number in range(CLIENTS)]
        clients[0].guesses("warm@example.org")
        began = time.perf_counter()
        for number in range(5):
            assert clients[0].guesses(f"solo{number}@example.org")[0].status == 422
        alone = (time.perf_counter() - began) / 5
        stop, answers = Event(), []

        def attack(client: Client, number: int) -> None:
            tries = 0
            while not stop.is_set():
                answers.append(client.guesses(f"ada{number}.{tries}@example.org"))
                tries += 1

        threads = [Thread(target=attack, args=pair) for pair in zip(clients, range(CLIENTS), strict=True)]
        for thread in threads:
            thread.start()
        visitor, times = HTTPConnection(urlsplit(site.url).netloc), []
        try:
            for _ in range(PAGES):
                began = time.perf_counter()
                visitor.request("GET", "/en/")
                assert b"Love Always Wins" in visitor.getresponse().read()
                times.append(time.perf_counter() - began)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for connection in (visitor, *(client.connection for client in clients)):
                connection.close()
    statuses = Counter(response.status for response, _page in answers)
    print(f"log-in alone {alone:.3f} s; GET /en/ median {median(times):.3f} s, most {max(times):.3f} s; {statuses}")
    assert set(statuses) <= {422, 429, 503}
    assert statuses[503] > 0
    busy, page = next((response, page) for response, page in answers if response.status == 503)
    assert int(busy.headers["Retry-After"]) > 0
    assert '<html lang="de"' in page
    # One password at a time: a visitor who waits for all of them waits for twenty.
    assert median(times) < alone * CLIENTS / 3


def test_a_log_in_beyond_the_capacity_is_refused_and_counts_as_no_guess(campaign, olga):
    olga.posts("/organise/sign-out")
    slots = [PASSWORDS.acquire() for _ in range(3)]
    try:
        answers = [olga.gives_password() for _ in range(12)]
    finally:
        for slot in slots:
            slot.release()
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(503, "5")}
    assert olga.gives_password().status_code == 303


def everything_slow(olga: OrganiserBrowser, grace: OrganiserBrowser, invitation: str):
    """Send every form that hashes a password or opens keys; returns the status of each."""
    chosen = {"chosen": PASSWORD, "again": PASSWORD}
    new = {"passphrase-old": PASSPHRASE, "passphrase-chosen": PASSPHRASE, "passphrase-again": PASSPHRASE}
    old = {"password-old": PASSWORD, "password-chosen": PASSWORD, "password-again": PASSWORD}
    export = {"purpose": "full", "dialect": "plain", "reason": "trial", "passphrase": PASSPHRASE}
    invites = {"email": "x@example.org", "role": "organiser", "exports": "1", "passphrase": PASSPHRASE}
    guest = OrganiserBrowser(olga.campaign, "guest@example.org")
    yield "log-in", guest.gives_password()
    yield "invitation", guest.posts(invitation, invitation, **chosen)
    yield "password", olga.posts("/organise/account/password", **old)
    yield "codes", olga.posts("/organise/account/codes", **{"codes-old": PASSWORD})
    yield "passphrase", grace.posts("/organise/account/passphrase", **new)
    yield "export", grace.posts("/organise/export", **export)
    yield "hand-in", grace.posts("/organise/hand-in", cover="Hello", passphrase=PASSPHRASE)
    yield "invite", grace.posts("/organise/organisers", **invites)


def test_every_form_that_hashes_or_opens_keys_is_refused_beyond_the_capacity(campaign, olga, grace, invites):
    invitation = invites("guest@example.org")
    slots = [capacity.acquire() for capacity in (PASSWORDS, KEY_PROCESSES) for _ in range(3)]
    try:
        statuses = {name: answer.status_code for name, answer in everything_slow(olga, grace, invitation)}
    finally:
        for slot in slots:
            slot.release()
    assert set(statuses.values()) == {503}, statuses
    with campaign.app.app_context():
        assert "exported" not in [entry.action for entry in audit_log.iter_entries(db.session)]


@pytest.mark.slow
def test_a_slot_comes_back_however_a_task_ends(campaign, grace, ada):
    ada.confirms()
    form = {"purpose": "full", "dialect": "plain", "reason": "trial"}
    for number in range(5):
        if number % 2:
            grace.posts("/organise/export", **form, passphrase=PASSPHRASE).close()  # the client goes away
        else:
            assert b"ada@example.org" in grace.posts("/organise/export", **form, passphrase=PASSPHRASE).data
    assert grace.posts("/organise/export", **form, passphrase="a guess of mine").status_code == 422
    slots = [KEY_PROCESSES.acquire() for _ in range(3)]
    for slot in slots:
        slot.release()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "failing", "fields"),
    [
        ("hand-in", "campaign.petition.totals.confirmed", {"cover": "Hello"}),
        ("hand-in", "campaign.accounts.throttling._reset", {"cover": "Hello"}),
        ("export", "campaign.accounts.throttling._reset", {"purpose": "full", "dialect": "plain", "reason": "trial"}),
        ("export", "campaign.web.admin.export.iter_output", {"purpose": "full", "reason": "trial"}),
    ],
)
def test_a_slot_comes_back_and_the_process_ends_where_something_fails_in_between(
    campaign, grace, monkeypatch, page, failing, fields
):
    before, path = children(), f"/organise/{page}"
    assert grace.posts(path, path, **fields, passphrase="a guess of mine").status_code == 422  # confirmed by that
    with monkeypatch.context() as broken:
        broken.setattr(failing, _fail)
        assert grace.posts(path, "/organise/account", **fields, passphrase=PASSPHRASE).status_code == 503
    slots = [KEY_PROCESSES.acquire() for _ in range(3)]
    for slot in slots:
        slot.release()
    assert children() == before


def _fail(*_arguments, **_named):
    raise OperationalError("the database does not answer", None, Exception())


def children() -> set[str]:
    """Return the ids of the processes that this one has started, those included that have ended and nobody knows."""
    return {pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


@pytest.mark.slow
def test_slow_downloads_leave_threads_for_visitors(campaign, grace, ada):
    """A download holds a thread for as long as it lasts: the fourth one is refused, and a visitor is not."""
    ada.confirms()
    form = {"purpose": "full", "dialect": "plain", "reason": "trial", "passphrase": PASSPHRASE}
    downloads = [grace.posts("/organise/export", **form) for _ in range(4)]
    assert [download.status_code for download in downloads] == [200, 200, 200, 503]
    assert campaign.client.get("/en/").status_code == 200
    for download in downloads:
        download.close()
    assert b"ada@example.org" in grace.posts("/organise/export", **form).data
