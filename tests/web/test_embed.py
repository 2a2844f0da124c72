"""The film on other sites: one page that may be framed, and oEmbed."""

import re
from xml.etree import ElementTree

import pytest
from sqlalchemy import func, select

from campaign.core.database import db
from campaign.models import Signature
from tests.conftest import campaign_on


@pytest.fixture
def backend() -> str:
    """One database is enough: embeds look the same on both."""
    return "sqlite"


HERE = "http://127.0.0.1:8000"


def test_only_the_embed_page_can_be_framed(campaign):
    small, page = campaign.client.get("/en/embed").headers, campaign.client.get("/en/").headers
    assert "frame-ancestors *" in small["Content-Security-Policy"]
    assert "X-Frame-Options" not in small
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    assert "Set-Cookie" not in small


def test_it_is_the_same_for_everyone_and_may_be_cached(campaign):
    one = campaign.client.get("/en/embed")
    other = campaign.client.get("/en/embed", headers={"Cookie": "a=b", "Referer": "https://example.org/"})
    assert one.data == other.data
    assert one.headers["Cache-Control"].startswith("public")


def test_it_leads_to_the_page_and_says_how_one_came(campaign):
    page = campaign.client.get("/ru/embed?ref=abcdefghijk").text
    assert f'href="{HERE}/ru/?ref=abcdefghijk&amp;via=embed#sign"' in page
    assert set(re.findall(r'<a[^>]+href="(?!http|#main)([^"]+)"', page)) == set()


def test_a_signature_by_an_embed_link_is_credited(campaign, ada):
    receipt = ada.confirms()
    code = re.search(r"ref=([\w-]{11})", campaign.client.get(receipt).text)[1]
    olga = campaign.persona("Olga", email="olga@example.org", ref=code, via="embed")
    olga.confirms()
    with campaign.app.app_context():
        credited = select(func.count(Signature.referred_by)).where(Signature.via == "embed")
        assert db.session.scalar(credited) == 1


def test_a_film_from_elsewhere_plays_there_as_well(ready, backend, tmp_path):
    with campaign_on(ready, backend, tmp_path, film="youtube:dQw4w9WgXcQ") as campaign:
        response = campaign.client.get("/en/embed")
        policy = response.headers["Content-Security-Policy"]
        assert "frame-src https://www.youtube-nocookie.com" in policy
        assert "frame-ancestors *" in policy
        assert 'og:video" content="http://127.0.0.1:8000/en/embed"' in campaign.client.get("/en/").text


def test_after_closing_it_asks_for_nothing(campaign):
    campaign.command("petition", "close")
    page = campaign.client.get("/en/embed").text
    assert "#sign" not in page
    assert "Go to the campaign page" in page


@pytest.mark.parametrize(
    ("path", "language"), [("/", "en"), ("", "en"), ("/ru/", "ru"), ("/ar/embed", "ar"), ("/fr/?via=x#share", "fr")]
)
def test_our_pages_can_be_embedded(campaign, path, language):
    response = campaign.client.get("/oembed", query_string={"url": HERE + path})
    told = response.json
    assert f'src="{HERE}/{language}/embed"' in told["html"]
    assert {name: told[name] for name in ("type", "version", "width", "height")} == {
        "type": "video",
        "version": "1.0",
        "width": 640,
        "height": 432,
    }
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_supporters_code_goes_along(campaign):
    told = campaign.client.get("/oembed", query_string={"url": f"{HERE}/en/?ref=abcdefghijk&via=x"}).json
    assert f'src="{HERE}/en/embed?ref=abcdefghijk"' in told["html"]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/en/",
        "http://127.0.0.1:8001/en/",
        f"{HERE}/en/privacy",
        f"{HERE}/receipt/abc",
        f"{HERE}@example.org/en/",
        "http://[",
        "/en/",
        "javascript:alert(1)",
        "javascript://127.0.0.1:8000/en/",
        f"{HERE}/xx/",
    ],
)
def test_other_addresses_are_not_found(campaign, url):
    assert campaign.client.get("/oembed", query_string={"url": url}).status_code == 404


def test_wrong_oembed_requests_are_explained(campaign):
    assert campaign.client.get("/oembed").status_code == 400
    assert campaign.client.get("/oembed", query_string={"url": f"{HERE}/en/", "format": "yaml"}).status_code == 501


def test_xml_and_less_room(campaign):
    asked = {"url": f"{HERE}/en/", "format": "xml", "maxwidth": "320", "maxheight": "nonsense"}
    response = campaign.client.get("/oembed", query_string=asked)
    assert response.mimetype == "text/xml"
    assert ElementTree.fromstring(response.data).findtext("width") == "320"


def test_the_page_offers_the_embed_code(campaign):
    page = campaign.client.get("/en/").text
    [snippet] = re.findall(r'id="share-snippet"[^>]*>([^<]+)</textarea>', page)
    assert snippet.startswith(f"&lt;iframe src=&#34;{HERE}/en/embed&#34;")
