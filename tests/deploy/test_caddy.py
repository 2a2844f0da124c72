"""The Caddy configuration that is shipped, in front of a real server."""

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import services
from tests.deploy.tls_client import HOST, make_certificate, part_of_the_film, sign_from_claimed_addresses, tls_ask
from tests.live_server import ROOT, Site, wait_for

CADDYFILE = ROOT / "deploy/caddy/Caddyfile"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")]


class Proxy:
    """The shipped configuration, with the port and the certificate of this test."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.port, self.log, self.errors = services.free_port(), folder / "campaign.log", folder / "errors"
        certificate, key = make_certificate(folder)
        self.trust = ssl.create_default_context(cafile=str(certificate))
        text = CADDYFILE.read_text()
        assert "\tadmin off\n" in text
        text = text.replace("\tadmin off\n", f"\tadmin off\n\tauto_https off\n\thttps_port {self.port}\n", 1)
        site = "{$SITE_HOST} {\n"
        assert site in text
        text = text.replace(site, f"{site}\ttls {certificate} {key}\n\tbind 127.0.0.1\n")
        (folder / "Caddyfile").write_text(text)
        self._command = [
            str(shutil.which("caddy")),
            "run",
            "--config",
            str(folder / "Caddyfile"),
            "--adapter",
            "caddyfile",
        ]
        names = {"SITE_HOST": HOST, "SITE_UPSTREAM": upstream}
        self._environment = os.environ | names | {"SITE_LOG": str(self.log), "HOME": str(folder)}

    def start(self) -> "subprocess.Popen[bytes]":
        with self.errors.open("wb") as errors:
            return subprocess.Popen(self._command, env=self._environment, stderr=errors, stdout=errors)

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str):
        return tls_ask(self.port, self.trust, method, path, fields, **headers)


@pytest.fixture(scope="module")
def site(ready, tmp_path_factory) -> Site:
    settings = {"CAMPAIGN_PROXIES": "1", "CAMPAIGN_PUBLIC_URL": f"https://{HOST}", "CAMPAIGN_SIGN_LIMIT": "2 per hour"}
    return ready.site(tmp_path_factory.mktemp("site"), **settings)


@pytest.fixture(scope="module")
def proxy(site, tmp_path_factory) -> Iterator[Proxy]:
    proxy = Proxy(tmp_path_factory.mktemp("caddy"), site.url.removeprefix("http://"))
    with site.served():
        caddy = proxy.start()
        try:
            wait_for(lambda: _answers(proxy), "caddy")
            yield proxy
        finally:
            caddy.terminate()
            caddy.wait()


def _answers(proxy: Proxy) -> bool:
    try:
        return proxy.ask("GET", "/healthz").status == 200
    except OSError:
        return False


def test_caddy_finds_no_fault():
    names = {"SITE_HOST": HOST, "SITE_UPSTREAM": "app:8000", "SITE_LOG": "/dev/null"}
    command = ["caddy", "validate", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    checked = subprocess.run(command, env=os.environ | names, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert '"level":"warn"' not in checked.stderr


def test_a_page_comes_encrypted_compressed_and_with_its_policy(proxy):
    answer = proxy.ask("GET", "/ru/", Accept_Encoding="gzip, deflate, br, zstd")
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "br")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-ID"])


def test_the_limit_counts_the_address_that_connects_and_not_one_that_is_claimed(proxy):
    assert sign_from_claimed_addresses(proxy.ask) == [202, 202, 429]


def test_the_film_comes_in_parts(proxy):
    answer = part_of_the_film(proxy.ask, 1_500_000, 1_500_009)
    assert (answer.status, len(answer.body)) == (206, 10)


def test_a_body_that_is_too_large_is_refused_before_the_application(proxy):
    assert proxy.ask("POST", "/sign", {"message": "x" * 70_000}).status == 413


def test_no_log_holds_an_address_a_path_or_a_token(proxy, site):
    token = "t0ken-of-somebody_and_43_characters_in_allx"
    for path in (
        f"/confirm/{token}",
        f"/receipt/{token}/withdraw",
        f"/-/confirm/{token}",
        f"/{token}",
        f"/x?e={token}",
    ):
        proxy.ask(
            "GET", path, X_Forwarded_For="203.0.113.77", Cookie=f"organiser={token}", Referer=f"https://x/{token}"
        )
        proxy.ask("POST", path, {"email": "ada@example.org"})
        proxy.ask("GET", path, Host="other.example.org", X_Forwarded_For="203.0.113.77")
    lines = proxy.log.read_text().count("\n")
    proxy.ask("DELETE", "/en/")
    wait_for(lambda: proxy.log.read_text().count("\n") > lines, "the last line")
    written = proxy.log.read_text() + proxy.errors.read_text()
    assert '"status":405' in written
    for personal in (token, "127.0.0.1:", '"127.0.0.1"', "203.0.113.77", "ada@example.org"):
        assert personal not in written.replace(site.url.removeprefix("http://"), "upstream")


def test_requests_wait_while_the_application_starts_again(ready, tmp_path):
    site = ready.site(tmp_path, CAMPAIGN_PROXIES="1", CAMPAIGN_PUBLIC_URL=f"https://{HOST}")
    proxy = Proxy(tmp_path, site.url.removeprefix("http://"))
    caddy = proxy.start()
    try:
        wait_for(lambda: _is_open(proxy), "caddy")
        answer = proxy.ask("GET", "/confirm/another-token-of-somebody-with-43-character")
        assert (answer.status, answer.headers["Retry-After"]) == (502, "60")
        assert "another-token" not in proxy.log.read_text() + proxy.errors.read_text()
    finally:
        caddy.terminate()
        caddy.wait()


def _is_open(proxy: Proxy) -> bool:
    try:
        proxy.ask("POST", "/sign", {"message": "x" * 70_000})
    except OSError:
        return False
    return True
