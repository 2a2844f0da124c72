"""The worker that empties the outbox: as a thread in the server, or as `flask mail work`."""

import smtplib
from threading import Event, Thread

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from campaign.config import Settings
from campaign.db import db, utcnow
from campaign.errors import CampaignError
from campaign.mail import outbox
from campaign.mail.messages import written
from campaign.mail.transports import Transport, sender, transport_for

BATCH = 20
POLL_SECONDS = 1.0
REST_SECONDS = 10.0  # after a failure that is not one message's

log = structlog.get_logger(__name__)


class MailWorker:
    """Sends what is due in the outbox, one batch after the other, over a connection that it keeps open."""

    def __init__(self, app: Flask, settings: Settings, key: bytes) -> None:
        """Work for `app`; `key` opens the letters."""
        self._app = app
        self._key = key
        self._public_url, self._sender = settings.public_url, sender(settings)
        self._transport: Transport = transport_for(settings)

    def run(self, stop: Event) -> None:
        """Work until `stop` is set."""
        pause = 0.0
        while not stop.wait(pause):
            try:
                pause = 0.0 if self.send_batch() else POLL_SECONDS
            except (SQLAlchemyError, CampaignError) as error:
                log.warning("the mail worker rests", reason=type(error).__name__)
                pause = REST_SECONDS
        self._transport.close()

    def start(self) -> None:
        """Work in a thread of this process for as long as it lives."""
        Thread(target=self.run, args=(Event(),), name="mail worker", daemon=True).start()

    def drain(self) -> int:
        """Send all that is due; returns how many messages were tried."""
        tried = 0
        while batch := self.send_batch():
            tried += batch
        self._transport.close()
        return tried

    def send_batch(self) -> int:
        """Send up to a batch of due messages; returns how many were tried."""
        with self._app.app_context():
            taken = outbox.take(db.session, self._key, most=BATCH)
            for waiting in taken:
                if not self._send(waiting):
                    break  # the rest of the batch comes back by itself
        if not taken:
            self._transport.close()
        return len(taken)

    def _send(self, waiting: outbox.Waiting) -> bool:
        """Send one message; returns whether to go on with the next."""
        try:
            self._transport.send(written(waiting, public_url=self._public_url, sender=self._sender))
        except (OSError, UnicodeError) as error:
            return self._failed(waiting, error)
        outbox.done(db.session, waiting.id)
        return True

    def _failed(self, waiting: outbox.Waiting, error: Exception) -> bool:
        """Leave the message for its next try, unless there is none to come. Nothing of it goes to the log."""
        self._transport.close()
        refused = _is_refused(error)
        given_up = refused or utcnow() - waiting.created_at > outbox.GIVE_UP
        if given_up:
            outbox.give_up(db.session, waiting.id)
        log.warning("mail not sent", reason=type(error).__name__, given_up=given_up)
        return refused


def _is_refused(error: Exception) -> bool:
    """Whether the fault lies with this recipient, for good (RFC 5321, 4.2.1: a 5xx reply), and not with the server."""
    if isinstance(error, UnicodeError | smtplib.SMTPNotSupportedError):
        return True
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code >= 500 for code, _ in error.recipients.values()
    )
