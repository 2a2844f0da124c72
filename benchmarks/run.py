"""Measures what users wait for, on this machine, and prints a table:  python -m benchmarks.run [ROWS]."""

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.live_server import Site, ready_site

if TYPE_CHECKING:
    import subprocess

ROWS = 100_000
REQUESTS = 200


def main(rows: int) -> None:
    """Measure on a fresh SQLite instance with `rows` synthetic signatures."""
    with tempfile.TemporaryDirectory() as folder:
        site = ready_site(Path(folder))
        seconds = timed(lambda: site.flask("signatures", "seed", str(rows)))
        show(f"seed {rows:,} signatures", f"{seconds:.1f} s", f"{rows / seconds:,.0f} rows/s")
        measure_export(site, Path(folder), rows)
        show("check", f"{timed(lambda: site.flask('signatures', 'check')):.2f} s")
        measure_server(site)


def measure_export(site: Site, folder: Path, rows: int) -> None:
    """Time an export, and what memory it takes at most."""
    output = folder / "signatures.csv"
    seconds = timed(
        lambda: site.flask("signatures", "export", "--key-file", str(site.key_file), "--output", str(output))
    )
    # The export is the largest child so far that was waited for.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    show("export, purpose full", f"{seconds:.1f} s", f"{rows / seconds:,.0f} rows/s, at most {peak:.0f} MiB")


def measure_server(site: Site) -> None:
    """Time the start, and pages one after the other."""
    began = time.monotonic()
    with served(site):
        show("start until it answers", f"{time.monotonic() - began:.2f} s")
        for path in ("/healthz", "/count.json", "/en/"):
            times = [timed(partial(fetch, site, path)) * 1000 for _ in range(REQUESTS)]
            p95 = statistics.quantiles(times, n=20)[-1]
            show(f"GET {path}", f"{statistics.median(times):.1f} ms", f"p95 {p95:.1f} ms, one at a time")


@contextmanager
def served(site: Site) -> Iterator[None]:
    """Serve for the length of the block."""
    server: subprocess.Popen[bytes] = site.start()
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def fetch(site: Site, path: str) -> bytes:
    """Return what the server answers."""
    with urlopen(f"{site.url}{path}") as response:
        return response.read()


def timed(act: Callable[[], object]) -> float:
    """Return how many seconds `act` takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def show(what: str, figure: str, more: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<32}{figure:>10}   {more}", flush=True)


if __name__ == "__main__":
    os.environ["CAMPAIGN_SIGN_LIMIT"] = ""
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
