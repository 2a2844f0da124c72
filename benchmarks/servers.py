"""Servers to measure: the campaign as `make run` serves it, and its baselines."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from tests import services
from tests.live_server import ROOT, Site, ready_site, wait_for

WORKERS = "2"  # as many as the machines have that the figures in docs/performance.md are from
SETTINGS = {"CAMPAIGN_SIGN_LIMIT": "", "CAMPAIGN_DOMAIN_LIMIT": "0", "CAMPAIGN_WORKERS": WORKERS}


@contextmanager
def campaign(database: str = "", **settings: str) -> Iterator[Site]:
    """Serve a fresh campaign on `database` (SQLite if empty) within the block."""
    with TemporaryDirectory() as folder:
        site = ready_site(Path(folder), **SETTINGS | settings, CAMPAIGN_DATABASE_URL=database)
        with site.served():
            yield site


@contextmanager
def baseline(kind: str, url: str = "") -> Iterator[str]:
    """Serve the baseline of this kind (see `benchmarks.baseline`), and yield its address."""
    with TemporaryDirectory() as folder:
        site = ready_site(Path(folder), **SETTINGS)
        port = services.free_port()
        flag = Path(folder) / "serving"
        flag.touch()
        environment = {**os.environ, **SETTINGS, "CAMPAIGN_INSTANCE": str(site.instance), "PORT": str(port)}
        command = [sys.executable, "-m", "benchmarks.baseline", kind, str(flag), *filter(None, [url])]
        # A session of its own, as the campaign has: the kernel shares processors between sessions.
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for(lambda: _answers(f"http://127.0.0.1:{port}/healthz"), f"the baseline {kind}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url):
            return True
    except OSError:
        return False
