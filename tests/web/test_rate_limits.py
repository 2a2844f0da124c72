"""Limits on signing: in memory, in Redis, and while Redis is down."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from campaign.core.database import db, utcnow
from campaign.core.languages import LANGUAGES
from campaign.maintenance import flush_counters
from campaign.models import FilmViewCount, PageViewCount, ShareCount
from campaign.petition import signatures
from campaign.web import fixed_windows
from campaign.web.client_id import visitor_hash
from tests.conftest import campaign_on
from tests.personas import FROM_OUR_PAGE, WANTS_JSON


@pytest.fixture
def backend() -> str:
    """One database is enough: limits are counted outside of it."""
    return "sqlite"


@pytest.fixture(params=["memory", "redis", "redis that is down"])
def limited(request, backend, ready, tmp_path):
    """A campaign that takes two signatures a day from one address."""
    redis_url = {"memory": "", "redis that is down": "redis://127.0.0.1:1/0"}.get(request.param)
    if redis_url is None:
        redis_url = request.getfixturevalue("redis_server")
    with campaign_on(ready, backend, tmp_path, sign_limit="2 per day", redis_url=redis_url) as campaign:
        yield campaign


def test_signing_is_rate_limited_and_typed_values_stay(limited):
    for number in range(2):
        limited.persona("Ada", email=f"ada{number}@example.org").signs()
    response = limited.persona("Ada", email="ada3@example.org").posts()
    assert response.status_code == 429
    assert 86_000 < int(response.headers["Retry-After"]) <= 86_400
    assert "try again in 24 hours" in response.text
    assert 'value="ada3@example.org"' in response.text
    json = limited.persona("Ada", email="ada3@example.org").posts(headers=WANTS_JSON)
    assert (json.status_code, list(json.json["errors"])) == (429, ["form"])
    assert "Retry-After" in json.headers


def test_sending_at_once_is_no_way_around(limited):
    people = [limited.persona("Ada", email=f"ada{number}@example.org") for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda persona: persona.posts(headers=WANTS_JSON).status_code, people))
    assert sorted(answers) == [202] * 2 + [429] * 8


def test_an_outage_uses_up_nothing(limited, monkeypatch):
    def is_away(*_arguments, **_named):
        raise PoolTimeoutError

    with monkeypatch.context() as away:
        away.setattr(signatures, "sign", is_away)
        for _ in range(30):  # more than the forms that may be sent for two signatures
            assert limited.persona("Ada", email="ada@example.org").posts().status_code == 503
    for number in range(2):
        limited.persona("Ada", email=f"ada{number}@example.org").signs()
    assert limited.persona("Ada", email="ada3@example.org").posts().status_code == 429


def test_typing_errors_do_not_count(limited):
    ada = limited.persona("Ada", email="ada@example.org")
    for _ in range(5):
        assert ada.posts(email="typo").status_code == 422
    ada.signs()


def test_another_address_is_not_limited(limited):
    for number in range(3):
        data = limited.persona("Ada", email=f"ada{number}@example.org").fields
        answer = limited.client.post(
            "/sign", data=data, headers=WANTS_JSON, environ_base={"REMOTE_ADDR": f"203.0.113.{number}"}
        )
        assert answer.status_code == 202


def test_a_body_that_is_too_large_is_reported_beyond_the_limit_too(limited):
    for number in range(2):
        limited.persona("Ada", email=f"ada{number}@example.org").signs()
    assert limited.persona("Ada", message="m" * 100_000).posts().status_code == 413


SIGNED = {"sign_limit": "2 per day"}


@pytest.fixture
def on(backend, ready, tmp_path):
    """Return a function that makes a campaign with the settings given."""
    with ExitStack() as campaigns:
        yield lambda **settings: campaigns.enter_context(campaign_on(ready, backend, tmp_path, **settings))


def signs_from(campaign, address: str, number: int = 0, **changed: str):
    """Sign from a network address, and return the answer."""
    fields = campaign.persona("Ada", email=f"ada{address.replace(':', '-')}.{number}@example.org").fields | changed
    return campaign.client.post("/sign", data=fields, headers=WANTS_JSON, environ_base={"REMOTE_ADDR": address})


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("2001:db8:0:{0:x}::1", 32),  # each in a /64 of its own, all in one /48
        ("2001:db8:0:1{0:02x}::1", 8),  # all in one /56
        ("2001:db8:0:1::{0:x}", 2),
        ("2001:db8:0:1:{0:x}000::1", 2),  # from one end of a /64 to the other
        ("::ffff:203.0.113.1", 2),
    ],
)
def test_changing_addresses_within_a_network_is_no_way_around(on, address, allowed):
    campaign = on(**SIGNED)
    step = {32: 257, 8: 1, 2: 3}[allowed]  # not two in one /56
    statuses = Counter(signs_from(campaign, address.format(n * step), n).status_code for n in range(allowed + 3))
    assert statuses == {202: allowed, 429: 3}


@pytest.mark.parametrize("address", ["192.0.2.{0}:{1}", "[2001:db8:{0}::1]:{1}", "[2001:db8:{0}::1]"])
def test_a_port_beside_an_address_makes_nobody_look_like_another(on, address):
    campaign = on(sign_limit="1 per day")
    visitors = [(address.format(number // 2, 5000 + number), f"ada{number}@example.org") for number in range(6)]
    answers = [signs_from(campaign, visitor, email=email).status_code for visitor, email in visitors]
    assert answers == [202, 429] * 3


def test_a_refused_network_does_not_use_up_the_limit_of_its_neighbours(on):
    campaign = on(**SIGNED)
    for number in range(50):
        signs_from(campaign, "2001:db8::1", number)
    assert signs_from(campaign, "2001:db8:0:1::1").status_code == 202


def test_a_trusted_network_has_a_limit_of_its_own_for_all_its_addresses(on):
    campaign = on(**SIGNED, trusted_networks="203.0.113.0/24=5 per hour; 2001:db8::/32 = 3 per hour, 9 per day")
    school = Counter(signs_from(campaign, f"203.0.113.{number}").status_code for number in range(7))
    office = Counter(signs_from(campaign, f"2001:db8:{number}::1").status_code for number in range(5))
    other = Counter(signs_from(campaign, "203.0.114.1", number).status_code for number in range(4))
    assert (school, office, other) == ({202: 5, 429: 2}, {202: 3, 429: 2}, {202: 2, 429: 2})


def test_a_flood_of_wrong_forms_gets_a_short_answer_with_the_time_to_come_back(on):
    campaign = on(sign_limit="2 per hour")
    answers = [signs_from(campaign, "203.0.113.1", email="typo") for _ in range(26)]
    assert Counter(answer.status_code for answer in answers) == {422: 24, 429: 2}
    page = campaign.client.post("/sign", data={"lang": "de"}, environ_base={"REMOTE_ADDR": "203.0.113.1"})
    assert (page.status_code, int(page.headers["Retry-After"]) > 3000) == (429, True)
    assert "Bitte versuche es in 60 Minuten noch einmal." in page.text
    assert len(page.data) < 10_000
    assert signs_from(campaign, "203.0.113.2").status_code == 202


@pytest.mark.parametrize(
    "path", ["/sign", "/link", "/confirm/x", "/confirm/x/not-me", "/receipt/x/withdraw", "/en/mastodon"]
)
def test_every_public_form_is_limited(on, path):
    campaign = on(sign_limit="1 per hour")
    answers = [campaign.client.post(path, data={"email": "typo"}, headers=FROM_OUR_PAGE) for _ in range(13)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 12 + [True]


def test_every_public_form_that_a_page_posts_in_the_background_counts_within_bounds(on):
    campaign = on(**SIGNED)
    for _ in range(15):
        campaign.client.get("/share/x")
        campaign.client.post("/share/copy", headers=FROM_OUR_PAGE)
        campaign.client.post("/seen", data={"lang": "en"}, headers=FROM_OUR_PAGE)
        campaign.client.post("/film/watched", data={"lang": "en", "percent": "0"}, headers=FROM_OUR_PAGE)
    for _ in range(10):
        assert campaign.client.get("/share/x").status_code == 302
        assert campaign.client.post("/share/copy", headers=FROM_OUR_PAGE).status_code == 204
    assert campaign.persona("Ada", email="ada@example.org").posts().status_code == 303
    flush_counters(campaign.app)
    columns = (ShareCount.shares, PageViewCount.number, FilmViewCount.viewers)
    with campaign.app.app_context():
        assert [db.session.scalar(select(func.sum(column))) for column in columns] == [30, 16, 15]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_time_to_retry_is_given_in_every_language(on, lang):
    campaign = on(sign_limit="1 per minute")
    answers = [signs_from(campaign, "203.0.113.1", number, lang=lang) for number in range(2)]
    [said] = answers[1].json["errors"]["form"]
    assert 0 < int(answers[1].headers["Retry-After"]) <= 60
    assert any(f"{seconds}" in said for seconds in range(40, 61))


def test_memory_for_limits_is_bounded(monkeypatch):
    monkeypatch.setattr(fixed_windows, "MAX_KEYS", 100)
    memory = fixed_windows.MemoryStorage()
    for number in range(1000):
        memory.incr(str(number), 60)
    assert (memory.reset(), fixed_windows.MemoryStorage().incr("again", 60)) == (100, 1)


def test_no_count_is_lost_between_threads():
    memory = fixed_windows.MemoryStorage()
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: memory.incr("same", 60), range(4000)))
    assert sorted(counts) == list(range(1, 4001))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.1", "203.0.113.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
    ],
)
def test_a_network_covers_the_addresses_of_one_connection(campaign, one, other, same):
    assert (_hash(campaign, one) == _hash(campaign, other)) is same


def test_the_hash_is_another_one_tomorrow(campaign):
    today = _hash(campaign, "203.0.113.1")
    with time_machine.travel(utcnow() + timedelta(days=1)):
        assert _hash(campaign, "203.0.113.1") != today


def _hash(campaign, address: str) -> str:
    with campaign.app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        return visitor_hash()
