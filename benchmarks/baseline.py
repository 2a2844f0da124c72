"""What the application is compared with, on the same server:  python -m benchmarks.baseline KIND FLAG [URL].

`form` is the application with everything but the database behind the form. `bare` answers every request with the
bytes and headers of URL and does nothing else.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from campaign.app import load_for_server, start
from campaign.config.settings import Settings
from campaign.config.validators import parse_bind
from campaign.petition import signatures
from campaign.server import run

NOT_REPEATED = ("connection", "date", "server")  # the server adds them


def main(kind: str, flag: Path, url: str = "") -> None:
    """Serve the baseline until told to stop."""
    settings = Settings.load()
    load = partial(bare, url)
    if kind == "form":
        signatures.sign = lambda *_, **__: None
        load = partial(start, load_for_server(settings))
    run(load, parse_bind(settings.bind), settings.worker_count(), stops_when=lambda: not flag.exists())


def bare(url: str) -> Any:
    """Return an RSGI application that repeats one answer."""
    with urlopen(Request(url, headers={"Accept-Encoding": "br"})) as answer:
        body = answer.read()
        headers = [(name, value) for name, value in answer.headers.items() if name not in NOT_REPEATED]

    async def app(_scope: Any, proto: Any) -> None:
        proto.response_bytes(200, headers, body)

    return app


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
