"""The worker that empties the outbox: as a thread in the server, or as `flask mail work`."""

import smtplib
from threading import Event, Thread

import structlog
from flask import Flask

from campaign.config import Settings
from campaign.db import db, utcnow
from campaign.mail import outbox
from campaign.mail.messages import written
from campaign.mail.transports import Transport, sender, transport_for

BATCH = 10
POLL_SECONDS = 1.0
REST_SECONDS = 10.0  # after a failure that is not one message's
PERMANENT = 500  # SMTP codes from here on mean that trying again is useless

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
        """Work until `stop` is set, whatever happens meanwhile."""
        pause = 0.0
        while not stop.wait(pause):
            try:
                pause = 0.0 if self.send_batch() else POLL_SECONDS
            except Exception as error:  # noqa: BLE001 - if this thread ended, all mail would wait for ever
                log.warning("the mail worker rests", reason=type(error).__name__)
                pause = REST_SECONDS
        self._transport.close()

    def start(self) -> None:
        """Work in a thread of this process for as long as it lives."""
        Thread(target=self.run, args=(Event(),), name="mail worker", daemon=True).start()

    def drain(self) -> int:
        """Send all that is due; returns how many messages were sent or given up."""
        handled = 0
        while batch := self.send_batch():
            handled += batch
        self._transport.close()
        return handled

    def send_batch(self) -> int:
        """Send up to a batch of due messages; returns how many, and 0 when the mail server cannot be used."""
        with self._app.app_context():
            taken = outbox.take(db.session, self._key, most=BATCH)
            for number, waiting in enumerate(taken, start=1):
                if not self._send(waiting):
                    outbox.put_back(db.session, [untried.id for untried in taken[number:]])
                    return 0
        if not taken:
            self._transport.close()
        return len(taken)

    def _send(self, waiting: outbox.Waiting) -> bool:
        """Send one message; returns whether the mail server can be used for the next."""
        try:
            message = written(waiting, public_url=self._public_url, sender=self._sender)
        except Exception as error:  # noqa: BLE001 - one that cannot be written must not hold up the others
            self._give_up(waiting, error)
            return True
        try:
            self._transport.send(message)
        except OSError as error:
            return self._failed(waiting, error)
        outbox.done(db.session, waiting.id)
        return True

    def _failed(self, waiting: outbox.Waiting, error: OSError) -> bool:
        """Leave the message for its next try, unless there is none to come; returns whether others can be sent."""
        code = _refusal(error)
        if code >= PERMANENT or utcnow() - waiting.created_at > outbox.GIVE_UP:
            self._give_up(waiting, error)
        else:
            log.warning("mail not sent", reason=type(error).__name__)
        if not code:
            self._transport.close()
        return bool(code)

    def _give_up(self, waiting: outbox.Waiting, error: Exception) -> None:
        outbox.give_up(db.session, waiting.id)
        log.warning("mail given up", reason=type(error).__name__)


def _refusal(error: OSError) -> int:
    """Return the code by which the server refused this message (RFC 5321, 4.2.1); 0 if the fault is the server's."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min(code for code, _ in error.recipients.values())
    return error.smtp_code if isinstance(error, smtplib.SMTPDataError) else 0
