"""How long things live: links, refusals, reminders."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, func, select

from campaign.core.database import db, utcnow
from campaign.mail.queue_status import queue_status
from campaign.models import OutboxMessage, Signature, SuppressedEmail
from tests.personas import FROM_OUR_PAGE


def in_(**time: float) -> time_machine.travel:
    return time_machine.travel(utcnow() + timedelta(**time))


def stored(campaign, table) -> int:
    with campaign.app.app_context():
        return db.session.scalar(select(func.count()).select_from(table))


def test_a_link_lives_thirty_days(campaign, ada):
    ada.signs()
    link = ada.link()
    with in_(days=29, hours=23):
        assert campaign.client.post(link).status_code == 303
    assert campaign.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_expired_link_says_so_and_offers_to_sign_again(campaign, ada, method):
    ada.signs()
    link = ada.link()
    with in_(days=30, minutes=1):
        answer = getattr(campaign.client, method)(link)
    assert answer.status_code == 410
    assert "This link has expired" in answer.text
    assert 'href="/en/#sign"' in answer.text
    assert campaign.count() == 0


def test_an_expired_link_says_so_after_the_purge_too(campaign, ada):
    ada.signs()
    link = ada.link()
    with in_(days=30, minutes=1):
        campaign.command("signatures", "purge")
        assert campaign.client.get(link).status_code == 410


def test_a_link_by_which_somebody_confirmed_lives_on(campaign, ada):
    receipt = ada.confirms()
    with in_(days=400):
        assert campaign.client.get(receipt).status_code == 200


def test_signing_again_after_the_expiry_starts_anew(campaign, ada):
    ada.signs()
    first = ada.link()
    with in_(days=31):
        ada.signs()
        assert [mail["Subject"] for mail in ada.mails()] == ["Please confirm your email address"] * 2
        assert ada.link() != first
        campaign.client.post(ada.link())
    assert (stored(campaign, Signature), campaign.count()) == (1, 1)


def test_this_was_not_me_keeps_mail_away_for_thirty_days(campaign, ada):
    ada.signs()
    assert "For 30 days" in campaign.client.post(f"{ada.link()}/not-me").text
    with in_(days=29, hours=23):
        ada.signs(email="ADA@example.org")
        assert len(ada.mails()) == 1
    assert stored(campaign, Signature) == 0
    with in_(days=30, minutes=1):
        ada.signs()
        assert len(ada.mails()) == 2


def test_a_refusal_holds_no_address(campaign, ada):
    ada.signs()
    campaign.client.post(f"{ada.link()}/not-me")
    with campaign.app.app_context():
        [row] = db.session.execute(select(SuppressedEmail.email_hash, SuppressedEmail.expires_at)).all()
    assert b"ada" not in row.email_hash
    assert len(row.email_hash) == 32


def test_a_suppression_that_cannot_be_stored_is_not_promised(campaign, ada):
    ada.signs()
    link = ada.link()
    with campaign.app.app_context():
        db.session.execute(delete(Signature))
        db.session.commit()
    assert "30 days" not in campaign.client.post(f"{link}/not-me").text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/confirm/{}/not-me", "The entry has been deleted"),
        ("/receipt/{}/withdraw", "Your signature has been withdrawn"),
    ],
)
def test_deleting_twice_is_harmless(campaign, ada, path, says):
    token = ada.confirms().rpartition("/")[2]
    for _ in range(2):
        answer = campaign.client.post(path.format(token))
        assert (answer.status_code, says in answer.text) == (200, True)


def test_an_entry_too_old_to_confirm_can_still_be_refused(campaign, ada):
    ada.signs()
    with in_(days=31):
        assert campaign.client.post(f"{ada.link()}/not-me").status_code == 200
    assert stored(campaign, Signature) == 0


def test_updates_can_be_turned_off(campaign, ada):
    ada.fields["updates"] = "1"
    receipt = ada.confirms()
    assert "Stop updates" in campaign.client.get(receipt).text
    answer = campaign.client.post(f"{receipt}/updates-off", headers=FROM_OUR_PAGE, follow_redirects=True)
    assert "You don’t get updates from us" in answer.text
    with campaign.app.app_context():
        assert db.session.scalar(select(Signature.updates)) is False


def test_the_receipt_shows_the_petition_text(campaign, ada):
    assert "Principle 6" in campaign.client.get(ada.confirms()).text


@pytest.mark.settings(reminder_hours=48)
def test_a_supporter_who_has_not_confirmed_is_reminded_once(campaign, ada):
    ada.signs()
    ada.mails()
    with in_(hours=47):
        assert len(ada.mails()) == 1
    with in_(hours=49):
        assert [mail["Subject"] for mail in ada.mails()] == ["Please confirm your email address", "One last step"]
    with in_(hours=200):
        assert len(ada.mails()) == 2
    assert stored(campaign, OutboxMessage) == 0


@pytest.mark.settings(reminder_hours=48)
@pytest.mark.parametrize("press", ["", "/not-me"])
def test_a_reminder_goes_when_it_is_not_needed_any_more(campaign, ada, press):
    ada.signs()
    campaign.client.post(f"{ada.link()}{press}")
    assert stored(campaign, OutboxMessage) == 0


@pytest.mark.settings(reminder_hours=48)
def test_a_reminder_to_come_is_no_backlog(campaign, ada):
    ada.signs()
    ada.mails()
    with in_(hours=1), campaign.app.app_context():
        found = queue_status(db.session)
    assert (found.waiting, found.oldest, found.reminders) == (0, None, 1)


def test_without_the_setting_nobody_is_reminded(campaign, ada):
    ada.signs()
    ada.mails()
    assert stored(campaign, OutboxMessage) == 0
