"""Measures the organisers' figures with many signatures:  python -m benchmarks.overview [ROWS]."""

import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.download import asked, signed_in
from benchmarks.run import served, show
from tests.live_server import Site, ready_site

ROWS = 10_000_000
SEEDED = 100_000  # sealed one by one; the others are copies of them under names of their own
REQUESTS = 100
_WRITTEN = "id, email_hash, mailbox_hash, referral_code"
_KEPT = (
    "data_key_id, encrypted_person, country, language, updates, via, consent_version, "
    "signed_at, confirmed_at, synthetic"
)


def main(rows: int) -> None:
    """Measure on a fresh SQLite instance with `rows` synthetic signatures."""
    with tempfile.TemporaryDirectory() as folder:
        site = ready_site(Path(folder), CAMPAIGN_SIGN_LIMIT="")
        site.flask("signatures", "seed", str(min(rows, SEEDED)))
        multiply(site, rows)
        with served(site):
            cookie, _token = signed_in(site)
            while waiting(site):
                time.sleep(1)
            measure(site, cookie, rows)


def multiply(site: Site, rows: int) -> None:
    """Copy the seeded signatures until there are `rows`."""
    with closing(database(site)) as connection:
        for first in range(SEEDED, rows, SEEDED):
            unique = (
                f"printf('%032x', {first} + row_number() over ()), randomblob(32), randomblob(32), hex(randomblob(8))"
            )
            copied = f"SELECT {unique}, {_KEPT} FROM signatures WHERE id IN (SELECT id FROM seeded)"
            if first == SEEDED:
                connection.execute("CREATE TEMP TABLE seeded AS SELECT id FROM signatures")
            connection.execute(f"INSERT INTO signatures ({_WRITTEN}, {_KEPT}) {copied}")
            connection.commit()


def waiting(site: Site) -> int:
    """Return how many signatures are not added to the totals yet."""
    with closing(database(site)) as connection:
        return connection.execute("SELECT count(*) FROM signature_changes").fetchone()[0]


def measure(site: Site, cookie: str, rows: int) -> None:
    """Time the figures, one request after the other."""
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        page = asked(site, "GET", "/organise/", {"Cookie": cookie}).read()
        times.append((time.perf_counter() - began) * 1000)
    assert f"{rows:,}".encode() in page
    p95 = statistics.quantiles(times, n=20)[-1]
    show(f"figures of {rows:,}", f"{statistics.median(times):.1f} ms", f"p95 {p95:.1f} ms")


def database(site: Site) -> sqlite3.Connection:
    """Return a connection to the database of `site`."""
    connection = sqlite3.connect(site.instance / "campaign.sqlite3", timeout=60)
    connection.execute("PRAGMA synchronous=OFF")
    return connection


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
