"""What machines ask for: robots.txt, sitemap.xml, security.txt."""

from datetime import UTC, datetime, timedelta
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest

from campaign.core.languages import LANGUAGES
from tests.conftest import campaign_on


@pytest.fixture
def backend() -> str:
    """What machines are told does not depend on the database."""
    return "sqlite"


HERE = "http://127.0.0.1:8000"
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


@pytest.mark.parametrize("agent", ["Googlebot", "facebookexternalhit/1.1", "Twitterbot/1.0", "LinkedInBot/1.0"])
def test_robots_may_read_public_pages_and_no_secret_or_counting_ones(campaign, agent):
    robots = RobotFileParser()
    robots.parse(campaign.client.get("/robots.txt").text.splitlines())
    assert all(robots.can_fetch(agent, f"{HERE}{path}") for path in ("/en/", "/card/en.png", "/en/embed", "/oembed"))
    assert not any(robots.can_fetch(agent, f"{HERE}{path}") for path in ("/share/x", "/confirm/a", "/receipt/a"))
    assert robots.site_maps() == [f"{HERE}/sitemap.xml"]


def test_the_map_of_the_site_has_each_page_in_each_language(campaign):
    response = campaign.client.get("/sitemap.xml")
    pages = ElementTree.fromstring(response.data).findall("s:url", SITEMAP)
    places = {page.findtext("s:loc", namespaces=SITEMAP) for page in pages}
    assert places == {f"{HERE}/{language}/{path}" for language in LANGUAGES for path in ("", "privacy")}
    assert {len(page.findall("x:link", SITEMAP)) for page in pages} == {len(LANGUAGES)}
    assert response.mimetype == "application/xml"


def test_security_txt_names_the_contact_for_vulnerabilities(ready, backend, tmp_path):
    settings = {"mail_url": "smtp://127.0.0.1?from=hello@example.org", "public_url": "https://example.org"}
    with campaign_on(ready, backend, tmp_path, **settings) as campaign:
        lines = dict(line.split(": ") for line in campaign.client.get("/.well-known/security.txt").text.splitlines())
        assert lines["Contact"] == "mailto:hello@example.org"
        assert lines["Canonical"] == "https://example.org/.well-known/security.txt"
        left = datetime.fromisoformat(lines["Expires"]) - datetime.now(UTC)
        assert timedelta(days=30) < left < timedelta(days=365)


def test_without_an_address_of_its_own_it_names_the_privacy_page(campaign):
    assert f"Contact: {HERE}/en/privacy\n" in campaign.client.get("/.well-known/security.txt").text
