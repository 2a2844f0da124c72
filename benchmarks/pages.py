"""Kept pages, against a server that does nothing but send the same bytes; and while others sign."""

import statistics
import threading
from collections.abc import Iterator

from benchmarks import servers
from benchmarks.load import FORMS, get, offered, wrk
from benchmarks.report import Row, show

ROUNDS = 5


def pages() -> Iterator[Row]:
    """Measure the page and the count, interleaved with their baselines; the medians of five rounds."""
    with servers.campaign() as site:
        for path in ("/en/", "/count.json"):
            with servers.baseline("bare", f"{site.url}{path}") as bare:
                wrk(f"{site.url}{path}", seconds=1, coding="br")
                rounds = [(wrk(f"{site.url}{path}", coding="br"), wrk(bare, coding="br")) for _ in range(ROUNDS)]
            ours, theirs = (statistics.median(load.per_second for load in loads) for loads in zip(*rounds, strict=True))
            latest = rounds[-1][0]
            note = f"p50 {latest.p50:.1f} ms, p99 {latest.p99:.1f} ms with 32 connections"
            yield show(Row(f"GET {path}, compressed", ours, "/s", theirs, "≥ 0.85 of bare", note))


def readers() -> Iterator[Row]:
    """Measure the page at 200 requests a second while 500 connections sign."""
    with servers.campaign() as site:
        request = get("/en/", coding="br")
        offered(site.url, request, per_second=200, seconds=1, connections=50)
        quiet = offered(site.url, request, per_second=200, seconds=4, connections=50)
        signers = threading.Thread(
            target=wrk, args=(site.url,), kwargs={"connections": 500, "seconds": 12, "script": FORMS}
        )
        signers.start()
        busy = offered(site.url, request, per_second=200, seconds=8, connections=50)
        signers.join()
    yield show(Row("GET /en/ at 200/s, nobody signs: p50", quiet.p50, "ms", note=f"p99 {quiet.p99:.1f} ms"))
    note = f"p99 {busy.p99:.1f} ms (target: ≤ 100 ms)"
    yield show(Row("GET /en/ at 200/s, 500 connections sign: p50", busy.p50, "ms", target="≤ 20 ms", note=note))
