"""`flask keys`: the campaign's key pairs."""

from pathlib import Path

import click

from campaign.cli.commands import DatabaseGroup, confirm_action, yes_option
from campaign.cli.organisers import recording
from campaign.cli.recovery_keys import recovery_key_out, recovery_key_writer
from campaign.core.database import db, iso
from campaign.crypto.campaign_keys import campaign_keys, make_campaign_key

keys = DatabaseGroup("keys", help="Manage the keys that signatures are encrypted to.")


@keys.command()
@recovery_key_out
@yes_option
def rotate(recovery_key_out: Path | None, yes: bool) -> None:
    """Create a new campaign key. From the next minute on, signatures are encrypted to it.

    Earlier signatures stay encrypted to the earlier key; its recovery key decrypts them.
    """
    confirm_action("Create a new campaign key? Keep its recovery key together with the earlier ones.", yes=yes)
    with recording("rotated-key"):
        make_campaign_key(db.session, hand_over=recovery_key_writer(recovery_key_out))
    click.echo("Keep the earlier recovery keys too: an export of all signatures needs all of them.")


@keys.command("list")
def list_() -> None:
    """List the campaign keys with their dates and the number of signatures encrypted to each."""
    for key in campaign_keys(db.session):
        click.echo(f"created {iso(key.created_at)}: {key.signatures} signatures")
