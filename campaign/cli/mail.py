"""`flask mail`: the worker as a separate process, and the status of the queue."""

import signal
from threading import Event
from types import FrameType

import click
from flask import current_app

from campaign.cli.commands import DatabaseGroup
from campaign.context import current_context, mail_worker
from campaign.core.database import db, iso
from campaign.mail import domain_budget, outbox, server_state
from campaign.mail.queue_status import dead_messages, health, is_late, queue_status

MAX_ROWS_SHOWN = 20  # dead messages that are listed

mail = DatabaseGroup("mail", help="Send email, and show the status of the queue.")


@mail.command()
@click.option("--once", is_flag=True, help="Send due messages once, then exit.")
def work(once: bool) -> None:
    """Send email until SIGTERM or Ctrl-C."""
    worker = mail_worker(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - documented by Flask
    if once:
        worker.drain()
    else:
        worker.run(_stop_on_signal())


@mail.command()
def status() -> None:
    """Show the status of email, the waiting messages and the dead ones."""
    queue, state = queue_status(db.session), health(db.session)
    click.echo(f"status: {state.status}{f' since {iso(state.since)}' if state.since else ''}")
    if state.reply:
        click.echo(f"reply: {state.reply}")
    oldest = iso(queue.oldest) if queue.oldest else "none"
    click.echo(f"waiting: {queue.waiting}\noldest: {oldest}\nlate: {'yes' if is_late(db.session) else 'no'}")
    click.echo(f"reminders: {queue.reminders}\ndead: {queue.dead}")
    for letter in dead_messages(db.session, most=MAX_ROWS_SHOWN):
        why = f"refused with {letter.reply_code}" if letter.reply_code else "could not be sent"
        why += f" ({letter.reply})" if letter.reply else ""
        click.echo(f"  of {iso(letter.created_at)}, {why}, signature {letter.signature_id}")
    if queue.dead > MAX_ROWS_SHOWN:
        click.echo(f"  and {queue.dead - MAX_ROWS_SHOWN} older messages")


@mail.command()
def retry() -> None:
    """Retry dead messages, within the daily limit of each mailbox."""
    click.echo(f"due again: {outbox.retry_dead(db.session)}")
    if remaining := queue_status(db.session).dead:
        click.echo(f"left: {remaining}, over the daily limit of their mailboxes")
    server_state.try_now(db.session)


@mail.command()
@click.argument("domain")
def release(domain: str) -> None:
    """Send the confirmation emails to DOMAIN that its daily limit holds, and lift that limit for today (UTC)."""
    name = domain.strip().lower().removeprefix("@")
    due = domain_budget.release(db.session, current_context().keys.outbox, name)
    if due is None:
        click.echo("this domain has no limit")
    else:
        click.echo(f"due now: {due}")


def _stop_on_signal() -> Event:
    stop = Event()

    def set_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, set_stop)
    return stop
