"""How a message leaves: as a file, or by SMTP and never in the open."""

import ssl
import subprocess
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller

from campaign.mail.messages import Message
from campaign.mail.queue_status import QueueStatus
from campaign.mail.refusals import DeliveryError, Fault
from campaign.mail.transports import SmtpTransport, transport_for
from tests import services
from tests.mail.smtp_server import waiting, worker


def test_a_message_file_is_private_and_the_outbox_is_empty_after(campaign, ada):
    ada.signs()
    campaign.send_mail()
    [path] = campaign.settings.mail_folder().iterdir()
    assert (path.suffix, path.stat().st_mode & 0o777) == (".eml", 0o600)
    assert waiting(campaign) == QueueStatus(waiting=0, oldest=None, dead=0, reminders=0, bounced=0)


def test_emails_are_sent_by_smtp(posting, mailbox):
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
    monkeypatch.setattr("campaign.mail.transports.is_loopback", lambda host: False)
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
    with pytest.raises(DeliveryError) as raised:
        transport.send(_message())
    assert (raised.value.fault, "self-signed certificate" in raised.value.reply) == (Fault.SERVER, True)
    assert mailbox.messages == []


def test_a_server_with_a_good_certificate_gets_it_encrypted(elsewhere, mailbox, monkeypatch):
    transport, certificate = elsewhere
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    transport.send(_message())
    assert isinstance(transport._connection.sock, ssl.SSLSocket)
    assert transport.certificate_expiry() == _expiry_of(certificate)
    transport.close()
    assert transport.certificate_expiry() is None
    assert len(mailbox.messages) == 1


def test_a_server_elsewhere_must_offer_encryption(posting, mailbox, smtp, monkeypatch):
    monkeypatch.setattr("campaign.mail.transports.is_loopback", lambda host: False)
    posting.persona("Ada", email="ada@example.org").signs()
    worker(posting).drain()
    assert mailbox.messages == []
    assert waiting(posting).waiting == 1


def test_a_server_that_hangs_up_after_taking_it_gets_it_no_second_time_at_once(posting, mailbox):
    posting.persona("Ada", email="ada@example.org").signs()
    mailbox.hangs_up = True
    worker(posting).drain()
    assert len(mailbox.messages) == 1
    assert waiting(posting).waiting == 1


def _message() -> Message:
    return Message("1", "hello@example.org", "ada@example.org", b"Subject: hello\r\n\r\nhello\r\n")


def _expiry_of(certificate: str) -> datetime:
    command = ["openssl", "x509", "-in", certificate, "-noout", "-enddate", "-dateopt", "iso_8601"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return datetime.fromisoformat(printed.strip().removeprefix("notAfter="))  # 2013-11-22 18:30:00Z


def _own_certificate(folder: Path) -> tuple[str, str]:
    """A certificate that nobody vouches for."""
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths
