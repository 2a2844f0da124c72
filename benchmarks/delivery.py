"""Measures how long the document to hand in takes, and what memory:  python -m benchmarks.delivery [NAMES]."""

import re
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.download import asked, processes, signed_in
from benchmarks.run import served, show
from tests.live_server import Site, ready_site
from tests.organisers import PASSPHRASE

NAMES = 100_000
PAUSE = 0.2  # seconds between looks


def main(names: int) -> None:
    """Measure on a fresh SQLite instance with `names` synthetic signatures."""
    with tempfile.TemporaryDirectory() as folder:
        site = ready_site(Path(folder), CAMPAIGN_SIGN_LIMIT="")
        site.flask("signatures", "seed", str(names))
        with served(site):
            cookie, token = signed_in(site)
            began = time.perf_counter()
            form = urlencode({"csrf_token": token, "cover": "Trial.", "passphrase": PASSPHRASE})
            headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
            path = asked(site, "POST", "/organise/hand-in", headers, form, status=303).headers["Location"]
            peak = follow(site, path, cookie)
            seconds = time.perf_counter() - began
            size = len(asked(site, "GET", f"{path}/file", {"Cookie": cookie}).read())
    show(f"document of {names:,} names", f"{seconds:.1f} s", f"at most {peak:.0f} MiB, {size / 1e6:.1f} MB")


def follow(site: Site, path: str, cookie: str) -> float:
    """Wait until the document is ready; returns the most memory that the vault took, in MiB."""
    peak = 0
    while b"progress" in asked(site, "GET", path, {"Cookie": cookie}).read():
        for process in processes(site, worker=True):
            found = re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())
            peak = max(peak, int(found[1]) if found else 0)
        time.sleep(PAUSE)
    return peak / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else NAMES)
