"""A server that takes reports of errors as Sentry does, and keeps all it was sent."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import brotli

DECOMPRESS: dict[str | None, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    None: bytes,
}


class SentryServer:
    """The server's address for senders (`dsn`), and a file with everything that it `received`, headers too."""

    def __init__(self, received: Path, port: int) -> None:
        self.received = received
        self.dsn = f"http://0123456789abcdef@127.0.0.1:{port}/1"

    def reports(self) -> list[dict[str, Any]]:
        """Return the reports received so far."""
        lines = self.received.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and '"platform"' in line]


@contextmanager
def sentry_server(folder: Path) -> Iterator[SentryServer]:
    """Run the server within the block."""
    received = folder / "sentry"
    received.touch()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            content = DECOMPRESS[self.headers["Content-Encoding"]](body)
            with received.open("ab") as file:
                file.write(f"{self.path}\n{self.headers}\n".encode() + content + b"\n")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield SentryServer(received, server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
