"""People who sign while something fails, and what became of their signatures."""

import csv
import io
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError

import pytest

from tests.live_server import Site, wait_for

CLIENTS = 6
PAUSE_SECONDS = 0.05  # of a client between two signatures, and before it tries again


@dataclass
class Load:
    """People who sign, on all servers in turn, and the answers they got."""

    sites: list[Site]
    acknowledged: dict[str, float] = field(default_factory=dict)  # email addresses, and when
    errors: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    clients: int = CLIENTS
    domain: str = "example.org"

    @contextmanager
    def signing(self) -> Iterator[None]:
        """Sign within the block, again and again."""
        end = threading.Event()
        clients = [threading.Thread(target=self._sign_until, args=(end, number)) for number in range(self.clients)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            end.set()
            for client in clients:
                client.join()

    def wait_for_more(self, number: int) -> None:
        """Return when so many more signatures were acknowledged."""
        wanted = len(self.acknowledged) + number
        wait_for(lambda: len(self.acknowledged) >= wanted, f"{number} signatures", seconds=60)

    def longest_gap(self, since: float) -> float:
        """Return the longest time, in seconds, in which no signature was acknowledged."""
        moments = sorted([since, *(moment for moment in self.acknowledged.values() if moment > since)])
        return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0.0)

    def lost(self) -> set[str]:
        """Return the email addresses that were acknowledged and are not stored."""
        return self.acknowledged.keys() - emails_in(self.sites[0])

    def figures(self, name: str, gap: float, lost: set[str]) -> str:
        """Return a line of the table of faults."""
        return f"{name:<31}{gap:>5.1f} s{self.errors.total():>8}{len(self.acknowledged):>14}{len(lost):>6}"

    def _sign_until(self, end: threading.Event, number: int) -> None:
        for site in itertools.islice(itertools.cycle(self.sites), number, None):
            email = f"ada{next(self.numbers)}.{number}@{self.domain}"
            try:
                site.sign({"given_name": "Ada", "email": email, "country": "GB"})
            except HTTPError as error:
                self.errors[str(error.code)] += 1
            except (OSError, HTTPException) as error:
                self.errors[type(error).__name__] += 1
            else:
                self.acknowledged[email] = time.monotonic()
            if end.wait(PAUSE_SECONDS):
                return


def emails_in(site: Site) -> set[str]:
    """Return the email addresses of all signatures that are stored."""
    printed = site.flask("signatures", "export", "--include-unconfirmed", "--key-file", str(site.key_file))
    return {row["email"] for row in csv.DictReader(io.StringIO(printed, newline=""))}


def print_table(request: pytest.FixtureRequest, lines: list[str]) -> None:
    """Print the lines of faults, although pytest captures what tests print."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n\n{'fault':<31}{'gap':>7}{'errors':>8}{'acknowledged':>14}{'lost':>6}", *lines, sep="\n")
