"""Mail: what a message is like, and that none is lost or sent in the open."""

import re
import smtplib
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest
import time_machine
from aiosmtpd.controller import Controller
from sqlalchemy import insert, select

from campaign.db import db, new_id, utcnow
from campaign.mail import outbox
from campaign.mail.backlog import Backlog, backlog
from campaign.mail.messages import Message, written
from campaign.mail.transports import SmtpTransport, sender, transport_for
from campaign.mail.worker import MailWorker
from campaign.models import OutboxMessage, RefusedAddress, Signature
from campaign.state import mail_worker, state_of
from tests import services
from tests.conftest import campaign_on
from tests.people import path_in


class Mailbox:
    """An SMTP server's side of a conversation: keeps what comes, or refuses as told."""

    def __init__(self) -> None:
        self.messages: list = []
        self.refusal = ""
        self.refused = ""
        self.hangs_up = False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.refusal or address == self.refused:
            return self.refusal or "450 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.hangs_up:
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def smtp(mailbox):
    controller = Controller(mailbox, hostname="127.0.0.1", port=services.free_port())
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def posting(backend, ready, tmp_path, smtp):
    """A campaign that sends over SMTP."""
    yield from campaign_on(ready, backend, tmp_path, mail_url=f"smtp://127.0.0.1:{smtp}?from=hello@example.org")


def worker(campaign) -> MailWorker:
    return mail_worker(campaign.app)


def waiting(campaign) -> Backlog:
    with campaign.app.app_context():
        return backlog(db.session)


def test_a_message_is_discreet_outside_and_clear_inside(campaign, ada):
    ada.signs()
    [mail] = ada.mails()
    outside = f"{mail['Subject']} {mail['From']}".lower()
    assert not [word for word in ("love", "lgbt", "gay", "petition", "olympic", "campaign", "sign") if word in outside]
    assert "Olympic Committee" in mail.get_body(("plain",)).get_content()
    assert path_in(mail) in mail.get_body(("html",)).get_content()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"]
    assert mail["Date"]


def test_a_message_file_is_private_and_the_outbox_is_empty_after(campaign, ada):
    ada.signs()
    campaign.send_mail()
    [path] = campaign.settings.mail_folder().iterdir()
    assert (path.suffix, path.stat().st_mode & 0o777) == (".eml", 0o600)
    assert waiting(campaign) == Backlog(waiting=0, oldest=None, dead=0, reminders=0)


def test_nobody_can_have_their_own_words_sent(campaign, mallory):
    typed = dict.fromkeys(("given_name", "family_name", "message"), "Buy-my-pills http://pills.example")
    for _ in range(2):
        mallory.signs(**typed)
    assert len(mallory.mails()) == 2
    assert not [mail for mail in mallory.mails() if "pills" in mail.as_string()]


def test_it_goes_by_smtp(posting, mailbox):
    posting.persona("Ada", email="ada@bücher.example").signs()
    assert worker(posting).drain() == 1
    [mail] = mailbox.messages
    assert (mail["To"], mail["From"]) == ("ada@xn--bcher-kva.example", "hello@example.org")


def test_many_go_over_one_connection(posting, mailbox, monkeypatch):
    opened = []
    monkeypatch.setattr(SmtpTransport, "_open", lambda self, real=SmtpTransport._open: opened.append(1) or real(self))
    for number in range(45):
        posting.persona("Ada", email=f"ada{number}@example.org").signs()
    worker(posting).drain()
    assert (len(mailbox.messages), len(opened)) == (45, 1)


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
    monkeypatch.setattr(SmtpTransport, "_open", _refuse)
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


def test_letters_that_were_not_tried_are_due_at_once_when_the_server_is_back(posting, mailbox, monkeypatch):
    for name in ("ada", "olga", "grace"):
        posting.persona("Ada", email=f"{name}@example.org").signs()
    monkeypatch.setattr(SmtpTransport, "_open", _refuse)
    worker(posting).drain()
    monkeypatch.undo()
    assert worker(posting).drain() == 2


def test_a_letter_that_cannot_be_written_does_not_stop_the_worker(posting, mailbox, monkeypatch):
    posting.persona("Ada", email="ada@example.org").signs()
    monkeypatch.setattr("campaign.mail.worker.written", _fail)
    worker(posting).drain()
    monkeypatch.undo()
    posting.persona("Olga", email="olga@example.org").signs()
    worker(posting).drain()
    assert [mail["To"] for mail in mailbox.messages] == ["olga@example.org"]
    assert waiting(posting).dead == 1


def test_the_worker_outlives_any_fault(posting, mailbox, monkeypatch):
    stop, faults = Event(), []

    def send_batch(_worker):
        faults.append(1)
        return _fail() if len(faults) < 3 else stop.set()

    monkeypatch.setattr("campaign.mail.worker.REST_SECONDS", 0)
    monkeypatch.setattr(MailWorker, "send_batch", send_batch)
    worker(posting).run(stop)
    assert len(faults) == 3


def test_a_connection_that_the_server_closed_is_opened_anew(posting, mailbox):
    transport = transport_for(posting.settings)
    for _ in range(2):
        transport.send(_message())
        transport._connection.close()
    transport.close()
    assert len(mailbox.messages) == 2


@pytest.fixture(params=["smtps", "smtp"])
def elsewhere(request, mailbox, tmp_path, monkeypatch):
    """A mail server that is not on this machine, by TLS or STARTTLS; yields how to reach it, and its certificate."""
    monkeypatch.setattr("campaign.mail.transports._is_loopback", lambda host: False)
    certificate, key = _own_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    secure = (
        {"ssl_context": context} if request.param == "smtps" else {"tls_context": context, "require_starttls": True}
    )
    controller = Controller(mailbox, hostname="127.0.0.1", port=services.free_port(), **secure)
    controller.start()
    yield SmtpTransport(urlsplit(f"{request.param}://127.0.0.1:{controller.port}")), certificate
    controller.stop()


def test_a_server_with_a_wrong_certificate_gets_nothing(elsewhere, mailbox):
    transport, _ = elsewhere
    with pytest.raises(ssl.SSLCertVerificationError):
        transport.send(_message())
    assert mailbox.messages == []


def test_a_server_with_a_good_certificate_gets_it_encrypted(elsewhere, mailbox, monkeypatch):
    transport, certificate = elsewhere
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    transport.send(_message())
    assert isinstance(transport._connection.sock, ssl.SSLSocket)
    transport.close()
    assert len(mailbox.messages) == 1


def test_a_refused_recipient_is_given_up_and_does_not_stop_others(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "550 no such user"
    worker(posting).drain()
    assert waiting(posting) == Backlog(waiting=0, oldest=None, dead=1, reminders=0)
    assert "given up: 1" in posting.command("mail", "status").output


def test_after_five_days_of_trying_it_is_given_up(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "451 try later"
    with time_machine.travel(utcnow() + outbox.GIVE_UP + timedelta(minutes=1)):
        worker(posting).drain()
    assert waiting(posting).dead == 1


def test_two_workers_never_take_the_same_message(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        key = state_of(campaign.app).keys.outbox
        assert len(outbox.take(db.session, key, most=5)) == 1
        assert outbox.take(db.session, key, most=5) == []


def test_workers_at_the_same_moment_share_the_letters(campaign):
    for number in range(30):
        campaign.persona("Ada", email=f"ada{number}@example.org").signs()
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: _take(campaign, most=10), range(4)))
    taken = [letter for batch in [*batches, _take(campaign, most=30)] for letter in batch]
    assert sorted(taken) == sorted(f"ada{number}@example.org" for number in range(30))


def test_what_is_due_first_leaves_first(campaign):
    for name in ("ada", "olga", "grace"):
        campaign.persona("Ada", email=f"{name}@example.org").signs()
    with campaign.app.app_context():
        newest = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first()
        newest.due_at -= timedelta(hours=1)
        db.session.commit()
    assert _take(campaign, most=1) == ["grace@example.org"]
    assert _take(campaign, most=1) == ["ada@example.org"]


def _take(campaign, *, most: int) -> list[str]:
    with campaign.app.app_context():
        taken = outbox.take(db.session, state_of(campaign.app).keys.outbox, most=most)
        return [waiting.letter.to for waiting in taken]


def test_a_letter_sealed_with_another_secret_waits_and_does_not_stop_the_rest(campaign, ada):
    campaign.persona("Olga", email="olga@example.org").signs()
    with campaign.app.app_context():
        letter = db.session.scalars(select(OutboxMessage)).one()
        kept, letter.sealed = letter.sealed, bytes(100)
        db.session.commit()
    ada.signs()
    assert len(ada.mails()) == 1
    with campaign.app.app_context():
        db.session.scalars(select(OutboxMessage)).one().sealed = kept
        db.session.commit()
    with time_machine.travel(utcnow() + outbox.PAUSES[0] + timedelta(seconds=1)):
        assert worker(campaign).drain() == 1


def test_what_waits_is_not_readable_in_the_database(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        sealed = db.session.scalar(select(OutboxMessage.sealed))
    assert b"ada@example.org" not in sealed


def test_a_server_elsewhere_must_offer_encryption(posting, mailbox, smtp, monkeypatch):
    monkeypatch.setattr("campaign.mail.transports._is_loopback", lambda host: False)
    posting.persona("Ada", email="ada@example.org").signs()
    worker(posting).drain()
    assert mailbox.messages == []
    assert waiting(posting).waiting == 1


def test_mail_is_late_when_nothing_leaves_for_five_minutes(posting, monkeypatch):
    monkeypatch.setattr(SmtpTransport, "_open", _refuse)
    posting.persona("Ada", email="ada@example.org").signs()
    for minutes, late in ((4, False), (6, True)):
        with time_machine.travel(utcnow() + timedelta(minutes=minutes)):
            worker(posting).drain()
            assert ("late at the moment" in posting.client.get("/en/thanks").text) is late
            assert posting.client.get("/readyz").json["mail"]["late"] is late
            assert f"late: {'yes' if late else 'no'}" in posting.command("mail", "status").output


def test_one_that_its_own_server_puts_off_makes_nobody_elses_mail_late(posting, mailbox):
    mailbox.refused = "greylisted@example.org"
    posting.persona("Ada", email="greylisted@example.org").signs()
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert "late at the moment" not in posting.client.get("/en/thanks").text


def test_an_organiser_sees_dead_letters_and_can_have_them_tried_again(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "550 no such user"
    worker(posting).drain()
    with posting.app.app_context():
        signature_id = db.session.scalar(select(Signature.id))
    assert re.search(rf"refused with 550, signature {signature_id}", posting.command("mail", "status").output)
    mailbox.refusal = ""
    assert posting.command("mail", "retry").output == "due once more: 1\n"
    assert worker(posting).drain() == 1
    assert len(mailbox.messages) == 1


def test_what_was_not_tried_keeps_its_place(posting, mailbox, monkeypatch):
    for name in ("ada", "olga", "grace"):
        posting.persona("Ada", email=f"{name}@example.org").signs()
    monkeypatch.setattr(SmtpTransport, "_open", _refuse)
    worker(posting).drain()
    monkeypatch.undo()
    posting.persona("Ada", email="maria@example.org").signs()
    worker(posting).drain()
    assert [mail["To"] for mail in mailbox.messages] == [f"{name}@example.org" for name in ("olga", "grace", "maria")]


def test_many_letters_of_another_secret_do_not_stop_the_rest(posting, mailbox, monkeypatch):
    with posting.app.app_context():
        strange = [outbox.new_row(bytes(32), outbox.Letter("x@example.org", "en")) for _ in range(25)]
        db.session.execute(insert(OutboxMessage), [row | {"kind": "blank"} for row in strange])
        db.session.commit()
    posting.persona("Ada", email="ada@example.org").signs()
    worker(posting).drain()
    assert len(mailbox.messages) == 1


def test_a_sealed_letter_is_as_long_for_a_short_address_as_for_a_longer_one():
    rows = [outbox.new_row(bytes(32), outbox.Letter(to, "en")) for to in ("a@b.example", "alexandra@example.org")]
    assert len({len(row["sealed"]) for row in rows}) == 1


def test_many_put_off_at_once_are_our_own_servers_matter(posting, mailbox):
    for number in range(10):
        posting.persona("Ada", email=f"ada{number}@example.org").signs()
    mailbox.refusal = "450 sending limit"
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert "late at the moment" in posting.client.get("/en/thanks").text


def test_a_server_that_takes_nothing_for_now_is_no_refusal(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "421 closing"
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert "late at the moment" in posting.client.get("/en/thanks").text


def test_what_is_tried_again_after_years_is_tried_like_a_new_one(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.refusal = "550 relaying denied"
    worker(posting).drain()
    mailbox.refusal = "450 try later"
    with time_machine.travel(utcnow() + timedelta(days=6)):
        posting.command("mail", "retry")
        worker(posting).drain()
        assert waiting(posting).waiting == 1


def test_a_server_that_hangs_up_after_taking_it_gets_it_no_second_time_at_once(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.hangs_up = True
    worker(posting).drain()
    assert len(mailbox.messages) == 1
    assert waiting(posting).waiting == 1


def test_a_letter_sealed_with_a_secret_that_never_came_back_is_given_up(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        db.session.scalars(select(OutboxMessage)).one().sealed = bytes(100)
        db.session.commit()
    with time_machine.travel(utcnow() + outbox.GIVE_UP + timedelta(minutes=1)):
        worker(campaign).drain()
    assert waiting(campaign).dead == 1


def test_who_refused_mail_at_the_moment_of_signing_gets_none(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        hashed = db.session.scalar(select(Signature.address_hash))
        db.session.add(RefusedAddress(address_hash=hashed, until=utcnow() + timedelta(days=30)))
        db.session.commit()
    assert ada.mails() == []
    assert waiting(campaign).waiting == 0


@pytest.mark.settings(reminder_hours=48)
def test_a_mail_that_left_late_is_not_followed_by_its_reminder_at_once(campaign, ada):
    ada.signs()
    with time_machine.travel(utcnow() + timedelta(days=3)):
        assert [mail["Subject"] for mail in ada.mails()] == ["Please confirm"]


def test_reminders_that_are_switched_off_let_go_of_addresses(ready, backend, tmp_path):
    for campaign in campaign_on(ready, backend, tmp_path, reminder_hours=48):
        campaign.persona("Ada", email="ada@example.org").signs()
        campaign.send_mail()
        assert waiting(campaign).reminders == 1
        off = campaign.settings.model_copy(update={"reminder_hours": 0})
        keys = state_of(campaign.app)
        MailWorker(campaign.app, off, letters=keys.keys.outbox, links=keys.link_key).drain()
        assert waiting(campaign).reminders == 0


@pytest.mark.parametrize("kind", ["confirmation", "already_signed", "reminder"])
def test_the_link_is_where_it_belongs_and_nowhere_else(campaign, kind):
    waits = outbox.Waiting(new_id(), kind, None, outbox.Letter("ada@example.org", "en"), utcnow(), utcnow())
    link = f"https://{'long.' * 40}example.org/confirm/{'x' * 43}"
    with campaign.app.app_context():
        message = written(waits, waits.letter, link=link, sender="info@example.org")
    parsed = message_from_bytes(message.content, policy=policy.default)
    text, html = (parsed.get_body((part,)).get_content() for part in ("plain", "html"))
    assert (text.count(link), html.count(link), parsed.defects) == (1, 2, [])
    assert parsed.get_boundary() == "=_letter"
    assert max(map(len, message.content.split(b"\r\n"))) <= 78


def test_a_sender_at_an_international_domain_is_written_in_ascii(campaign):
    chosen = campaign.settings.model_copy(update={"mail_url": "smtp://127.0.0.1?from=info@bücher.example"})
    assert sender(chosen) == "info@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [("http://127.0.0.1:8000", "no-reply@localhost"), ("https://example.org", "no-reply@example.org")],
)
def test_the_sender_is_at_the_pages_own_host(campaign, public_url, expected):
    assert sender(campaign.settings.model_copy(update={"public_url": public_url})) == expected


def _refuse(_transport):
    raise smtplib.SMTPServerDisconnected("down")


def _fail(*_arguments, **_named):
    raise RuntimeError("a fault of ours")


def _message() -> Message:
    return Message("1", "hello@example.org", "ada@example.org", b"Subject: hello\r\n\r\nhello\r\n")


def _own_certificate(folder: Path) -> tuple[str, str]:
    """A certificate that nobody vouches for."""
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths
