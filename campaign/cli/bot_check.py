"""`flask bot-check`: a check against automated signing, for the time of an attack."""

import click

from campaign.cli.commands import DatabaseGroup
from campaign.cli.organisers import recording
from campaign.core.database import db
from campaign.petition.feature_flags import disable, enable, is_enabled

bot_check = DatabaseGroup("bot-check", help="Require proof of work from browsers during an attack.")


@bot_check.command()
def on() -> None:
    """Switch it on for all servers."""
    with recording("changed-setting", setting="bot-check", to="on") as draft:
        draft.happened = enable(db.session, "bot-check")
    click.echo("The bot check is on. Cached pages follow within two minutes.")


@bot_check.command()
def off() -> None:
    """Switch it off."""
    with recording("changed-setting", setting="bot-check", to="off") as draft:
        draft.happened = disable(db.session, "bot-check")
    click.echo("The bot check is off.")


@bot_check.command()
def status() -> None:
    """Show whether it is on."""
    click.echo("on" if is_enabled(db.session, "bot-check") else "off")
