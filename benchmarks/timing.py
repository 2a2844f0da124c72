"""Measures whether the response time reveals signers: python -m benchmarks.timing [TRIALS].

A real server gets requests for a link and signatures, in random order over one connection, from five kinds of email
address: new, pending, pending with its daily emails used up, confirmed with its daily notice used up, and suppressed:
while it is idle, and while others sign as fast as it takes them.

The area under the ROC curve (AUC) says how well the time tells a kind from new addresses: 0.5 is a guess, 1 certainty.
"""

import http.client
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.databases import databases
from benchmarks.load import FORMS
from benchmarks.run import served
from tests.live_server import Site, ready_site

TRIALS = 500
HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


def main(trials: int) -> None:
    """Print how well the time tells each kind, on each database."""
    for backend, url in databases():
        with tempfile.TemporaryDirectory() as folder:
            settings = {"CAMPAIGN_SIGN_LIMIT": "", "CAMPAIGN_DOMAIN_LIMIT": "0"}
            site = ready_site(Path(folder), CAMPAIGN_DATABASE_URL=url, **settings)
            with served(site), connected(site) as connection:
                prepare(site, connection, 4 * trials)
                for load, first in (("idle", 0), ("saturated", 2 * trials)):
                    with saturated(site.url) if load == "saturated" else nullcontext():
                        asking = measured(partial(ask, connection), range(first, first + trials))
                        signing = measured(partial(sign, connection), range(first + trials, first + 2 * trials))
                    print(f"asking for a link, {backend}, {load}: {compared(asking)}", flush=True)
                    print(f"signing, {backend}, {load}: {compared(signing)}", flush=True)


@contextmanager
def saturated(url: str) -> Iterator[None]:
    """Sign on other connections, as fast as possible, within the block."""
    command = ["wrk", "-t", "1", "-c", "32", "-d", "600s", "-s", str(FORMS), url]
    others = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        others.terminate()
        others.wait()


def compared(times: dict[str, list[float]]) -> str:
    """Return the median of new addresses in milliseconds, and for each other kind the AUC against them."""
    new = times.pop("new")
    listed = "   ".join(f"{kind} {auc(new, those):.3f}" for kind, those in times.items())
    return f"new {statistics.median(new):.2f} ms   AUC against it: {listed}"


def auc(first: list[float], second: list[float]) -> float:
    """Return the probability that one of `second` is larger than one of `first`, an equal one counting half."""
    first = sorted(first)
    return sum(bisect_left(first, one) + bisect_right(first, one) for one in second) / 2 / len(first) / len(second)


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
    connection.close()  # the server closes an idle one; the next request opens another


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
