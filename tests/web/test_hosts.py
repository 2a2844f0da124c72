"""Hosts that are none: whatever a request or a proxy says that our host is, its page is shown."""

from collections.abc import Iterator

import pytest

from tests.conftest import Campaign, campaign_on

NO_HOSTS = (
    *("..", ".", ".example.org", "example..org", f"{'x' * 64}.org", "x" * 290, "-" * 64, "a" * 70_000, "", " ", "a b"),
    *(
        "[",
        "[::1",
        "[]",
        "my_app:8000",
        "example.org:port",
        "example.org/path",
        "ada@example.org",
        "a,..",
        "\u00e9" * 70,
        "\u00ad.org",
    ),
)
HOSTS = ("example.org", "example.org.", "192.0.2.1", "[2001:db8::1]:443", "xn--e1afmkfd.xn--p1ai")


@pytest.fixture
def backend() -> str:
    """The database has no part in this."""
    return "sqlite"


@pytest.fixture
def behind_a_proxy(ready, backend, tmp_path) -> Iterator[Campaign]:
    """A campaign that believes what a proxy says its host is."""
    with campaign_on(ready, backend, tmp_path, proxies=1) as campaign:
        yield campaign


@pytest.mark.slow
@pytest.mark.parametrize("host", [*NO_HOSTS, *HOSTS])
@pytest.mark.parametrize("header", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST"])
def test_no_host_breaks_a_page(behind_a_proxy, header, host):
    def status(path: str) -> int:
        said = {header: host.encode().decode("latin-1")}
        return behind_a_proxy.client.get(path, environ_overrides=said).status_code

    assert [status(path) for path in ("/en/", "/en", "/unknown", "/organise", "/qr.svg")] == [200, 308, 404, 308, 200]
