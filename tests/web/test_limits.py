"""Limits on signing: in memory, in Redis, and while Redis is down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from campaign.db import utcnow
from campaign.web.visitors import visitor_hash
from tests.conftest import campaign_on
from tests.people import WANTS_JSON


@pytest.fixture
def backend() -> str:
    """What is limited is counted beside the database."""
    return "sqlite"


@pytest.fixture(params=["memory", "redis", "redis that is down"])
def limited(request, backend, ready, tmp_path):
    """A campaign that takes two signatures a day from one address."""
    redis_url = {"memory": "", "redis that is down": "redis://127.0.0.1:1/0"}.get(request.param)
    if redis_url is None:
        redis_url = request.getfixturevalue("redis_server")
    yield from campaign_on(ready, backend, tmp_path, sign_limit="2 per day", redis_url=redis_url)


def test_who_signs_too_often_waits_and_keeps_what_was_typed(limited):
    for number in range(2):
        limited.persona("Ada", email=f"ada{number}@example.org").signs()
    response = limited.persona("Ada", email="ada3@example.org").posts()
    assert response.status_code == 429
    assert "try again later" in response.text
    assert 'value="ada3@example.org"' in response.text
    json = limited.persona("Ada", email="ada3@example.org").posts(headers=WANTS_JSON)
    assert (json.status_code, list(json.json["errors"])) == (429, ["form"])


def test_sending_at_once_is_no_way_around(limited):
    people = [limited.persona("Ada", email=f"ada{number}@example.org") for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda persona: persona.posts(headers=WANTS_JSON).status_code, people))
    assert sorted(answers) == [202] * 2 + [429] * 8


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


def test_a_body_that_is_too_large_is_said_to_be_so_even_then(limited):
    for number in range(2):
        limited.persona("Ada", email=f"ada{number}@example.org").signs()
    assert limited.persona("Ada", message="m" * 100_000).posts().status_code == 413


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.1", "203.0.113.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
    ],
)
def test_a_network_is_what_one_connection_has(campaign, one, other, same):
    assert (_hash(campaign, one) == _hash(campaign, other)) is same


def test_the_hash_is_another_one_tomorrow(campaign):
    today = _hash(campaign, "203.0.113.1")
    with time_machine.travel(utcnow() + timedelta(days=1)):
        assert _hash(campaign, "203.0.113.1") != today


def _hash(campaign, address: str) -> str:
    with campaign.app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        return visitor_hash()
