"""Cards and posters as they are served: renewed with the count, under a new name each time."""

import io
import re

import pytest
from PIL import Image

from campaign.context import context_of

CARD = re.compile(r'og:image" content="http://127\.0\.0\.1:8000(/card/en\.[0-9a-f]{12}\.png)"')


@pytest.fixture
def backend() -> str:
    """One database will do: these are files."""
    return "sqlite"


def card_of(campaign, path: str = "/en/") -> str:
    return CARD.search(campaign.client.get(path).text)[1]


def test_the_card_of_the_page_is_the_card_of_now(campaign):
    response = campaign.client.get(card_of(campaign))
    assert (response.status_code, response.mimetype) == (200, "image/png")
    assert Image.open(io.BytesIO(response.data)).size == (1200, 630)
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    assert response.data == campaign.client.get("/card/en.png").data


def test_the_page_shows_the_preview_card(campaign):
    assert 'srcset="/card/en.avif"' in campaign.client.get("/en/thanks").text
    response = campaign.client.get("/card/en.avif")
    assert (response.mimetype, response.headers["Cache-Control"]) == ("image/avif", "public, max-age=10")


def test_a_card_that_says_something_new_has_a_new_name(campaign):
    before = card_of(campaign)
    first = campaign.client.get(before).data
    campaign.command("signatures", "seed", "150")
    after = card_of(campaign)
    assert after != before
    assert campaign.client.get(after).data != first
    assert campaign.client.get(before).data == first  # pages that are cached still name it


def test_a_card_keeps_its_name_while_it_says_the_same(campaign):
    campaign.command("signatures", "seed", "150")
    before = card_of(campaign)
    campaign.command("signatures", "seed", "5")
    assert card_of(campaign) == before


def test_closing_renews_the_card(campaign):
    before = card_of(campaign)
    campaign.command("petition", "close")
    assert card_of(campaign) != before


def test_a_page_with_a_referral_names_the_same_card(campaign):
    assert card_of(campaign, "/en/?ref=abcdefghijk&via=x") == card_of(campaign)


def test_an_old_card_url_shows_the_present_card_briefly_cacheable(campaign):
    response = campaign.client.get("/card/en.000000000000.png")
    assert response.data == campaign.client.get("/card/en.png").data
    assert response.headers["Cache-Control"] == "public, max-age=10"


@pytest.mark.parametrize(
    "path",
    ["/card/xx.png", "/card/en.png.png", "/card/en.0.png", "/card/en...%2f..%2fsecret.key.png", "/en/poster-a3.pdf"],
)
def test_other_names_are_nothing(campaign, path):
    assert campaign.client.get(path).status_code == 404


def test_old_cards_do_not_pile_up(campaign):
    for _ in range(5):
        campaign.command("signatures", "seed", "100")
        campaign.client.get("/card/en.png")
    folder = context_of(campaign.app).settings.instance / "pictures"
    assert len(list(folder.glob("card-en.*"))) == 3


def test_a_card_is_asked_for_again_only_when_it_changed(campaign):
    etag = campaign.client.get("/card/en.png").headers["ETag"]
    assert campaign.client.get("/card/en.png", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("size", ["a4", "a5", "letter"])
def test_posters_are_shown_under_a_telling_name(campaign, size):
    response = campaign.client.get(f"/ru/poster-{size}.pdf")
    assert response.mimetype == "application/pdf"
    assert response.headers["Content-Disposition"] == f'inline; filename="love-always-wins-ru-{size}.pdf"'


@pytest.mark.parametrize(
    ("asked", "leads"),
    [
        ("", "/?via=qr"),
        ("?lang=ru", "/ru/?via=qr"),
        ("?lang=ru&ref=abcdefghijk", "/ru/?ref=abcdefghijk&amp;via=qr"),
        ("?lang=xx&ref=bad", "/?via=qr"),
    ],
)
def test_the_code_leads_to_the_page(campaign, asked, leads):
    response = campaign.client.get(f"/qr.svg{asked}")
    assert response.mimetype == "image/svg+xml"
    assert f"<title>http://127.0.0.1:8000{leads}</title>" in response.text
