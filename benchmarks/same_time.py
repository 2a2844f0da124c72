"""Measures whether the time that signing takes tells who signed before:  python -m benchmarks.same_time [TRIALS].

Four kinds of address are sent to a real server, in random order over one connection: new ones, ones that signed and
were not told yet, one that was told within the day, and one whose owner refused mail.
"""

import http.client
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.databases import databases
from benchmarks.run import served
from tests.site import Site, ready_site

TRIALS = 500
HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


def main(trials: int) -> None:
    """Print the mean of each kind, on each database."""
    for backend, url in databases():
        with tempfile.TemporaryDirectory() as folder:
            site = ready_site(Path(folder), CAMPAIGN_DATABASE_URL=url, CAMPAIGN_SIGN_LIMIT="")
            with served(site):
                times = measured(site, trials)
        means = {kind: statistics.mean(those) for kind, those in times.items()}
        listed = "   ".join(f"{kind} {mean:.2f}" for kind, mean in means.items())
        apart = max(means.values()) / min(means.values()) - 1
        print(f"signing, mean in ms, {backend:<11}{listed}   at most {apart:.1%} apart", flush=True)


def measured(site: Site, trials: int) -> dict[str, list[float]]:
    """Return the milliseconds that each of `trials` signings of each kind took."""
    with connected(site) as connection:
        prepare(site, connection, trials)
        kinds = {
            "new": (f"new{number}@example.org" for number in range(trials)),
            "known": (f"known{number}@example.org" for number in range(trials)),
            "told": iter(["told@example.org"] * trials),
            "refused": iter(["refused@example.org"] * trials),
        }
        order = [kind for kind in kinds for _ in range(trials)]
        random.shuffle(order)
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for kind in order:
            times[kind].append(sign(connection, next(kinds[kind])))
    return times


def prepare(site: Site, connection: http.client.HTTPConnection, trials: int) -> None:
    """Let those who are to be known sign, and the one who is to be refused say so."""
    sign(connection, "refused@example.org")
    [mail] = site.mails(1)
    refuse(connection, re.search(r"/confirm/\S+", mail.get_body(("plain",)).get_content())[0])
    for number in range(trials):
        sign(connection, f"known{number}@example.org")
    for _ in range(2):
        sign(connection, "told@example.org")
    site.mails(trials + 3)


def sign(connection: http.client.HTTPConnection, email: str) -> float:
    """Sign; returns the milliseconds until the answer was read."""
    body = urlencode({"given_name": "Ada", "email": email, "country": "GB"})
    began = time.perf_counter()
    connection.request("POST", "/sign", body, HEADERS)
    answer = connection.getresponse()
    assert answer.read() == b'{"status":"check-email"}\n', answer.status
    return (time.perf_counter() - began) * 1000


def refuse(connection: http.client.HTTPConnection, path: str) -> None:
    """Press "This wasn't me"."""
    connection.request("POST", f"{path}/not-me", "")
    assert connection.getresponse().read()


@contextmanager
def connected(site: Site) -> Iterator[http.client.HTTPConnection]:
    """Keep one connection open for the length of the block."""
    address = urlsplit(site.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    try:
        yield connection
    finally:
        connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS)
