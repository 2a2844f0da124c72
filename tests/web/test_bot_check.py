"""The bot check: off unless an organiser wants it; work or a wait, and neither passes twice."""

import re
from datetime import UTC, datetime, timedelta

import altcha
import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select

from campaign.core.database import db, utcnow
from campaign.models import Signature, UsedChallenge
from campaign.petition import proof_of_work
from tests.conftest import campaign_on
from tests.personas import FROM_OUR_PAGE, WANTS_JSON


@pytest.fixture(autouse=True)
def little_work(monkeypatch):
    monkeypatch.setattr(proof_of_work, "ITERATIONS", 1)


@pytest.fixture
def checked(campaign):
    assert campaign.command("bot-check", "on").exit_code == 0
    return campaign


def solution(campaign) -> str:
    """What the widget sends after its work."""
    challenge = altcha.Challenge.from_dict(campaign.client.get("/altcha.json").json)
    return altcha.Payload(challenge, altcha.solve_challenge(challenge)).to_base64()


def rows(campaign) -> int:
    with campaign.app.app_context():
        return db.session.scalar(select(func.count()).select_from(Signature))


def waiting_token(page: str) -> str:
    return re.search(r'name="waited" value="([^"]+)"', page)[1]


def test_it_is_off_until_it_is_switched_on(campaign, ada):
    assert "altcha" not in campaign.client.get("/en/").text
    ada.signs()
    campaign.command("bot-check", "on")
    assert campaign.command("bot-check", "status").output == "on\n"
    assert "<altcha-widget" in campaign.client.get("/en/").text
    assert ada.posts().status_code == 422
    campaign.command("bot-check", "off")
    ada.signs()


def test_a_solved_challenge_lets_a_supporter_sign(checked, ada):
    ada.signs(altcha=solution(checked))
    assert rows(checked) == 1


def test_a_solution_counts_once(checked, ada):
    solved = solution(checked)
    ada.signs(altcha=solved)
    assert ada.posts(altcha=solved, email="other@example.org").status_code == 422
    assert rows(checked) == 1


def test_a_solution_expires(checked, ada):
    solved = solution(checked)
    with time_machine.travel(utcnow() + proof_of_work.CHALLENGE_LIFETIME + timedelta(seconds=2)):
        assert ada.posts(altcha=solved).status_code == 422


def test_a_challenge_of_somebody_else_is_worth_nothing(checked, ada):
    challenge = altcha.create_challenge(proof_of_work.ALGORITHM, 1, hmac_secret="not our key")
    solved = altcha.Payload(challenge, altcha.solve_challenge(challenge)).to_base64()
    assert ada.posts(altcha=solved).status_code == 422


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(sent=st.text() | st.sampled_from(["e30=", "W10=", "eyJjaGFsbGVuZ2UiOjEsInNvbHV0aW9uIjoyfQ==", "MQ=="]))
def test_a_wrong_solution_is_not_a_server_error(checked, ada, sent):
    assert ada.posts(altcha=sent).status_code == 422


def test_without_javascript_one_waits_and_presses_again(checked, ada):
    page = ada.posts()
    assert (page.status_code, "Wait ten seconds" in page.text) == (422, True)
    assert 'value="ada@example.org"' in page.text
    with time_machine.travel(utcnow() + timedelta(seconds=12)):
        ada.signs(waited=waiting_token(page.text))
    assert rows(checked) == 1


def test_the_token_does_not_give_the_stored_hash_of_an_address_away(checked, ada):
    token = waiting_token(ada.posts().text)
    ada.signs(altcha=solution(checked))
    with checked.app.app_context():
        stored = db.session.scalar(select(Signature.email_hash))
    _, packed = URLSafeTimedSerializer("any").loads_unsafe(token)
    assert stored.hex() not in str(packed)
    assert "example" not in str(packed)  # of which no hexadecimal digits can be made by chance


def test_a_wait_across_midnight_counts(checked, ada):
    with time_machine.travel(datetime(2026, 11, 23, 23, 59, 55, tzinfo=UTC)):
        token = waiting_token(ada.posts().text)
    with time_machine.travel(datetime(2026, 11, 24, 0, 0, 7, tzinfo=UTC)):
        ada.signs(waited=token)


def test_a_limit_uses_up_no_solution_and_keeps_the_wait(ready, backend, tmp_path):
    with campaign_on(ready, backend, tmp_path, sign_limit="1 per minute") as campaign:
        campaign.command("bot-check", "on")
        ada = campaign.persona("Ada", email="ada@example.org")
        token, solved = waiting_token(ada.posts().text), solution(campaign)
        answer = ada.posts(altcha=solved, waited=token)
        assert (answer.status_code, waiting_token(answer.text)) == (429, token)
        with time_machine.travel(utcnow() + timedelta(minutes=2)):
            ada.signs(altcha=solved)


def test_pressing_too_early_does_not_start_the_wait_anew(checked, ada):
    token = waiting_token(ada.posts().text)
    with time_machine.travel(utcnow() + timedelta(seconds=5)):
        assert waiting_token(ada.posts(waited=token).text) == token


def test_one_wait_is_for_one_address(checked, ada):
    token = waiting_token(ada.posts().text)
    with time_machine.travel(utcnow() + timedelta(seconds=12)):
        assert ada.posts(waited=token, email="other@example.org").status_code == 422


def test_a_browser_that_says_nothing_of_itself_passes_both_checks(checked, ada):
    asked = ada.posts(headers={})
    again = re.search(r'name="again" value="([^"]+)"', asked.text)[1]
    asked = ada.posts(headers={}, again=again)
    with time_machine.travel(utcnow() + timedelta(seconds=12)):
        tokens = dict(re.findall(r'name="(again|waited)" value="([^"]+)"', asked.text))
        assert ada.posts(headers={}, **tokens).status_code == 303


def test_a_json_client_without_a_solution_gets_an_error(checked, ada):
    answer = ada.posts(headers=WANTS_JSON)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["form"])
    assert ada.posts(headers=WANTS_JSON, altcha=solution(checked)).status_code == 202


def test_typing_errors_use_up_no_solution(checked, ada):
    solved = solution(checked)
    assert ada.posts(altcha=solved, email="typo").status_code == 422
    ada.signs(altcha=solved)


def test_used_challenges_are_forgotten_once_they_expired(checked, ada):
    ada.posts(headers=FROM_OUR_PAGE, altcha=solution(checked))
    with time_machine.travel(utcnow() + proof_of_work.CHALLENGE_LIFETIME * 2):
        checked.command("signatures", "purge")
    with checked.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(UsedChallenge)) == 0


def test_a_challenge_is_never_cached(campaign):
    assert campaign.client.get("/altcha.json").headers["Cache-Control"] == "no-store"
