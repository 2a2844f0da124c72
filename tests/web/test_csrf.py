"""Requests that may post the form: our own page, clients that accept JSON, and old browsers at a second attempt."""

import re
from datetime import timedelta

import pytest
import time_machine

from campaign.core.database import utcnow
from campaign.web import csrf
from tests.personas import WANTS_JSON


@pytest.fixture
def backend() -> str:
    """One database is enough: the check does not depend on it."""
    return "sqlite"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Origin": "http://127.0.0.1:8000"},
    ],
)
def test_our_own_page_may_post(campaign, ada, headers):
    assert ada.posts(headers=headers).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://evil.example", **WANTS_JSON},
    ],
)
def test_another_site_may_not(campaign, ada, headers):
    assert ada.posts(headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "null", "Accept": "application/json, text/html"}]
)
def test_a_browser_without_fetch_metadata_submits_the_filled_form_again(campaign, ada, headers):
    asked = ada.posts(headers=headers)
    assert asked.status_code == 422
    assert 'value="ada@example.org"' in asked.text
    token = re.search(r'name="again" value="([^"]+)"', asked.text)[1]
    assert ada.posts(headers=headers, again=token).status_code == 303


def test_json_from_a_page_that_hides_its_origin_is_not_taken(campaign, ada):
    response = ada.posts(headers={"Origin": "null", **WANTS_JSON})
    assert (response.status_code, list(response.json["errors"])) == (422, ["form"])


def test_a_token_ends(campaign, ada):
    noon = utcnow().replace(hour=12)  # tomorrow's hash of the visitor would end it as well
    with time_machine.travel(noon):
        token = re.search(r'name="again" value="([^"]+)"', ada.posts(headers={}).text)[1]
    with time_machine.travel(noon + timedelta(seconds=csrf.TOKEN_SECONDS + 2)):
        assert ada.posts(headers={}, again=token).status_code == 422
    with time_machine.travel(noon + timedelta(seconds=csrf.TOKEN_SECONDS - 10)):
        assert ada.posts(headers={}, again=token).status_code == 303


def test_a_made_up_token_is_refused(campaign, ada):
    assert ada.posts(headers={}, again="made-up").status_code == 422


def test_the_token_of_somebody_else_is_refused(campaign, ada):
    with campaign.app.test_request_context(environ_base={"REMOTE_ADDR": "203.0.113.7"}):
        token = csrf.token()
    assert ada.posts(headers={}, again=token).status_code == 422
