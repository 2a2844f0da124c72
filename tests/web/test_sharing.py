"""Share links: counted, leading to the networks of the list and nowhere else, and never held up."""

import re
import time
from html import unescape
from urllib.parse import unquote

import pytest
from sqlalchemy import select, text

from campaign.analytics.counters import Counters
from campaign.analytics.shares import count_share
from campaign.core.database import BUSY_SECONDS, db, transaction
from campaign.maintenance import flush_counters
from campaign.models import ShareCount
from campaign.sharing.channels import CHANNELS, OFFLINE_CHANNELS
from tests.personas import FROM_OUR_PAGE


@pytest.fixture
def backend() -> str:
    """Where links lead does not depend on the database."""
    return "sqlite"


ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
NETWORKS = [key for key, channel in CHANNELS.items() if not channel.needs_instance]


def shares(campaign) -> dict[str, int]:
    """How often each channel was counted."""
    flush_counters(campaign.app)
    with campaign.app.app_context():
        rows = db.session.execute(select(ShareCount.channel, ShareCount.shares))
        return {row.channel: row.shares for row in rows}


@pytest.mark.parametrize("channel", NETWORKS)
def test_a_share_link_leads_to_its_network_with_the_page_and_the_code(campaign, channel):
    response = campaign.client.get(f"/share/{channel}?lang=en&ref=abcdefghijk")
    target = response.headers["Location"]
    assert response.status_code == 302
    assert target.startswith(CHANNELS[channel].template.partition("{")[0])
    assert f"http://127.0.0.1:8000/en/?ref=abcdefghijk&via={channel}" in unquote(target)
    assert shares(campaign) == {channel: 1}


@pytest.mark.parametrize(
    "asked",
    ["//evil.example", "https://evil.example", "evil", "copy", "sheet", "embed", "WhatsApp", "x/../evil", "x%00"],
)
def test_there_is_no_way_to_anywhere_else(campaign, asked):
    path = f"/share/{asked}?url=https://evil.example&lang=//evil.example&text=x"
    response = campaign.client.get(path, follow_redirects=True)  # where slashes are doubled, one of them goes
    assert (response.status_code, response.request.host) == (404, "localhost")
    assert shares(campaign) == {}


@pytest.mark.parametrize("bad", ["<script>", "abcdefghij", "abcdefghijkl", "%00bcdefghijk", "../../etc/p", ""])
@pytest.mark.parametrize("path", ["/share/x", "/share/qr", "/share/mastodon", "/en/embed", "/en/mastodon"])
def test_a_bad_code_is_not_passed_on(campaign, path, bad):
    response = campaign.client.get(path, query_string={"ref": bad})
    said = unquote(unescape(response.text + response.headers.get("Location", "")))
    assert not re.search(r"[?&]ref=", said)


def test_only_actions_of_people_are_counted(campaign):
    campaign.client.head("/share/x")
    campaign.client.get("/share/x", headers={"Sec-Purpose": "prefetch;prerender"})
    assert shares(campaign) == {}


@pytest.mark.parametrize("channel", sorted(OFFLINE_CHANNELS))
def test_shares_by_the_script_are_counted_for_our_own_pages_only(campaign, channel):
    assert campaign.client.post(f"/share/{channel}?lang=en", headers=FROM_OUR_PAGE).status_code == 204
    assert campaign.client.post(f"/share/{channel}?lang=en", headers=ELSEWHERE).status_code == 403
    assert campaign.client.post(f"/share/{channel}?lang=en").status_code == 204
    assert campaign.client.post("/share/nothing", headers=FROM_OUR_PAGE).status_code == 404
    assert shares(campaign) == {channel: 1}


def test_counting_waits_for_no_database(campaign):
    with campaign.app.app_context(), transaction(db.session, locks=ShareCount):
        db.session.execute(text("UPDATE share_counts SET shares = shares + 1"))
        began = time.monotonic()
        assert campaign.client.get("/share/x").status_code == 302
        assert time.monotonic() - began < BUSY_SECONDS / 2
    assert shares(campaign) == {"x": 1}


def test_counting_costs_far_less_than_a_millisecond():
    tallies = Counters()
    began = time.process_time()
    for _ in range(1000):
        count_share(tallies, channel="x", language="en")
    assert time.process_time() - began < 0.2  # seconds for a thousand: a fifth of a millisecond each


def test_once_closed_nobody_is_asked_to_sign(campaign):
    campaign.command("petition", "close")
    assert "ask the IOC" not in unquote(campaign.client.get("/share/x?lang=en").headers["Location"])


def test_every_channel_stands_on_the_page(campaign):
    page = campaign.client.get("/en/").text
    assert set(re.findall(r'href="/share/(\w+)\?lang=en"', page)) == set(CHANNELS) | {"qr"}


def test_the_first_is_the_one_that_is_at_home(campaign):
    first = re.compile(r'class="share-primary">\s*<a[^>]*href="/share/(\w+)', re.DOTALL)
    chosen = {lang: first.search(campaign.client.get(f"/{lang}/thanks").text)[1] for lang in ("en", "ru", "ar")}
    assert chosen == {"en": "whatsapp", "ru": "telegram", "ar": "whatsapp"}


def test_mastodon_asks_for_the_instance_and_shows_a_link_to_it(campaign):
    asked = campaign.client.get("/share/mastodon?lang=de&ref=abcdefghijk").headers["Location"]
    assert asked == "/de/mastodon?ref=abcdefghijk"
    data = {"instance": "@ada@chaos.example.org", "text": "Meine Worte"}
    response = campaign.client.post(asked, data=data, headers=FROM_OUR_PAGE)
    [link] = re.findall(r'class="button"\s+href="(https://[^"]+)"', response.text)
    assert unquote(link) == (
        "https://chaos.example.org/share?text=Meine Worte http://127.0.0.1:8000/de/?ref=abcdefghijk&via=mastodon"
    )


def test_an_invalid_instance_is_reported_beside_the_field_and_the_text_stays(campaign):
    data = {"instance": "mastodon", "text": "My words"}
    response = campaign.client.post("/en/mastodon", data=data, headers=FROM_OUR_PAGE)
    assert (response.status_code, response.headers["Cache-Control"]) == (422, "no-store")
    assert "Enter the address of a Mastodon server" in response.text
    assert 'value="mastodon"' in response.text
    assert ">My words</textarea>" in response.text


def test_no_other_site_chooses_the_instance(campaign):
    asked = campaign.client.get("/en/mastodon?instance=evil.example&text=evil")
    assert "evil" not in asked.text.replace("/en/mastodon?instance=evil.example&amp;text=evil", "")
    assert campaign.client.post("/en/mastodon", data={"instance": "evil.example"}, headers=ELSEWHERE).status_code == 403
