"""Measures whether the response time reveals signers: python -m benchmarks.timing [TRIALS].

A real server gets requests for a link and signatures, in random order over one connection, from five kinds of email
address: new, pending, pending with its daily emails used up, confirmed with its daily notice used up, and suppressed.
"""

import http.client
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.databases import databases
from benchmarks.run import served
from tests.live_server import Site, ready_site

TRIALS = 500
HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


def main(trials: int) -> None:
    """Print the mean of each kind, on each database."""
    for backend, url in databases():
        with tempfile.TemporaryDirectory() as folder:
            site = ready_site(Path(folder), CAMPAIGN_DATABASE_URL=url, CAMPAIGN_SIGN_LIMIT="")
            with served(site), connected(site) as connection:
                prepare(site, connection, 2 * trials)
                asking = measured(partial(ask, connection), range(trials))
                signing = measured(partial(sign, connection), range(trials, 2 * trials))
        print(f"asking for a link, {backend}: {compared(asking)}", flush=True)
        print(f"signing, {backend}: {compared(signing)}", flush=True)


def compared(times: dict[str, list[float]]) -> str:
    """Return the mean of each kind in milliseconds, and how far they are apart."""
    means = {kind: statistics.mean(those) for kind, those in times.items()}
    listed = "   ".join(f"{kind} {mean:.2f}" for kind, mean in means.items())
    return f"{listed} ms   at most {max(means.values()) / min(means.values()) - 1:.1%} apart"


def measured(act: Callable[[str], float], numbers: range) -> dict[str, list[float]]:
    """Return the milliseconds that `act` took for each kind; `numbers` are those of the new and pending addresses."""
    kinds = {
        "new": (f"new{number}@example{number}.org" for number in numbers),
        "pending": (f"pending{number}@example{number}.org" for number in numbers),
        "beyond": iter(["beyond@example.org"] * len(numbers)),
        "told": iter(["told@example.org"] * len(numbers)),
        "refused": iter(["refused@example.org"] * len(numbers)),
    }
    order = [kind for kind in kinds for _ in numbers]
    random.shuffle(order)
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind in order:
        times[kind].append(act(next(kinds[kind])))
    return times


def prepare(site: Site, connection: http.client.HTTPConnection, pending: int) -> None:
    """Bring each address into the state of its kind."""
    sign(connection, "refused@example.org")
    [email] = site.mails(1)
    press(connection, f"{link_in(email)}/not-me")
    sign(connection, "told@example.org")
    [email] = [email for email in site.mails(2) if email["To"] == "told@example.org"]
    press(connection, link_in(email))
    sign(connection, "told@example.org")
    for _ in range(3):
        sign(connection, "beyond@example.org")
    for number in range(pending):
        sign(connection, f"pending{number}@example{number}.org")
    site.mails(pending + 6)


def sign(connection: http.client.HTTPConnection, email: str) -> float:
    """Sign; returns the milliseconds until the answer was read."""
    return send(connection, "/sign", {"given_name": "Ada", "email": email, "country": "GB"})


def ask(connection: http.client.HTTPConnection, email: str) -> float:
    """Request the link again; returns the same."""
    return send(connection, "/link", {"email": email})


def send(connection: http.client.HTTPConnection, path: str, fields: dict[str, str]) -> float:
    """Send a form, which must be taken; returns the milliseconds until the answer was read."""
    began = time.perf_counter()
    connection.request("POST", path, urlencode(fields), HEADERS)
    answer = connection.getresponse()
    assert answer.read() == b'{"status":"check-email"}\n', answer.status
    return (time.perf_counter() - began) * 1000


def link_in(email: EmailMessage) -> str:
    """Return the path of the link in an email."""
    return re.search(r"/confirm/\S+", email.get_body(("plain",)).get_content())[0]


def press(connection: http.client.HTTPConnection, path: str) -> None:
    """Press a button."""
    connection.request("POST", path, "")
    connection.getresponse().read()


@contextmanager
def connected(site: Site) -> Iterator[http.client.HTTPConnection]:
    """Open one connection for the duration of the block."""
    address = urlsplit(site.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    try:
        yield connection
    finally:
        connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS)
