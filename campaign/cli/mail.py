"""`flask mail`: the worker as a process of its own, and how much waits."""

import signal
from threading import Event
from types import FrameType

import click
from flask import current_app

from campaign.cli.plain import PlainGroup
from campaign.db import db, iso
from campaign.mail import outbox
from campaign.mail.worker import MailWorker
from campaign.state import state

mail = PlainGroup("mail", help="Send mail and see what waits.")


@mail.command()
@click.option("--once", is_flag=True, help="Send what is due now, then end.")
def work(once: bool) -> None:
    """Send mail until told to stop (SIGTERM or Ctrl-C)."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    worker = MailWorker(app, state().settings, state().keys.outbox)
    if once:
        worker.drain()
    else:
        worker.run(_stopped_by_signal())


@mail.command()
def status() -> None:
    """Say how many messages wait, since when, and how many were given up."""
    backlog = outbox.backlog(db.session)
    oldest = iso(backlog.oldest) if backlog.oldest else "none"
    click.echo(f"waiting: {backlog.waiting}\noldest: {oldest}\ngiven up: {backlog.dead}")


def _stopped_by_signal() -> Event:
    stop = Event()

    def set_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, set_stop)
    return stop
