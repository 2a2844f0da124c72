"""Links that mail programs, chats and crawlers mangled lead where they were meant to, by relative redirects."""

from urllib.parse import quote, unquote_to_bytes

import pytest

from tests.organisers import invitation_in

REF = "abcdefghijk"
TRAILS = [
    "/",
    "…",
    "\u00a0",
    ")",
    ">",
    "&utm_source=x",
    ".",
    "%20",
    "%0D%0A",
    "]",
    "\u200b",
    "”",
    "/)",
    ",",
    "%3E",
    "%3Flang=en",
]


@pytest.fixture
def backend() -> str:
    """Links are read before the database is."""
    return "sqlite"


@pytest.mark.parametrize("trail", TRAILS)
def test_a_mailed_link_opens_with_whatever_follows_it(campaign, ada, trail):
    ada.signs()
    link = ada.link()
    answer = campaign.client.get(f"{link}{trail}", follow_redirects=True)
    assert (answer.status_code, "Confirm my signature" in answer.text) == (200, True)
    assert answer.headers["Cache-Control"] == "no-store"
    receipt = campaign.client.post(link).headers["Location"]
    answer = campaign.client.get(f"{receipt}{trail}", follow_redirects=True)
    assert (answer.status_code, "Withdraw" in answer.text) == (200, True)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda start, token: f"{start}<{token}>",
        lambda start, token: f"{start}{token[:20]}=%0D%0A{token[20:]}",
        lambda start, token: f"{start}{token[:20]}={token[20:]}",
        lambda start, token: f"{start}{token[:20]}%E2%80%8B{token[20:]}",
        lambda start, token: f"{start.upper()}{token}/",
        lambda start, token: f"/{start}{token}",
    ],
)
def test_a_mailed_link_opens_when_it_was_broken(campaign, ada, mangle):
    ada.signs()
    start, _, token = ada.link().rpartition("/")
    answer = campaign.client.get("/", environ_overrides={"PATH_INFO": _decoded(mangle(f"{start}/", token))})
    if answer.status_code == 308:
        answer = campaign.client.get(answer.headers["Location"])
    assert (answer.status_code, "Confirm my signature" in answer.text) == (200, True)


@pytest.mark.parametrize("trail", ["/", ".", "…", "%20", "&x=1"])
def test_an_invitation_opens_with_whatever_follows_it(campaign, trail):
    invitation = invitation_in(campaign.command("organisers", "add", "olga@example.org").output)
    assert campaign.client.get(f"{invitation}{trail}").status_code == 200


@pytest.mark.parametrize(
    ("path", "target"),
    [
        *((path, "/en/") for path in ("/EN/", "/en", "/EN", "/en/)", "/en)", "/en/…", "/en/&fbclid=x", "/en&fbclid=x")),
        *(
            (path, "/en/")
            for path in ("/en/%C2%A0", "/en/%22%3E", "/en.", "/en/.", "/en-GB/", "/en_us", "/en/,", "/en/*")
        ),
        *((path, "/en/") for path in ("/en/%0D%0A", "/en;x=1", "/en/%FF", "/en?utm_source=x", "/en/%C2%A0Danke")),
        *((path, f"/en/?ref={REF}&via=x") for path in (f"/en/&ref={REF}&via=x)", f"/en&via=x&ref={REF}&fbclid=1")),
        *((path, f"/en/?ref={REF}&via=x") for path in (f"/EN?ref={REF}&via=x", f"/en?ref={REF}&amp;via=x")),
        *((path, f"/en/?ref={REF}&via=x") for path in (f"/en/%3Fref={REF}%26via=x", f"/en/)?ref={REF}&via=x")),
        ("/PT-br/", "/pt/"),
        ("/ru/privacy)", "/ru/privacy"),
        ("/RU/Privacy/", "/ru/privacy"),
        ("/…", "/"),
        ("/&fbclid=x", "/"),
    ],
)
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_a_mangled_page_leads_on_without_naming_a_host(campaign, path, target, host):
    answer = campaign.client.get(path, headers={"Host": host})
    assert (answer.status_code, answer.headers["Location"]) == (308, target)


@pytest.mark.parametrize("path", ["/xx/", "/en/nothing", "/~ada", "/$data", "/.env", "/english", "/en/privacy/more"])
def test_an_unknown_page_stays_unknown(campaign, path):
    assert campaign.client.get(path).status_code == 404


@pytest.mark.parametrize(
    "query", [f"ref={REF})&via=x%20", f"ref={REF}&amp;via=x", f"ref=3D{REF}&via=3Dx", f"via=x&amp;ref={REF}."]
)
def test_a_referral_with_something_appended_is_still_credited(ada, query):
    headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"http://localhost/en/?{query}"}
    page = " ".join(ada.posts(headers=headers, email="typo").text.split())
    assert f'name="ref" value="{REF}"' in page
    assert 'name="via" value="x"' in page


@pytest.mark.parametrize(
    "path",
    [
        "/en",
        "/en/",
        "/EN/",
        "/en/embed",
        "/en/embed/",
        "/en?ref=abcdefghijk&via=x",
        "/en/)",
        "/en/&ref=abcdefghijk",
        "/en#x",
    ],
)
@pytest.mark.parametrize(
    "origin", ["http://love.example", "https://love.example", "https://www.love.example", "https://LOVE.example:443"]
)
@pytest.mark.settings(public_url="https://love.example")
def test_an_address_of_ours_can_be_embedded_however_it_is_written(campaign, origin, path):
    answer = campaign.client.get(f"/oembed?url={quote(origin + path, safe='')}")
    assert answer.status_code == 200
    assert "https://love.example/en/embed" in answer.json["html"]
    assert (REF in answer.json["html"]) is ("ref" in path)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/en",
        "https://love.example.evil.example/en/",
        "https://love.example:444/en",
        "https://love.example/en/nothing",
        "javascript://love.example/en",
    ],
)
@pytest.mark.settings(public_url="https://love.example")
def test_an_address_of_another_site_cannot_be_embedded(campaign, url):
    assert campaign.client.get(f"/oembed?url={quote(url, safe='')}").status_code == 404


def _decoded(path: str) -> str:
    """Return a path as a server hands it over (PEP 3333)."""
    return unquote_to_bytes(path).decode("latin-1")
