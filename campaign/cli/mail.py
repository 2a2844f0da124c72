"""`flask mail`: the worker as a process of its own, and how much waits."""

import signal
from threading import Event
from types import FrameType

import click
from flask import current_app

from campaign.cli.commands import PlainGroup
from campaign.context import mail_worker, state
from campaign.core.database import db, iso
from campaign.mail import domain_budget, outbox, server_state
from campaign.mail.queue_status import backlog, dead_letters, health, is_late

SHOWN = 20  # dead letters listed one by one

mail = PlainGroup("mail", help="Send mail and see what waits.")


@mail.command()
@click.option("--once", is_flag=True, help="Send what is due now, then end.")
def work(once: bool) -> None:
    """Send mail until told to stop (SIGTERM or Ctrl-C)."""
    worker = mail_worker(current_app._get_current_object())  # type: ignore[attr-defined]
    if once:
        worker.drain()
    else:
        worker.run(_stopped_by_signal())


@mail.command()
def status() -> None:
    """Report how mail is, how many messages wait, since when, and which were given up."""
    found, state = backlog(db.session), health(db.session)
    click.echo(f"status: {state.status}{f' since {iso(state.since)}' if state.since else ''}")
    if state.reply:
        click.echo(f"reply: {state.reply}")
    oldest = iso(found.oldest) if found.oldest else "none"
    click.echo(f"waiting: {found.waiting}\noldest: {oldest}\nlate: {'yes' if is_late(db.session) else 'no'}")
    click.echo(f"reminders to come: {found.reminders}\ngiven up: {found.dead}")
    for letter in dead_letters(db.session, most=SHOWN):
        why = f"refused with {letter.refusal}" if letter.refusal else "could not be sent"
        why += f" ({letter.reply})" if letter.reply else ""
        click.echo(f"  of {iso(letter.created_at)}, {why}, signature {letter.signature_id}")
    if found.dead > SHOWN:
        click.echo(f"  and {found.dead - SHOWN} older ones")


@mail.command()
def retry() -> None:
    """Try once more to send what was given up, within the daily limit of each mailbox."""
    click.echo(f"due once more: {outbox.revive(db.session)}")
    if left := backlog(db.session).dead:
        click.echo(f"left: {left}, whose mailboxes have their emails of the day")
    server_state.try_now(db.session)


@mail.command()
@click.argument("domain")
def release(domain: str) -> None:
    """Send the confirmation emails to DOMAIN that its daily limit holds, and lift that limit for today (UTC)."""
    name = domain.strip().lower().removeprefix("@")
    due = domain_budget.release(db.session, state().keys.outbox, name)
    if due is None:
        click.echo("this domain has no limit")
    else:
        click.echo(f"due now: {due}")


def _stopped_by_signal() -> Event:
    stop = Event()

    def set_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, set_stop)
    return stop
