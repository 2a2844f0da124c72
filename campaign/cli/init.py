"""`flask init`: makes the campaign ready to serve."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from campaign.cli.plain import PlainCommand
from campaign.cli.recovery import hand_over_to, recovery_key_out
from campaign.db import db
from campaign.migrating import migrate
from campaign.petition.keys import ensure_campaign_key
from campaign.state import state


@click.command("init", cls=PlainCommand)
@recovery_key_out
@with_appcontext
def init(recovery_key_out: Path | None) -> None:
    """Migrate the database and make the campaign's keys. Doing it again changes nothing."""
    migrate()
    made = ensure_campaign_key(db.session, hand_over=hand_over_to(recovery_key_out))
    if recovery_key_out and not made:
        click.echo(f"The campaign has its key already, so nothing was written to {recovery_key_out}.")
    click.echo(f"The campaign is ready. Its page: {state().settings.public_url}/")
