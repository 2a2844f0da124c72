"""How organisers and supporters are told that emails are not being sent."""

import re
from datetime import timedelta

import time_machine
from sqlalchemy import select

from campaign.core.database import db, utcnow
from campaign.mail.transports import SmtpTransport
from campaign.models import Signature
from tests.mail.smtp_server import refuse, waiting, worker


def test_mail_is_late_when_nothing_leaves_for_five_minutes(posting, monkeypatch):
    monkeypatch.setattr(SmtpTransport, "_open", refuse)
    posting.persona("Ada", email="ada@example.org").signs()
    for minutes, late in ((4, False), (6, True)):
        with time_machine.travel(utcnow() + timedelta(minutes=minutes)):
            worker(posting).drain()
            assert ("running late" in posting.client.get("/en/thanks").text) is late
            assert posting.client.get("/readyz").json["mail"]["late"] is late
            assert f"late: {'yes' if late else 'no'}" in posting.command("mail", "status").output


def test_one_that_its_own_server_puts_off_makes_nobody_elses_mail_late(posting, mailbox):
    mailbox.refused = "greylisted@example.org"
    posting.persona("Ada", email="greylisted@example.org").signs()
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert "running late" not in posting.client.get("/en/thanks").text


def test_many_put_off_at_once_are_our_own_servers_matter(posting, mailbox):
    for number in range(10):
        posting.persona("Ada", email=f"ada{number}@example.org").signs()
    mailbox.refusal = "450 sending limit"
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert "running late" in posting.client.get("/en/thanks").text


def test_a_server_that_takes_nothing_for_now_is_no_refusal(posting, mailbox):
    for name in ("ada", "olga"):
        posting.persona("Ada", email=f"{name}@example.org").signs()
    mailbox.refusal = "421 closing"
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert "running late" in posting.client.get("/en/thanks").text


def test_an_organiser_sees_dead_messages_and_can_retry_them(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "550 no such user"
    worker(posting).drain()
    with posting.app.app_context():
        signature_id = db.session.scalar(select(Signature.id))
    assert re.search(
        rf"refused with 550 \(550 no such user\), signature {signature_id}", posting.command("mail", "status").output
    )
    mailbox.refusal = ""
    assert posting.command("mail", "retry").output == "due again: 1\n"
    assert worker(posting).drain() == 1
    assert len(mailbox.messages) == 1


def test_a_message_retried_after_years_is_treated_as_new(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "550 no such user"
    worker(posting).drain()
    mailbox.refusal = "450 try later"
    with time_machine.travel(utcnow() + timedelta(days=6)):
        posting.command("mail", "retry")
        worker(posting).drain()
        assert waiting(posting).waiting == 1
