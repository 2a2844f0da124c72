"""Signing, against the same form without the database behind it."""

import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import servers
from benchmarks.databases import databases
from benchmarks.load import FORMS, Load, offered, wrk
from benchmarks.report import Row, show

ROUNDS = 5
SLOW_MICROSECONDS = 2000
_TARGETS = {"sqlite": "≥ 0.65 of the form", "postgresql": "≥ 0.6 of the form"}
_SLOW_SYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int file) {
    usleep(DELAY);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}
int fsync(int file) { return slow("fsync", file); }
int fdatasync(int file) { return slow("fdatasync", file); }
"""


def sign() -> Iterator[Row]:
    """Measure signing on each database: as much as it takes, with a slow disk, and at a steady rate."""
    for backend, url in databases(durable=True):
        with servers.campaign(url) as site, servers.baseline("form") as form:
            wrk(site.url, seconds=1, script=FORMS)
            rounds = [(_signed(site.url), _signed(form)) for _ in range(ROUNDS)]
            ours, theirs = (statistics.median(load.per_second for load in loads) for loads in zip(*rounds, strict=True))
            latest = rounds[-1][0]
            note = f"p50 {latest.p50:.0f} ms, p99 {latest.p99:.0f} ms with 64 connections"
            yield show(Row(f"POST /sign, {backend}", ours, "/s", theirs, _TARGETS[backend], note))
            steady = offered(site.url, _form(), per_second=300, seconds=8, connections=100)
        note = f"p50 {steady.p50:.0f} ms, {steady.per_second:.0f} answered a second"
        yield show(Row(f"POST /sign at 300/s, {backend}: p99", steady.p99, "ms", target="≤ 60 ms", note=note))


def slow_disk() -> Iterator[Row]:
    """Measure signing where each fsync takes two milliseconds longer, as on the disks of cheap servers."""
    with _slow_sync() as library:
        if library is None:
            print("LEFT OUT: slow disks (no C compiler)", flush=True)
            return
        for backend, url in databases(durable=True, LD_PRELOAD=library):
            with servers.campaign(url, LD_PRELOAD=library) as site:
                wrk(site.url, seconds=1, script=FORMS)
                load = wrk(site.url, connections=64, seconds=6, script=FORMS)
            note = f"p50 {load.p50:.0f} ms, p99 {load.p99:.0f} ms"
            what = f"POST /sign, {backend}, fsync slowed by 2 ms"
            yield show(Row(what, load.per_second, "/s", target="≥ 800/s", note=note))


def _signed(url: str) -> Load:
    return wrk(url, connections=64, seconds=4, script=FORMS)


def _form() -> bytes:
    body = b"given_name=Ada&email=steady@NUMBER%40example.org&country=GB&lang=en"
    head = [
        b"POST /sign HTTP/1.1",
        b"Host: localhost",
        b"Sec-Fetch-Site: same-origin",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: %d" % len(body.replace(b"@NUMBER", b"0000000")),
    ]
    return b"\r\n".join([*head, b"", body])


@contextmanager
def _slow_sync() -> Iterator[str | None]:
    """Yield a library that makes each fsync slower where it is preloaded; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as somebody else
        library = Path(folder) / "slow_sync.so"
        options = ["-shared", "-fPIC", f"-DDELAY={SLOW_MICROSECONDS}", "-xc", "-", "-ldl"]
        subprocess.run([compiler, *options, "-o", str(library)], input=_SLOW_SYNC.encode(), check=True)
        library.chmod(0o755)
        yield str(library)
