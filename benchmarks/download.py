"""Measures a download while visitors are served:  python -m benchmarks.download [ROWS]."""

import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Event
from urllib.parse import urlencode, urlsplit

from benchmarks.run import served, show
from campaign.app import create_app
from campaign.config.settings import Settings
from tests.conftest import Campaign, dispose
from tests.live_server import Site, ready_site
from tests.organisers import PASSPHRASE, OrganiserBrowser, invitation_in

ROWS = 1_000_000
PAUSE = 0.05  # seconds between the visits of one visitor


def main(rows: int) -> None:
    """Measure on a fresh SQLite instance with `rows` synthetic signatures."""
    with tempfile.TemporaryDirectory() as folder:
        site = ready_site(Path(folder), CAMPAIGN_SIGN_LIMIT="")
        site.flask("signatures", "seed", str(rows))
        with served(site):
            cookie, token = signed_in(site)
            measure_download(site, cookie, token, rows)


def signed_in(site: Site) -> tuple[str, str]:
    """Register an organiser with the export right, and return their cookie and CSRF token."""
    app = create_app(Settings.load(instance=site.instance))
    campaign = Campaign(app, site.key_file.read_text(), Settings.load(instance=site.instance))
    grace = OrganiserBrowser(campaign, "grace@example.org")
    options = ("--role", "owner", "--export", "--key-file", str(site.key_file))
    printed = campaign.command("organisers", "add", grace.email, *options).output
    grace.comes_in(invitation_in(printed))
    token = grace.token("/organise/account")
    cookie = grace.client.get_cookie("organiser", path="/organise")
    dispose(app)
    assert cookie is not None
    return f"organiser={cookie.value}", token


def measure_download(site: Site, cookie: str, token: str, rows: int) -> None:
    """Time a download while two visitors open the page again and again."""
    form = {"csrf_token": token, "purpose": "full", "dialect": "excel", "reason": "trial", "passphrase": PASSPHRASE}
    idle, peak, done = memory(site), [0.0], Event()
    with ThreadPoolExecutor(3) as pool:
        visits = [pool.submit(visit, site, done) for _ in range(2)]
        pool.submit(watch, site, peak, done)
        began = time.perf_counter()
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        answer = asked(site, "POST", "/organise/export", headers, urlencode(form))
        first, lines = time.perf_counter() - began, 0
        while chunk := answer.read(1 << 20):
            lines += chunk.count(b"\r")
        seconds = time.perf_counter() - began
        done.set()
        times = [one for visits_of in visits for one in visits_of.result()]
    assert lines == rows + 1, lines
    show("download", f"{seconds:.1f} s", f"{rows / seconds:,.0f} rows/s, first byte after {first:.2f} s")
    show("server's memory meanwhile", f"+{peak[0] - idle:.0f} MiB", f"{idle:.0f} MiB before")
    quantiles = statistics.quantiles(times, n=20)
    show("the page meanwhile", f"{statistics.median(times):.1f} ms", f"p95 {quantiles[-1]:.1f} ms, {len(times)} visits")


def visit(site: Site, done: Event) -> list[float]:
    """Open the page until `done`; returns the milliseconds that each visit took."""
    times = []
    while not done.wait(PAUSE):
        began = time.perf_counter()
        assert asked(site, "GET", "/en/", {}).read()
        times.append((time.perf_counter() - began) * 1000)
    return times


def watch(site: Site, peak: list[float], done: Event) -> None:
    """Record the server's peak memory until `done` is set."""
    while not done.wait(PAUSE):
        peak[0] = max(peak[0], memory(site))


def memory(site: Site) -> float:
    """Return the memory of the server's processes in MiB, without the key worker's."""
    pages = sum(int((path / "statm").read_text().split()[1]) for path in processes(site, worker=False))
    return pages * 4096 / 1024**2


def processes(site: Site, *, worker: bool) -> list[Path]:
    """Return the processes of the server, or those of its vault, by their folders in /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended
            is_ours = str(site.instance).encode() in (path / "environ").read_bytes()
            if is_ours and (b"key_worker" in (path / "cmdline").read_bytes()) == worker:
                found.append(path)
    return found


def asked(
    site: Site, method: str, path: str, headers: dict[str, str], body: str = "", *, status: int = 200
) -> HTTPResponse:
    """Return the answer of the server, which must have that `status`."""
    connection = HTTPConnection(urlsplit(site.url).netloc)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    assert answer.status == status, answer.read()[-2000:]
    return answer


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
