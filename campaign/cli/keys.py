"""`flask keys`: the campaign's key pairs."""

from pathlib import Path

import click

from campaign.cli.commands import DatabaseGroup, confirm_action, yes_option
from campaign.cli.organisers import recording
from campaign.cli.recovery_keys import recovery_key_out, recovery_key_writer
from campaign.core.database import db, iso
from campaign.crypto.campaign_keys import campaign_keys, make_campaign_key

keys = DatabaseGroup("keys", help="The keys that signatures are sealed to.")


@keys.command()
@recovery_key_out
@yes_option
def rotate(recovery_key_out: Path | None, yes: bool) -> None:
    """Make a new campaign key: from the next minute on, signatures are sealed to it.

    What was sealed before stays as it is, and opens with the recovery key it was sealed for.
    """
    confirm_action("Make a new campaign key? Its recovery key must be kept beside the earlier ones.", yes=yes)
    with recording("rotated-key"):
        make_campaign_key(db.session, hand_over=recovery_key_writer(recovery_key_out))
    click.echo("Keep the earlier recovery keys too: an export of all signatures needs every one of them.")


@keys.command("list")
def list_() -> None:
    """Say when each campaign key was made, and how many signatures are sealed to it."""
    for key in campaign_keys(db.session):
        click.echo(f"made {iso(key.created_at)}: {key.signatures} signatures")
