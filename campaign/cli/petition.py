"""`flask petition`: open, closed, or handed in. Pages, form, mails and count.json follow at once."""

from datetime import datetime

import click

from campaign.cli.plain import PlainGroup
from campaign.db import db, utcnow
from campaign.stages import close, deliver, reopen, stage

CACHED = "Pages that a cache holds show it within two minutes."

petition = PlainGroup("petition", help="Say whether people can sign, and when the petition was handed in.")


@petition.command("open")
def open_() -> None:
    """Let people sign (again)."""
    reopen(db.session)
    click.echo(f"The petition is open. {CACHED}")


@petition.command("close")
def close_() -> None:
    """Take no more signatures. Who has signed can still confirm."""
    close(db.session)
    click.echo(f"The petition is closed; who has signed can still confirm. {CACHED}")


@petition.command("deliver")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day, as 2013-12-10. Default: today (UTC).")
def deliver_(day: datetime | None) -> None:
    """Say that it was handed to the IOC. Nothing is signed or confirmed from then on."""
    chosen = (day or utcnow()).date()
    if chosen > utcnow().date():
        raise click.UsageError(f"{chosen} has not come yet; say so once the petition was handed in")
    deliver(db.session, chosen)
    click.echo(f"The petition was handed in on {chosen}; nothing is signed or confirmed any more. {CACHED}")


@petition.command()
def status() -> None:
    """Say how far it is: open, closed, or delivered with the day."""
    found = stage(db.session)
    click.echo(" ".join(filter(None, (found.name, str(found.delivered_on or "")))))
