"""Requesting the link again: it is sent in every status of the petition, and only to its owner."""

import re
from datetime import timedelta

import pytest
import time_machine

from campaign.core.database import db, utcnow
from campaign.petition.status import close, deliver
from tests.conftest import campaign_on
from tests.personas import FROM_OUR_PAGE, WANTS_JSON


def ask(campaign, email: str, headers: dict[str, str] = FROM_OUR_PAGE, **more: str):
    """Send the form on the privacy page."""
    return campaign.client.post("/link", data={"email": email, "lang": "en", **more}, headers=headers)


def hand_in(session) -> None:
    deliver(session, utcnow().date())


def test_the_link_comes_again(campaign, ada):
    receipt = ada.confirms()
    answer = ask(campaign, "ada@example.org")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/en/link-sent")
    assert "Check your email" in campaign.client.get("/en/link-sent").text
    _, mail = ada.mails()
    assert mail["Subject"] == "Your link"
    assert "You asked for the link" in mail.get_body(("plain",)).get_content()
    assert campaign.client.get(ada.link()).headers["Location"] == receipt


@pytest.mark.slow
@pytest.mark.parametrize("end", [close, hand_in])
def test_a_supporter_who_deleted_the_email_can_withdraw_after_closing(campaign, ada, end):
    ada.confirms()
    ada.mails()
    with campaign.app.app_context():
        end(db.session)
    assert 'href="/en/privacy#link"' in campaign.client.get("/en/").text
    ask(campaign, " ADA@Example.org ")
    receipt = campaign.client.get(ada.link()).headers["Location"]
    assert "Your signature has been withdrawn" in campaign.client.post(f"{receipt}/withdraw").text
    assert campaign.count() == 0


def test_nobody_else_gets_mail(campaign, ada):
    ada.signs()
    campaign.send_mail()
    ask(campaign, "mallory@example.org")
    assert campaign.persona("Mallory", email="mallory@example.org").mails() == []
    assert len(ada.mails()) == 1


def test_it_comes_once_a_day(campaign, ada):
    ada.confirms()
    for _ in range(3):
        ask(campaign, "ada@example.org")
    assert len(ada.mails()) == 2
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1), tick=False):
        ask(campaign, "ada@example.org")
        assert len(ada.mails()) == 3


def test_the_requested_link_is_in_the_language_of_the_request(campaign, ada):
    ada.confirms()
    assert ask(campaign, "ada@example.org", lang="de").headers["Location"] == "/de/link-sent"
    assert "Olympische Komitee" in ada.mails()[-1].get_body(("plain",)).get_content().replace("\n", " ")


@pytest.mark.parametrize("email", ["", "no address", "a@b\x00.org"])
def test_an_invalid_email_is_reported_beside_the_field(campaign, email):
    answer = ask(campaign, email)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    json = ask(campaign, email, headers=WANTS_JSON)
    assert (json.status_code, list(json.json["errors"])) == (422, ["email"])


def test_a_json_client_gets_the_same_response_for_everyone(campaign, ada):
    ada.signs()
    answers = [ask(campaign, email, headers=WANTS_JSON) for email in ("ada@example.org", "mallory@example.org")]
    assert [(answer.status_code, answer.json) for answer in answers] == [(202, {"status": "check-email"})] * 2


def test_another_site_may_not_ask(campaign):
    assert ask(campaign, "ada@example.org", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_browser_without_fetch_metadata_asks_again(campaign, ada):
    ada.confirms()
    asked = ask(campaign, "ada@example.org", headers={})
    assert (asked.status_code, 'value="ada@example.org"' in asked.text) == (422, True)
    assert len(ada.mails()) == 1
    token = re.search(r'name="again" value="([^"]+)"', asked.text)[1]
    assert ask(campaign, "ada@example.org", headers={}, again=token).status_code == 303
    assert len(ada.mails()) == 2


def test_requesting_the_link_is_rate_limited(backend, ready, tmp_path):
    with campaign_on(ready, backend, tmp_path, sign_limit="2 per day") as campaign:
        answers = [ask(campaign, f"ada{number}@example.org") for number in range(3)]
        assert [answer.status_code for answer in answers] == [303, 303, 429]
        assert "Please try again in 24 hours" in answers[2].text


def test_a_body_that_is_not_a_form_is_refused(campaign):
    assert campaign.client.post("/link", json={"email": "ada@example.org"}).status_code == 415


def test_json_without_an_origin_learns_how_to_repeat_the_request(campaign):
    hidden = {"Origin": "null", **WANTS_JSON}
    tokens = ask(campaign, "ada@example.org", headers=hidden).json["tokens"]
    assert ask(campaign, "ada@example.org", headers=hidden, **tokens).status_code == 202
