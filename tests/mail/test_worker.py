"""The mail worker: no message is lost, and one that fails does not block the others."""

from datetime import timedelta
from threading import Event

import pytest
import time_machine
from sqlalchemy import select

from campaign.context import context_of
from campaign.core.database import db, utcnow
from campaign.mail import outbox
from campaign.mail.queue_status import QueueStatus
from campaign.mail.transports import SmtpTransport
from campaign.mail.worker import VACUUM_SECONDS, MailWorker
from campaign.models import OutboxMessage, Signature, SuppressedEmail
from campaign.petition import signatures
from tests.conftest import campaign_on
from tests.mail.smtp_server import refuse, waiting, worker


def test_a_message_that_fails_comes_back_after_a_pause(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "451 try later"
    worker(posting).drain()
    mailbox.refusal = ""
    assert worker(posting).drain() == 0
    with time_machine.travel(utcnow() + outbox.PAUSES[0] + timedelta(seconds=1)):
        assert worker(posting).drain() == 1
    assert len(mailbox.messages) == 1


def test_a_server_that_is_down_loses_nothing(posting, mailbox, smtp, monkeypatch):
    monkeypatch.setattr(SmtpTransport, "_open", refuse)
    for number in range(3):
        posting.persona("Ada", email=f"ada{number}@example.org").signs()
    worker(posting).drain()
    monkeypatch.undo()
    with time_machine.travel(utcnow() + timedelta(hours=1)):
        worker(posting).drain()
    assert len(mailbox.messages) == 3


def test_one_that_is_deferred_does_not_hold_up_the_others(posting, mailbox):
    mailbox.refused = "greylisted@example.org"
    for name in ("greylisted", "ada", "olga"):
        posting.persona("Ada", email=f"{name}@example.org").signs()
    worker(posting).drain()
    assert {mail["To"] for mail in mailbox.messages} == {"ada@example.org", "olga@example.org"}
    assert waiting(posting).waiting == 1


def test_untried_messages_are_due_at_once_after_a_recovery(posting, mailbox, monkeypatch):
    for name in ("ada", "olga", "grace"):
        posting.persona("Ada", email=f"{name}@example.org").signs()
    monkeypatch.setattr(SmtpTransport, "_open", refuse)
    worker(posting).drain()
    monkeypatch.undo()
    assert worker(posting).drain() == 3


def test_a_message_that_cannot_be_rendered_does_not_stop_the_worker(posting, mailbox, monkeypatch):
    posting.persona("Ada", email="ada@example.org").signs()
    monkeypatch.setattr("campaign.mail.worker.render_message", _fail)
    worker(posting).drain()
    monkeypatch.undo()
    posting.persona("Olga", email="olga@example.org").signs()
    worker(posting).drain()
    assert [mail["To"] for mail in mailbox.messages] == ["olga@example.org"]
    assert (waiting(posting).waiting, waiting(posting).dead) == (1, 0)
    with time_machine.travel(utcnow() + outbox.PAUSES[0] + timedelta(seconds=1)):
        worker(posting).drain()
    assert mailbox.messages[-1]["To"] == "ada@example.org"


def test_the_worker_outlives_any_fault(posting, mailbox, monkeypatch):
    stop, faults = Event(), []

    def send_batch(_worker):
        faults.append(1)
        return _fail() if len(faults) < 3 else stop.set()

    monkeypatch.setattr("campaign.mail.worker.ERROR_PAUSE_SECONDS", 0)
    monkeypatch.setattr(MailWorker, "send_batch", send_batch)
    worker(posting).run(stop)
    assert len(faults) == 3


def test_a_refused_recipient_is_given_up_and_does_not_stop_others(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "550 no such user"
    worker(posting).drain()
    assert waiting(posting) == QueueStatus(waiting=0, oldest=None, dead=1, reminders=0, bounced=1)
    assert "dead: 1" in posting.command("mail", "status").output


def test_after_five_days_of_trying_one_that_is_put_off_among_others_is_given_up(posting, mailbox):
    posting.persona("Ada", email="put-off@example.org").signs()
    mailbox.refused, now = "put-off@example.org", utcnow()
    for attempt in range(outbox.MAX_ATTEMPTS):
        assert waiting(posting).dead == 0
        with time_machine.travel(now):
            if attempt < 3:
                posting.persona("Ada", email=f"ada{attempt}@example.org").signs()
            worker(posting).drain()
        now += outbox.PAUSES[min(attempt, len(outbox.PAUSES) - 1)] + timedelta(seconds=1)
    assert waiting(posting).dead == 1


def test_an_untried_message_keeps_its_place(posting, mailbox, monkeypatch):
    for name in ("ada", "olga", "grace"):
        posting.persona("Ada", email=f"{name}@example.org").signs()
    monkeypatch.setattr(SmtpTransport, "_open", refuse)
    worker(posting).drain()
    monkeypatch.undo()
    posting.persona("Ada", email="maria@example.org").signs()
    worker(posting).drain()
    assert [mail["To"] for mail in mailbox.messages] == [
        f"{name}@example.org" for name in ("ada", "olga", "grace", "maria")
    ]


def test_an_email_suppressed_while_signing_gets_no_message(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        hashed = db.session.scalar(select(Signature.email_hash))
        db.session.add(SuppressedEmail(email_hash=hashed, expires_at=utcnow() + timedelta(days=30)))
        db.session.commit()
    assert ada.mails() == []
    assert waiting(campaign).waiting == 0


@pytest.mark.settings(reminder_hours=48)
def test_a_mail_that_left_late_is_not_followed_by_its_reminder_at_once(campaign, ada):
    ada.signs()
    with time_machine.travel(utcnow() + timedelta(days=3)):
        assert [mail["Subject"] for mail in ada.mails()] == ["Please confirm your email address"]


def test_disabling_reminders_deletes_their_addresses(ready, backend, tmp_path):
    with campaign_on(ready, backend, tmp_path, reminder_hours=48) as campaign:
        campaign.persona("Ada", email="ada@example.org").signs()
        campaign.send_mail()
        assert waiting(campaign).reminders == 1
        off = campaign.settings.model_copy(update={"reminder_hours": 0})
        keys = context_of(campaign.app)
        MailWorker(
            campaign.app, off, letters=keys.keys.outbox, links=keys.link_key, delivered_on=lambda _: None
        ).drain()
        assert waiting(campaign).reminders == 0


def _fail(*_arguments, **_named):
    raise RuntimeError("a fault of ours")


@pytest.mark.settings(reminder_hours=48)
def test_a_message_deleted_by_its_confirmation_leaves_no_trace(campaign, ada):
    ada.signs()
    campaign.client.post(ada.link())
    resting = worker(campaign)
    resting.drain()
    ada.signs(email="olga@example.org")
    with campaign.app.app_context():
        signatures.erase(db.session, db.session.scalar(select(Signature.id).order_by(Signature.id.desc())))
    resting._tidied -= VACUUM_SECONDS
    resting.drain()
    assert sum(path.stat().st_size for path in campaign.settings.instance.glob("*-wal")) == 0


def test_an_untried_message_uses_up_no_attempt(posting, monkeypatch):
    for name in ("ada", "olga", "grace"):
        posting.persona("Ada", email=f"{name}@example.org").signs()
    monkeypatch.setattr(SmtpTransport, "_open", refuse)
    worker(posting).drain()
    with posting.app.app_context():
        assert list(db.session.scalars(select(OutboxMessage.attempts))) == [0, 0, 0]
