"""Redirects: none leads to the host that a request claims for us."""

import pytest

from campaign.core.languages import LANGUAGES

FOREIGN = "http://evil.example"


@pytest.fixture
def backend() -> str:
    """Where redirects lead does not depend on the database."""
    return "sqlite"


@pytest.mark.parametrize(
    "path",
    ["/", "/en", "/organise", "/organise/", "//en", "/en//", "//evil.example/en", "/en/privacy/", "/share/qr", "/sign"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_names_a_host(campaign, method, path):
    answer = campaign.client.open(
        "/", base_url=FOREIGN, method=method, environ_overrides={"PATH_INFO": path}, query_string={"a": "b"}
    )
    location = answer.headers.get("Location", "/")
    assert location.startswith("/")
    assert not location.startswith("//")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_url_without_its_slash_redirects_and_keeps_the_query(campaign, language):
    answer = campaign.client.get(f"/{language}?ref=abcdefghijk&via=x", base_url=FOREIGN)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"/{language}/?ref=abcdefghijk&via=x")


def test_no_page_names_the_host_of_the_request(campaign):
    for path in ("/en/", "/en/privacy", "/sitemap.xml", "/robots.txt", "/.well-known/security.txt", "/en/embed"):
        assert "evil.example" not in campaign.client.get(path, base_url=FOREIGN).text
