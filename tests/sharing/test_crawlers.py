"""Reading a page as networks do: each fault is found, and named."""

import io

import pytest
from PIL import Image

from campaign.sharing.preview_checker.crawlers import CRAWLERS, HttpResponse, check_preview, languages

URL, CARD, VIDEO = "https://example.org/en/", "https://example.org/card.png", "https://example.org/film.mp4"
WHATSAPP, FACEBOOK, LINKEDIN = CRAWLERS[0], CRAWLERS[1], CRAWLERS[4]
HEAD = f"""
<link rel="canonical" href="{URL}">
<meta property="og:title" content="Love &amp; more">
<meta property="og:description" content="She wins gold.">
<meta property="og:type" content="video.other">
<meta property="og:url" content="{URL}">
<meta property="og:locale" content="en_GB">
<meta property="og:image" content="{CARD}">
<meta property="og:image:width" content="1200">
<meta property="og:image:height" content="630">
<meta property="og:video" content="{VIDEO}">
<meta property="og:video:type" content="video/mp4">
<meta name="twitter:card" content="player">
"""


def png(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    return data.getvalue()


def closed(agent: str, path: str) -> HttpResponse:
    return HttpResponse(200, "text/plain", f"User-agent: {agent}\nDisallow: {path}".encode())


def site(head: str = HEAD, **other: HttpResponse):
    """A site of three addresses, in which some answer otherwise."""
    answers = {
        URL: HttpResponse(200, "text/html", head.encode()),
        CARD: HttpResponse(200, "image/png", png(1200, 630)),
        VIDEO: HttpResponse(206, "video/mp4", b"\0"),
        "https://example.org/robots.txt": HttpResponse(404),
    }
    names = {"page": URL, "card": CARD, "video": VIDEO, "robots": "https://example.org/robots.txt"}
    answers |= {names[name]: answer for name, answer in other.items()}
    return lambda url, _agent, _most: answers.get(url, HttpResponse(404))


def test_a_page_that_says_all_is_shown_as_it_is():
    seen = check_preview(URL, FACEBOOK, site())
    assert (seen.title, seen.description) == ("Love & more", "She wins gold.")
    assert seen.picture.startswith("1200x630")
    assert seen.faults == []


@pytest.mark.parametrize(
    "name", ["og:title", "og:description", "og:image", "og:url", "og:type", "og:locale", "twitter:card"]
)
def test_what_is_missing_is_named(name):
    faults = check_preview(URL, FACEBOOK, site(HEAD.replace(f'"{name}"', '"other"'))).faults
    assert f"{name} is missing" in faults


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ({"page": HttpResponse(0)}, "the page cannot be reached"),
        ({"page": HttpResponse(503)}, "the page answers 503"),
        ({"page": HttpResponse(302, location="/x")}, "the page redirects to /x"),
        ({"page": HttpResponse(200, "text/plain")}, "the page is text/plain, not text/html"),
        ({"card": HttpResponse(404)}, "the image answers 404"),
        ({"card": HttpResponse(301, location="/b.png")}, "the image redirects to /b.png"),
        ({"card": HttpResponse(200, "image/svg+xml")}, "the image is image/svg+xml, not image/png or image/jpeg"),
        ({"card": HttpResponse(200, "image/png", b"no")}, "the image cannot be read"),
        ({"card": HttpResponse(200, "image/png", b"", cut=True)}, "the image has more than 8,000,000 bytes"),
        ({"card": HttpResponse(200, "image/png", png(100, 50))}, "the image is 100x50, Facebook wants 200x200 or more"),
        ({"card": HttpResponse(200, "image/png", png(1200, 600))}, "the image is 1200x600, the page says 1200x630"),
        ({"video": HttpResponse(404)}, "the video answers 404"),
        ({"robots": closed("*", "/en/")}, "robots.txt keeps Facebook from the page"),
        ({"robots": closed("facebookexternalhit", "/card")}, "robots.txt keeps Facebook from the image"),
    ],
)
def test_what_is_wrong_is_named(other, fault):
    assert fault in check_preview(URL, FACEBOOK, site(**other)).faults


def test_a_page_that_hides_from_robots_is_named():
    seen = check_preview(URL, FACEBOOK, site(f'{HEAD}<meta name="robots" content="noindex">'))
    assert seen.faults == ["the page says noindex"]


def test_each_network_has_its_own_measure():
    small = site(HEAD.replace("1200", "600").replace("630", "315"), card=HttpResponse(200, "image/png", png(600, 315)))
    assert check_preview(URL, WHATSAPP, small).faults == []
    assert check_preview(URL, LINKEDIN, small).faults == ["the image is 600x315, LinkedIn wants 1200x627 or more"]


def test_an_address_that_is_not_the_clean_one_is_named():
    seen = check_preview(f"{URL}?ref=abc", FACEBOOK, lambda url, *_: site()(url.partition("?")[0], "", 0))
    assert f"og:url is {URL}" in seen.faults


def test_the_languages_are_those_that_the_page_names():
    links = '<link rel="alternate" hreflang="ru" href="/ru/"><link rel="alternate" hreflang="x-default" href="/">'
    assert languages(URL, site(links)) == {"ru": "/ru/"}
