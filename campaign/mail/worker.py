"""The mail worker: sends due messages from the outbox, as a thread in the server or as `flask mail work`."""

import hmac
import time
from collections.abc import Callable
from datetime import date, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal

import structlog
from flask import Flask
from sqlalchemy.orm import Session

from campaign.config.settings import Settings
from campaign.core.database import db, purge_deleted_pages, utcnow
from campaign.core.logging import error_code
from campaign.crypto.tokens import link_for
from campaign.mail import outbox, server_state
from campaign.mail.messages import render_message
from campaign.mail.refusals import DeliveryError, Fault, Step
from campaign.mail.server_state import ServerState
from campaign.mail.transports import Transport, sender, transport_for
from campaign.models import OutboxMessage

if TYPE_CHECKING:
    from uuid import UUID

BATCH = 25
ATTEMPT = 5  # messages tried at a server that has refused all before
GREYLIST_DELAY = 5  # attempts within 36 minutes, after which greylists accept
DELETE_SECONDS = 1.0  # between two deletions of sent messages at most, so that few could be sent twice
HOLD_SECONDS = 60.0  # a slow server: the rest of a batch is given back, long before `outbox.LEASE` ends
POLL_SECONDS = 1.0
GIVE_WAY_SECONDS = 0.1
VACUUM_SECONDS = 60.0  # messages leave the outbox in other ways too: confirming and withdrawing delete them
ERROR_PAUSE_SECONDS = 10.0  # after an error unrelated to email

log = structlog.get_logger(__name__)


Result = Literal["sent", "refused", "given_up", "failed"]


class MailWorker:
    """Sends due messages from the outbox in batches, over a connection that stays open."""

    def __init__(
        self,
        app: Flask,
        settings: Settings,
        *,
        letters: bytes,
        links: bytes,
        delivered_on: Callable[[Session], date | None],
        gives_way: Callable[[], bool] = lambda: False,
        on_result: Callable[[Result], object] = lambda _result: None,
    ) -> None:
        """Work for `app`; the keys `letters` and `links` decrypt messages and sign the links in them.

        `delivered_on` returns the day of the petition's delivery: no reminders are sent after it. While `gives_way`
        returns True, the worker pauses between batches: the processor is needed by people who sign. `on_result` is
        called for each attempt to send an email.
        """
        self._app, self._delivered_on, self._gives_way = app, delivered_on, gives_way
        self._on_result = on_result
        self._letters, self._links = letters, links
        self._public_url, self._sender = settings.public_url, sender(settings)
        self._reminder, self._domain_limit = timedelta(hours=settings.reminder_hours), settings.domain_limit
        self._transport: Transport = transport_for(settings)
        self._opted_out: set[UUID] = set()  # of the batch at hand
        self._delivery_day: date | None = None  # as of the batch
        self._sent: list[outbox.ClaimedMessage] = []  # and not yet deleted from the outbox
        self._state_before = self._server = ServerState()  # the state before the batch, and the one now
        self._leaves_traces, self._tidied = True, 0.0  # of a worker before us

    def run(self, stop: Event) -> None:
        """Send messages until `stop` is set, and survive any error."""
        pause = 0.0
        while not stop.wait(pause):
            try:
                handled = self.send_batch()
                pause = POLL_SECONDS if not handled else GIVE_WAY_SECONDS if self._gives_way() else 0.0
            except Exception as error:  # noqa: BLE001 - if this thread ended, no email would ever be sent
                log.warning("mail worker paused after an error", reason=error_code(error))
                pause = ERROR_PAUSE_SECONDS
        self._transport.close()

    def start(self) -> None:
        """Work in a thread of this process for as long as it lives."""
        Thread(target=self.run, args=(Event(),), name="mail worker", daemon=True).start()

    def drain(self) -> int:
        """Send all due messages, without waiting for a failing server's next attempt. Returns how many were handled."""
        handled = batch = self.send_batch(at_once=True)
        while batch:
            handled += (batch := self.send_batch())
        self._transport.close()
        return handled

    def send_batch(self, *, at_once: bool = False) -> int:
        """Handle a batch of due messages. Returns their number, or 0 while the mail server fails.

        `at_once` skips the waiting time before the next attempt at a failing server.
        """
        with self._app.app_context():
            self._delete_sent()  # those that could not be deleted while the database was away
            self._state_before = self._server = server_state.load(db.session)
            if not self._state_before.is_failing:
                messages = outbox.claim(db.session, self._letters, most=BATCH, domain_limit=self._domain_limit)
            elif server_state.claim_attempt(db.session, at_once=at_once):
                messages = outbox.claim(
                    db.session, self._letters, most=ATTEMPT, untried_first=True, domain_limit=self._domain_limit
                )
            else:
                self._go_idle()
                return 0
            self._opted_out = outbox.opted_out_among(db.session, messages)
            self._delivery_day = self._delivered_on(db.session)
            handled = self._send_all(messages)
            if not self._server.is_failing:
                if not messages:
                    self._go_idle()
                return handled
            if self._server.failures == self._state_before.failures:
                self._decide_without_email(is_idle=not messages)
            return 0

    def _send_all(self, messages: list[outbox.ClaimedMessage]) -> int:
        """Send messages until the server fails; returns how many were handled."""
        began = deleted = time.monotonic()
        for number, message in enumerate(messages, start=1):
            if not self._send(message) or time.monotonic() > began + HOLD_SECONDS:
                outbox.release(db.session, messages[number:])
                break
            if time.monotonic() > deleted + DELETE_SECONDS:
                self._delete_sent()
                deleted = time.monotonic()
        else:
            number = len(messages)
        self._delete_sent()
        return number

    def _decide_without_email(self, *, is_idle: bool) -> None:
        """Schedule the next attempt at a failing server, after one in which no real email was refused."""
        if not is_idle:
            server_state.try_now(db.session)
            return
        try:
            self._transport.check(self._sender)
        except DeliveryError as error:
            self._note_failure(error, suspect=None)
            return
        self._set_server(server_state.note_nothing_waiting(db.session))

    def _go_idle(self) -> None:
        """Close the connection, and remove sent messages from the database's files."""
        self._transport.close()
        if self._leaves_traces or time.monotonic() > self._tidied + VACUUM_SECONDS:
            if not self._reminder:
                outbox.drop_reminders(db.session)
            db.session.close()  # open readers keep deleted rows in the files
            self._leaves_traces = not purge_deleted_pages(db.engine, OutboxMessage)
            self._tidied = time.monotonic()

    def _send(self, waiting: outbox.ClaimedMessage) -> bool:
        """Send one message if it is still needed. Returns whether the mail server can accept the next."""
        if waiting.letter is None:
            return self._defer_undecryptable(waiting)
        try:
            link = link_for(self._links, waiting.signature_id, public_url=self._public_url)
            message = render_message(
                waiting, waiting.letter, link=link, sender=self._sender, delivered_on=self._delivery_day
            )
            if is_wanted := self._is_wanted(waiting):
                self._transport.send(message)
            else:  # a decoy takes the same connection, so that both are late or on time alike
                self._transport.check(self._sender)
        except DeliveryError as error:
            return self._handle_failure(waiting, waiting.letter, error)
        except Exception as error:  # noqa: BLE001 - our own error must not stop the others
            log.warning("message not sent", reason=error_code(error))
            reply = f"could not be rendered ({type(error).__name__})"
            self._on_result("failed")
            self._defer(waiting.with_own_failure(), code=None, reply=reply)
            return True
        self._sent.append(waiting)
        if is_wanted:
            self._on_result("sent")
        if is_wanted and not self._server.is_clean:
            self._set_server(server_state.note_acceptance(db.session))
        elif self._server.is_failing and self._server.unreachable:
            self._set_server(server_state.note_connection(db.session))
        return True

    def _defer_undecryptable(self, message: outbox.ClaimedMessage) -> bool:
        """Retain a message that was encrypted with another secret key, which may return, until it is too late."""
        reply = "encrypted with another secret key"
        if utcnow() - message.created_at > outbox.RETRY_PERIOD:
            outbox.give_up(db.session, message.id, code=None, reply=reply)
        else:
            outbox.defer(db.session, message.with_own_failure(), code=None, reply=reply)
        return True

    def _is_wanted(self, message: outbox.ClaimedMessage) -> bool:
        if message.kind == "blank" or (message.kind == "reminder" and not self._sends_reminders()):
            return False
        return message.signature_id not in self._opted_out

    def _sends_reminders(self) -> bool:
        return bool(self._reminder) and not self._delivery_day

    def _delete_sent(self) -> None:
        """Delete the messages sent since the last call, together, since a commit for each takes longer than sending it.

        A worker that is killed between the two leaves up to `BATCH` messages that are sent again.
        """
        if self._sent:
            due = utcnow() + self._reminder if self._sends_reminders() else None
            outbox.delete_sent(db.session, self._sent, reminder_due=due)
            self._leaves_traces, self._sent = True, []

    def _handle_failure(self, message: outbox.ClaimedMessage, letter: outbox.Recipient, error: DeliveryError) -> bool:
        """Judge whose fault it is, and act on it; returns whether others can be sent."""
        self._delete_sent()
        self._on_result("refused")
        if not error.is_about_one_message:
            outbox.release(db.session, [message])
            self._note_failure(error, suspect=None)
            return False
        if is_own := self._server.has_accepted_since(message.refused_at):
            message = message.with_own_failure()
        suspect = hmac.digest(self._links, b"refused " + letter.to.lower().encode(), "sha256")[:8].hex()
        if error.fault is Fault.SERVER and not is_own:
            self._note_failure(error, suspect=suspect)
            self._keep(message, error)  # after it, so that a recovery finds the later failures
            return False
        is_permanent = error.fault is Fault.RECIPIENT
        is_final = is_permanent and message.recipient_failures >= server_state.FINAL_FAILURES
        is_new = message.attempts <= GREYLIST_DELAY
        is_normal = error.fault is Fault.GREYLISTED and is_new and not self._server.is_failing
        if not is_final and not is_normal:
            is_clear = (
                error.fault in (Fault.RECIPIENT, Fault.SERVER)
                and message.recipient_failures < server_state.FINAL_FAILURES
            )
            state = server_state.note_refusal(
                db.session, self._state_before, reply=error.reply, suspect=suspect, is_clear=is_clear
            )
            self._set_server(state, error)
            if state.is_failing:
                self._keep(message, error)
                return self._state_before.is_failing  # the attempt continues: another message may be accepted
        if is_permanent:
            self._give_up(message, code=error.code, reply=error.reply)
        else:
            self._defer(message, code=error.code, reply=error.reply)
        return True

    def _keep(self, message: outbox.ClaimedMessage, error: DeliveryError) -> None:
        """Hold a message until the server works, or for a pause if it may have been accepted without a reply."""
        may_be_accepted = error.step is Step.CONTENT and error.code is None
        outbox.defer(db.session, message, code=error.code, reply=error.reply, at_once=not may_be_accepted)

    def _defer(self, message: outbox.ClaimedMessage, *, code: int | None, reply: str) -> None:
        """Schedule the next attempt of a message, unless its own faults have used up all attempts."""
        if message.recipient_failures and message.attempts >= outbox.MAX_ATTEMPTS:
            self._give_up(message, code=code, reply=reply)
        else:
            outbox.defer(db.session, message, code=code, reply=reply)

    def _give_up(self, message: outbox.ClaimedMessage, *, code: int | None, reply: str) -> None:
        failures = message.recipient_failures
        outbox.give_up(db.session, message.id, code=code, reply=reply, recipient_failures=failures)
        self._on_result("given_up")
        log.warning("message given up", code=code)

    def _note_failure(self, error: DeliveryError, *, suspect: str | None) -> None:
        state = server_state.note_failure(db.session, self._state_before, reply=error.reply, suspect=suspect)
        self._set_server(state, error)
        self._transport.close()

    def _set_server(self, state: ServerState, error: DeliveryError | None = None) -> None:
        """Store the new state of the server, and log changes for operators."""
        if state.is_failing and error and state.failures != self._server.failures:
            reason = {"step": error.step.value, "code": error.code, "status": error.status}
            log.error("the mail server refuses all messages; the worker pauses", failures=state.failures, **reason)
        elif self._server.is_failing and not state.is_failing:
            log.info("the mail server works again", failures=self._server.failures)
        self._server = state
