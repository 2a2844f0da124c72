"""The start of the server, and its memory."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

from benchmarks import servers
from benchmarks.load import FORMS, wrk
from benchmarks.report import Row, show
from tests.live_server import ready_site

ROUNDS = 5


def start() -> Iterator[Row]:
    """Measure the start to the first answer, and what memory each of two workers has for itself after some load."""
    with tempfile.TemporaryDirectory() as folder:
        site = ready_site(Path(folder))
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            server = site.start()
            times.append(time.perf_counter() - began)
            server.terminate()
            server.wait()
    note = f"slowest {max(times):.2f} s"
    yield show(Row("start to the first answer", statistics.median(times), "s", target="≤ 1.2 s", note=note))
    with servers.campaign() as site:
        for path in ("/en/", "/ru/privacy"):
            with urlopen(f"{site.url}{path}"):
                pass
        wrk(site.url, seconds=5, script=FORMS)
        unique = [_private_mebibytes(pid) for pid in site.worker_pids()]
        with urlopen(f"{site.url}/card/en.png"):
            after = max(_private_mebibytes(pid) for pid in site.worker_pids())
    note = f"{len(unique)} workers, after signing for five seconds; {after:.0f} MiB once one has drawn a picture"
    yield show(Row("memory of a worker, not shared", max(unique), "MiB", target="≤ 70 MiB", note=note))


def _private_mebibytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024
