"""The petition closes and is delivered: the page, the form, mails and the API follow."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from campaign.core.database import db, utcnow
from campaign.petition.status import close, deliver, reopen
from tests.personas import WANTS_JSON

DAY = date(2013, 12, 10)


@pytest.fixture
def closed(campaign):
    """A campaign that was closed."""
    with campaign.app.app_context():
        close(db.session)
    return campaign


def hand_in(campaign) -> None:
    with campaign.app.app_context():
        deliver(db.session, DAY)


@pytest.mark.parametrize("headers", [None, WANTS_JSON])
def test_a_closed_petition_takes_no_signature(closed, ada, headers):
    answer = ada.posts(**({"headers": headers} if headers else {}))
    assert (answer.status_code, "petition is closed" in answer.text) == (410, True)
    assert ada.mails() == []
    if headers:
        assert list(answer.json["errors"]) == ["form"]


def test_a_json_client_learns_that_the_petition_is_delivered(campaign, ada):
    hand_in(campaign)
    answer = ada.posts(headers=WANTS_JSON)
    assert (answer.status_code, "on 10 December 2013" in answer.json["errors"]["form"][0]) == (410, True)


def test_the_thanks_page_asks_for_nothing_after_the_delivery(campaign):
    assert "One last step" in campaign.client.get("/en/thanks").text
    hand_in(campaign)
    assert "One last step" not in campaign.client.get("/en/thanks").text


def test_a_failed_link_invites_to_sign_only_while_one_can(campaign):
    assert "Sign again" in campaign.client.get("/confirm/abc").text
    with campaign.app.app_context():
        close(db.session)
    page = campaign.client.get("/confirm/abc").text
    assert "Sign again" not in page
    assert "#sign" not in page


def test_the_page_thanks_in_place_of_the_form(campaign, ada):
    ada.confirms()
    with campaign.app.app_context():
        close(db.session)
    page = campaign.client.get("/en/").text
    assert "The petition is closed" in page
    assert re.search(r"<strong data-count>1</strong> person has signed", page)
    assert "<form" not in page
    assert "#sign" not in page


def test_an_earlier_submission_can_be_confirmed_after_closing(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        close(db.session)
    receipt = campaign.client.post(ada.link()).headers["Location"]
    assert campaign.count() == 1
    assert "your signature is part of it" in campaign.client.get(receipt).text


def test_nothing_can_be_confirmed_after_the_delivery(campaign, ada):
    ada.signs()
    link = ada.link()
    hand_in(campaign)
    answer = campaign.client.post(link, follow_redirects=True)
    assert "Sorry, it’s too late" in answer.text
    assert "10 December 2013" in answer.text
    assert campaign.count() == 0
    assert (
        "Your signature has been withdrawn"
        in campaign.client.post(link.replace("confirm", "receipt") + "/withdraw").text
    )


def test_a_receipt_shows_the_day_of_the_delivery(campaign, ada):
    with time_machine.travel(datetime(2013, 12, 9, 12, tzinfo=UTC)):
        receipt = ada.confirms()
    hand_in(campaign)
    page = campaign.client.get(receipt).text
    assert "delivered to the International Olympic Committee on 10 December 2013, with your signature" in page
    assert "Withdraw my signature" in page
    assert "December 2013" in campaign.client.get("/en/").text


def test_a_receipt_of_a_later_signature_does_not_claim_its_delivery(campaign, ada):
    receipt = ada.confirms()
    hand_in(campaign)
    page = campaign.client.get(receipt).text
    assert "Delivered to the International Olympic Committee on 10 December 2013." in page
    assert "with your signature" not in page


def test_errors_in_a_form_do_not_matter_after_closing(closed, ada):
    assert ada.posts(headers=WANTS_JSON, email="no address").status_code == 410
    assert "Before you sign" not in closed.client.get("/en/").text


def test_a_withdrawn_signature_is_not_invited_again_once_it_is_closed(campaign, ada):
    receipt = ada.confirms()
    with campaign.app.app_context():
        close(db.session)
    assert "You may sign again" not in campaign.client.post(f"{receipt}/withdraw").text


def test_a_mail_that_leaves_after_that_says_so(campaign, ada):
    ada.signs()
    hand_in(campaign)
    [mail] = ada.mails()
    assert mail["Subject"] == "Sorry, it’s too late"
    assert "delivered on 10 December 2013" in " ".join(mail.get_body(("plain",)).get_content().split())


@pytest.mark.settings(reminder_hours=1)
def test_nobody_is_reminded_after_the_delivery(campaign, ada):
    ada.signs()
    campaign.send_mail()
    hand_in(campaign)
    with time_machine.travel(utcnow() + timedelta(hours=2), tick=False):
        assert [mail["Subject"] for mail in ada.mails()] == ["Please confirm your email address"]


def test_the_count_reports_the_status_of_the_petition(campaign):
    assert set(campaign.client.get("/count.json").json) == {"count", "goal", "as_of"}
    with campaign.app.app_context():
        close(db.session)
    assert campaign.client.get("/count.json").json["status"] == "closed"
    hand_in(campaign)
    told = campaign.client.get("/count.json").json
    assert (told["status"], told["delivered_on"]) == ("delivered", "2013-12-10")


def test_it_can_be_opened_again(closed, ada):
    with closed.app.app_context():
        reopen(db.session)
    ada.confirms()
    assert closed.count() == 1
