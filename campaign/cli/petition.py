"""`flask petition`: open, close or deliver the petition. Pages, form, emails and count.json follow at once."""

from datetime import datetime

import click

from campaign.cli.commands import DatabaseGroup, confirm_action, yes_option
from campaign.cli.organisers import recording
from campaign.core.database import db, utcnow
from campaign.petition import totals
from campaign.petition.status import close, deliver, petition_status, reopen

CACHED = "Cached pages follow within two minutes."

petition = DatabaseGroup("petition", help="Open, close and deliver the petition, and show its status.")


@petition.command("open")
@yes_option
def open_(yes: bool) -> None:
    """Accept signatures, also after the petition was closed."""
    confirm_action("Open the petition? Visitors can sign, and any delivery date is deleted.", yes=yes)
    with recording("reopened") as draft:
        draft.happened = reopen(db.session)
    click.echo(f"The petition is open. {CACHED}")


@petition.command("close")
@yes_option
def close_(yes: bool) -> None:
    """Accept no more signatures. Pending ones can still be confirmed."""
    confirm_action(f"{_figures()} Close the petition? Nobody can sign from then on.", yes=yes)
    with recording("closed") as draft:
        draft.happened = close(db.session)
    click.echo(f"The petition is closed; pending signatures can still be confirmed. {CACHED}")


@petition.command("deliver")
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the delivery, for example 2013-12-10. Default: today (UTC).",
)
@yes_option
def deliver_(day: datetime | None, yes: bool) -> None:
    """Mark the petition as delivered to the IOC. After that, nothing can be signed or confirmed."""
    delivery_day = (day or utcnow()).date()
    if delivery_day > utcnow().date():
        raise click.UsageError(f"{delivery_day} is in the future; use the day of the delivery")
    question = f"Mark the petition as delivered on {delivery_day}? Nobody can sign or confirm from then on."
    confirm_action(f"{_figures()} {question}", yes=yes)
    with recording("delivered", day=delivery_day) as draft:
        draft.happened = deliver(db.session, delivery_day)
    click.echo(f"The petition was delivered on {delivery_day}; nothing can be signed or confirmed any more. {CACHED}")


@petition.command()
def status() -> None:
    """Show the status: open, closed, or delivered with the day."""
    state = petition_status(db.session)
    click.echo(" ".join(filter(None, (state.name, str(state.delivered_on or "")))))


def _figures() -> str:
    """Return how many signatures are confirmed, and how many are not."""
    return f"Confirmed signatures: {totals.confirmed(db.session)}; not confirmed: {totals.unconfirmed(db.session)}."
