"""The other side of sending mail: a server that takes or refuses as told, and how to watch ours."""

import smtplib
from email import message_from_bytes, policy

from campaign.context import mail_worker
from campaign.core.database import db
from campaign.mail.queue_status import QueueStatus, queue_status
from campaign.mail.worker import MailWorker


class Mailbox:
    """An SMTP server's side of a conversation: keeps what comes, or refuses as told."""

    def __init__(self) -> None:
        self.messages: list = []
        self.refusal = ""
        self.refused = ""
        self.hangs_up = False
        self.rule = lambda step, to: None  # the reply to MAIL, RCPT or DATA of a message to `to`; none: accept
        self.asked: list = []
        self.connections = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name, session.accepted = hostname, 0
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if reply := self.rule("MAIL", session):
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        self.asked.append(address)
        if reply := self.rule("RCPT", address):
            return reply
        if self.refusal or address == self.refused:
            return self.refusal or "450 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        reply = self.rule("DATA", envelope.rcpt_tos[0])
        if reply == "reset":
            server.transport.abort()
        if reply:
            return reply
        session.accepted += 1
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.hangs_up:
            server.transport.abort()
        return "250 OK"


def worker(campaign) -> MailWorker:
    return mail_worker(campaign.app)


def waiting(campaign) -> QueueStatus:
    with campaign.app.app_context():
        return queue_status(db.session)


def refuse(_transport):
    raise smtplib.SMTPServerDisconnected("down")
