"""A client of a proxy on this machine that asks for the campaign's host over TLS, and a certificate for it."""

import http.client
import re
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from tests.live_server import READY_SECONDS

HOST = "love.example.org"
ADDRESS = "127.0.0.1"


class Answer(NamedTuple):
    """An answer of the proxy."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a new certificate for the host, which signs itself, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def tls_ask(
    port: int,
    trust: ssl.SSLContext,
    method: str,
    path: str,
    fields: dict[str, str] | None = None,
    **headers: str,
) -> Answer:
    """Ask the proxy at `port` by its name; `fields` are sent as a form."""
    connection = _Connection(port, trust)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    body = None
    if fields is not None:
        body, sent["Content-Type"] = urlencode(fields), "application/x-www-form-urlencoded"
    connection.request(method, path, body, {"Host": HOST, **sent})
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def sign_from_claimed_addresses(ask: Callable[..., Answer]) -> list[int]:
    """Sign three times by way of a proxy, each time claiming another address; return the statuses."""
    form = {"given_name": "Ada", "country": "GB"}
    headers = {"Accept": "application/json", "Origin": f"https://{HOST}"}
    return [
        ask(
            "POST",
            "/sign",
            form | {"email": f"ada{number}@example.org"},
            **headers,
            X_Forwarded_For=f"203.0.113.{number}",
        ).status
        for number in range(3)
    ]


def part_of_the_film(ask: Callable[..., Answer], first: int, last: int) -> Answer:
    """Return the answer to a request for the bytes `first` to `last` of the film on the page."""
    path = re.search(r'"(/static/[0-9a-f]+/film/[^"]+\.mp4)"', ask("GET", "/en/").body.decode())
    assert path is not None
    return ask("GET", path[1], Range=f"bytes={first}-{last}")


class _Connection(http.client.HTTPSConnection):
    """A connection to this machine that asks for a host by its name."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        super().__init__(ADDRESS, port, context=trust, timeout=READY_SECONDS)
        self._trust = trust

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=HOST)
