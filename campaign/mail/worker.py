"""The worker that empties the outbox: as a thread in the server, or as `flask mail work`."""

import smtplib
import time
from datetime import timedelta
from threading import Event, Thread
from uuid import UUID

import structlog
from flask import Flask

from campaign.config import Settings
from campaign.db import db, forget_deleted, utcnow
from campaign.mail import outbox
from campaign.mail.links import link_for
from campaign.mail.messages import written
from campaign.mail.transports import Transport, sender, transport_for
from campaign.models import OutboxMessage
from campaign.stages import Stage, stage

BATCH = 10
POLL_SECONDS = 1.0
TIDY_SECONDS = 60.0  # letters go by other ways as well: who confirms or withdraws takes theirs along
REST_SECONDS = 10.0  # after a failure that is not one message's
CLOSING = 421  # the server takes nothing at all for now (RFC 5321, 3.8)
PERMANENT = 500  # SMTP codes from here on mean that trying again is useless

log = structlog.get_logger(__name__)


class MailWorker:
    """Sends what is due in the outbox, one batch after the other, over a connection that it keeps open."""

    def __init__(self, app: Flask, settings: Settings, *, letters: bytes, links: bytes) -> None:
        """Work for `app`; the keys open the letters and make the links in them."""
        self._app = app
        self._letters, self._links = letters, links
        self._public_url, self._sender = settings.public_url, sender(settings)
        self._reminder = timedelta(hours=settings.reminder_hours)
        self._transport: Transport = transport_for(settings)
        self._refused: set[UUID] = set()  # of the batch at hand
        self._stage = Stage()  # when it was taken
        self._leaves_traces, self._tidied = True, 0.0  # of a worker before us

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
        """Send all that is due; returns how many messages were seen to."""
        handled = 0
        while batch := self.send_batch():
            handled += batch
        self._transport.close()
        return handled

    def send_batch(self) -> int:
        """See to a batch of due messages; returns how many, and 0 when the mail server cannot be used."""
        with self._app.app_context():
            taken = outbox.take(db.session, self._letters, most=BATCH)
            self._refused = outbox.refused_among(db.session, taken)
            self._stage = stage(db.session)
            for number, waiting in enumerate(taken, start=1):
                if not self._send(waiting):
                    outbox.put_back(db.session, taken[number:])
                    return 0
            if not taken:
                self._rest()
        return len(taken)

    def _rest(self) -> None:
        """Keep nothing open, and see to it that no letter that was sent lives on in the database's files."""
        self._transport.close()
        if self._leaves_traces or time.monotonic() > self._tidied + TIDY_SECONDS:
            if not self._reminder:
                outbox.drop_reminders(db.session)
            db.session.close()  # who still reads keeps old rows alive
            self._leaves_traces = not forget_deleted(db.engine, OutboxMessage)
            self._tidied = time.monotonic()

    def _send(self, waiting: outbox.Waiting) -> bool:
        """Send one message if that is needed; returns whether the mail server can be used for the next."""
        if waiting.letter is None:
            return self._left(waiting)
        try:
            link = link_for(self._links, waiting.signature_id, public_url=self._public_url)
            day = self._stage.delivered_on
            message = written(waiting, waiting.letter, link=link, sender=self._sender, delivered_on=day)
        except Exception as error:  # noqa: BLE001 - one that cannot be written must not hold up the others
            self._give_up(waiting, error)
            return True
        try:
            if self._is_wanted(waiting):
                self._transport.send(message)
        except OSError as error:
            return self._failed(waiting, error)
        self._sent(waiting)
        return True

    def _left(self, waiting: outbox.Waiting) -> bool:
        """Leave a letter that another secret key sealed: that key may come back, until it is too late."""
        if utcnow() - waiting.created_at > outbox.GIVE_UP:
            outbox.give_up(db.session, waiting.id, code=None)
        return True

    def _is_wanted(self, waiting: outbox.Waiting) -> bool:
        if waiting.kind == "blank" or (waiting.kind == "reminder" and not self._reminds()):
            return False
        return waiting.signature_id not in self._refused

    def _reminds(self) -> bool:
        return bool(self._reminder) and not self._stage.delivered_on

    def _sent(self, waiting: outbox.Waiting) -> None:
        self._leaves_traces = True
        if waiting.kind == "confirmation" and self._reminds():
            outbox.keep_as_reminder(db.session, waiting.id, due=utcnow() + self._reminder)
        else:
            outbox.done(db.session, waiting.id)

    def _failed(self, waiting: outbox.Waiting, error: OSError) -> bool:
        """Leave the message for its next try, unless there is none to come; returns whether others can be sent."""
        code = _refusal(error)
        if code >= PERMANENT or utcnow() - waiting.created_at > outbox.GIVE_UP:
            self._give_up(waiting, error, code)
        else:
            log.warning("mail not sent", reason=type(error).__name__)
            if code:
                outbox.note_refusal(db.session, waiting.id, code=code)
        if not code:
            self._transport.close()
        return bool(code)

    def _give_up(self, waiting: outbox.Waiting, error: Exception, code: int = 0) -> None:
        outbox.give_up(db.session, waiting.id, code=code or None)
        log.warning("mail given up", reason=type(error).__name__)


def _refusal(error: OSError) -> int:
    """Return the code by which the server refused this message (RFC 5321, 4.2.1); 0 if the fault is the server's."""
    code = 0
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = min(code for code, _ in error.recipients.values())
    elif isinstance(error, smtplib.SMTPDataError):
        code = error.smtp_code
    return 0 if code == CLOSING else code
