"""Clients that keep a connection and send little or nothing: everybody else is still answered, by the real server."""

import fcntl
import json
import re
import resource
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from socket import MSG_PEEK
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from campaign.core.languages import LANGUAGES
from campaign.server import HEADER_MILLISECONDS
from campaign.web.event_loop import MAX_BODIES, MAX_WAITING
from campaign.web.static_files import MAX_SENDING as FILES
from tests.live_server import wait_for
from tests.personas import WANTS_JSON

IDLE = 1100
ANSWER_SECONDS = 10  # the server used to stay silent for as long as such clients wanted
FIELDS = {"given_name": "Ada", "email": "ada@example.org", "country": "GB", "lang": "en"}
BEGUN_POST = (
    b"POST /sign HTTP/1.1\r\nHost: example.org\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 1000\r\n\r\ngiven_name=Mallory"
)
BEGUN_GET = BEGUN_POST.replace(b"POST /sign", b"GET /confirm/unknown")


@pytest.fixture(scope="module", autouse=True)
def _open_files():
    """Raise the limit on open files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * IDLE, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def site(ready, tmp_path_factory):
    """A campaign on the real server, its worker process included."""
    with ready.site(tmp_path_factory.mktemp("slow"), CAMPAIGN_SIGN_LIMIT="").served() as site:
        yield site


@pytest.fixture
def other_site(ready, tmp_path):
    """A campaign that no other test has used."""
    with ready.site(tmp_path, CAMPAIGN_SIGN_LIMIT="").served() as site:
        yield site


@contextmanager
def connections(site, number: int, sent: bytes = b""):
    """Open `number` connections, send `sent` on each, and close them after the block."""
    with ExitStack() as stack:
        opened = []
        for _ in range(number):
            opened.append(stack.enter_context(_connection(site)))
            opened[-1].sendall(sent)
        yield opened


def _connection(site) -> socket.socket:
    address = urlsplit(site.url)
    return socket.create_connection((address.hostname, address.port), timeout=ANSWER_SECONDS)


def page_status(site) -> int:
    """Return the status of the page."""
    with urlopen(f"{site.url}/en/", timeout=ANSWER_SECONDS) as response:
        return response.status


def sign(site) -> dict[str, str]:
    """Sign, and return the answer."""
    request = Request(f"{site.url}/sign", urlencode(FIELDS).encode(), WANTS_JSON)
    with urlopen(request, timeout=ANSWER_SECONDS) as response:
        return json.load(response)


@pytest.mark.slow
def test_idle_connections_hold_up_nobody_and_are_closed(site):
    with connections(site, IDLE) as idle:
        assert page_status(site) == 200
        assert sign(site) == {"status": "check-email"}
        idle[0].settimeout(HEADER_MILLISECONDS / 1000 + ANSWER_SECONDS)
        assert idle[0].recv(1) == b""


@pytest.mark.parametrize("begun", [BEGUN_POST, BEGUN_GET], ids=["POST", "GET"])
def test_slow_bodies_hold_up_nobody(site, begun):
    with connections(site, MAX_BODIES // 2, begun):
        assert page_status(site) == 200
        assert sign(site) == {"status": "check-email"}


def test_more_slow_bodies_than_may_be_sent_leave_the_page_and_name_a_time_to_come_back(other_site):
    site = other_site  # the forms of other tests may still be on their way to the first
    with connections(site, MAX_BODIES + 20, BEGUN_POST) as slow:
        wait_for(lambda: len(_readable(slow)) >= 20, "an answer to those beyond")
        assert page_status(site) == 200
        with pytest.raises(HTTPError) as refused:
            sign(site)
        with refused.value as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert page_status(site) == 200
    wait_for(lambda: _can_sign(site), "signing")


@contextmanager
def locked_database(site):
    """Let nobody write within the block, as a disk does that takes its time."""
    with Path(f"{site.instance}/campaign.sqlite3-turn").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def form_of(number: int) -> bytes:
    """Return the request of supporter `number`."""
    typed = urlencode(FIELDS | {"email": f"ada{number}@example.org"}).encode()
    head = BEGUN_POST.replace(b"1000", str(len(typed)).encode()).partition(b"given_name")[0]
    return head.replace(b"\r\n\r\n", b"\r\nAccept: application/json\r\n\r\n") + typed


def test_when_too_many_wait_the_next_are_told_at_once_and_all_others_are_served(other_site):
    with ExitStack() as stack:
        with locked_database(other_site):
            clients = [stack.enter_context(_connection(other_site)) for _ in range(MAX_WAITING + 20)]
            for number, client in enumerate(clients):
                client.sendall(form_of(number))
            wait_for(lambda: len(_readable(clients)) >= 20, "an answer to those beyond")
            assert len(_readable(clients)) == 20
            assert page_status(other_site) == 200
        answers = Counter(client.recv(len(b"HTTP/1.1 202")) for client in clients)
    assert answers == {b"HTTP/1.1 202": MAX_WAITING, b"HTTP/1.1 503": 20}


@pytest.mark.slow
def test_clients_that_do_not_read_the_film_leave_the_page_and_the_form(site):
    with urlopen(f"{site.url}/en/", timeout=ANSWER_SECONDS) as response:
        film = re.search(r'/static/[^"]+1080\.mp4', response.read().decode())[0]
    with connections(site, FILES + 10, f"GET {film} HTTP/1.1\r\nHost: example.org\r\n\r\n".encode()) as slow:
        answers = Counter(connection.recv(len(b"HTTP/1.1 200"), MSG_PEEK) for connection in slow)
        assert answers == {b"HTTP/1.1 200": FILES, b"HTTP/1.1 503": 10}
        assert _status_and_wait(f"{site.url}{film}") == (503, "5")
        assert page_status(site) == 200
        assert sign(site) == {"status": "check-email"}
    for _ in range(2):  # slots are released after a broken connection and after a complete response
        wait_for(lambda: _status_and_wait(f"{site.url}{film}") == (200, None), "the film")
        with connections(site, FILES, f"GET {film} HTTP/1.1\r\nHost: example.org\r\n\r\n".encode()):
            pass
    wait_for(lambda: _status_and_wait(f"{site.url}{film}") == (200, None), "the film")


def test_many_first_pictures_at_once_leave_the_page_and_name_a_time_to_come_back(site):
    paths = [f"/{lang}/poster-a4.pdf" for lang in LANGUAGES] + [f"/card/{lang}.png" for lang in LANGUAGES]
    with ThreadPoolExecutor(len(paths)) as pool:
        asked = [pool.submit(_status_and_wait, f"{site.url}{path}") for path in paths]
        assert page_status(site) == 200
        answers = Counter(answer.result() for answer in asked)
    assert set(answers) == {(200, None), (503, "5")}
    wait_for(lambda: _status_and_wait(f"{site.url}/ar/poster-a4.pdf") == (200, None), "a poster")


def _status_and_wait(url: str) -> tuple[int, str | None]:
    try:
        with urlopen(url, timeout=60) as response:
            return response.status, response.headers["Retry-After"]
    except HTTPError as refused:
        with refused:
            return refused.code, refused.headers["Retry-After"]


def _readable(connections: list[socket.socket]) -> list[object]:
    with DefaultSelector() as selector:  # `select` takes no file beyond 1,024
        for connection in connections:
            selector.register(connection, EVENT_READ)
        return [key.fileobj for key, _ in selector.select(0)]


def _can_sign(site) -> bool:
    try:
        return sign(site) == {"status": "check-email"}
    except HTTPError as refused:
        refused.close()
        return False


def test_half_a_form_does_not_count(site):
    typed = urlencode(FIELDS | {"email": "olga@example.org"}).encode()
    begun = BEGUN_POST.replace(b"1000", str(len(typed) + 4).encode()).partition(b"given_name")[0] + typed
    with _connection(site) as broken:
        broken.sendall(begun)
        broken.shutdown(socket.SHUT_WR)  # as when a phone loses its network: ".com" was on its way
        assert b" 400 " in broken.recv(100) or not broken.recv(1)
