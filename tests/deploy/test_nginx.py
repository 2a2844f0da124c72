"""The nginx configuration that is shipped, in front of a real server."""

import http.client
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import services
from tests.deploy.nginx import Proxy, Server
from tests.deploy.tls_client import (
    ADDRESS,
    HOST,
    part_of_the_film,
    sign_from_claimed_addresses,
)
from tests.live_server import wait_for

FORM = {"given_name": "Ada", "email": "ada@example.org", "country": "GB"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(services.why_no_nginx() is not None, reason=str(services.why_no_nginx())),
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that nginx may enter: it gives up root's rights, and pytest's folders are root's only."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="module")
def server(ready, folder, tmp_path_factory) -> Iterator[Server]:
    settings = {"CAMPAIGN_PROXIES": "1", "CAMPAIGN_PUBLIC_URL": f"https://{HOST}", "CAMPAIGN_SIGN_LIMIT": "2 per hour"}
    socket = folder / "app.sock"
    site = ready.site(tmp_path_factory.mktemp("site"), CAMPAIGN_BIND=f"unix:{socket}", **settings)
    server = Server(site, socket)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def proxy(server, folder) -> Iterator[Proxy]:
    with Proxy(folder, server.socket).running() as proxy:
        yield proxy


def test_nginx_finds_no_fault(proxy):
    checked = subprocess.run(proxy.command("-t"), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_a_page_comes_encrypted_compressed_and_with_its_policy(proxy):
    for _ in range(2):
        answer = proxy.ask("GET", "/ru/", Accept_Encoding="gzip, deflate, br, zstd")
        assert (answer.status, answer.headers["Content-Encoding"]) == (200, "br")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert b"</html>" in proxy.ask("GET", "/ru/").body  # the other coding is kept beside it
    connection = http.client.HTTPConnection(ADDRESS, proxy.plain_port)
    connection.request("GET", "/en/?via=x", headers={"Host": HOST})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/en/?via=x")
    connection.close()


def test_a_page_is_the_same_whatever_the_query_and_kept_once(proxy):
    first = proxy.ask("GET", "/de/?ref=abcdefghijk&via=x")
    assert first.body == proxy.ask("GET", "/de/").body
    wait_for(lambda: re.search(r" /de/ 200 .* HIT\n", proxy.access_log.read_text()), "a line that tells of the cache")
    assert proxy.ask("GET", "/qr.svg?ref=abcdefghijk").body != proxy.ask("GET", "/qr.svg?ref=bbcdefghijk").body


def test_the_limit_counts_the_address_that_connects_and_not_one_that_is_claimed(proxy):
    assert sign_from_claimed_addresses(proxy.ask) == [202, 202, 429]


def test_the_film_comes_in_parts(proxy):
    answer = part_of_the_film(proxy.ask, 1_500_000, 1_500_009)
    assert (answer.status, len(answer.body)) == (206, 10)
    assert answer.headers["Content-Range"].startswith("bytes 1500000-1500009/")
    assert part_of_the_film(proxy.ask, 0, 9).headers["Content-Type"] == "video/mp4"


def test_a_body_that_is_too_large_is_refused_before_the_application(proxy):
    assert proxy.ask("POST", "/sign", {"message": "x" * 70_000}).status == 413


def test_no_log_holds_an_address_a_query_or_a_token(proxy):
    token = "t0ken-of-somebody_and_43_characters_in_allx"
    links = (
        f"/confirm/{token}",
        f"/receipt/{token}/withdraw",
        f"/organise/invitation/{token}",
        f"/organise/hand-in/{token}",
    )
    mangled = (f"/Confirm/{token}", f"/-/confirm/{token}", f"/en/{token}", f"/{token}", f"/organise/{token}")
    for path in (*links, *mangled, f"/x?e={token}"):
        proxy.ask("GET", path, X_Forwarded_For="203.0.113.77")
        proxy.ask("POST", path, {"email": "ada@example.org"})
    proxy.ask("GET", "/privacy-of-the-last-line")
    proxy.ask("GET", "/de/last-line")
    wait_for(lambda: " /de/last-line " in proxy.access_log.read_text(), "the last line")
    written = "".join(path.read_text() for path in proxy.folder.glob("*.log"))
    assert " GET /confirm/- 404 " in written
    assert " GET - 404 " in written
    for personal in (token, ADDRESS, "203.0.113.77", "ada@example.org"):
        assert personal not in written


def test_readers_notice_nothing_while_the_application_is_away(proxy, server):
    for path in ("/en/", "/count.json"):
        proxy.ask("GET", path)
    server.stop()
    try:
        for path in ("/en/?via=qr", "/count.json"):
            assert proxy.ask("GET", path).status == 200
        assert proxy.ask("POST", "/sign", FORM).status == 502
        token = "another-token-of-somebody-with-43-character"
        assert proxy.ask("GET", f"/confirm/{token}").status == 502
        assert token not in "".join(path.read_text() for path in proxy.folder.glob("*.log"))
    finally:
        server.start()
    assert proxy.ask("GET", "/readyz").status == 200
