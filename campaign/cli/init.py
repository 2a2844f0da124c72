"""`flask init`: makes the campaign ready to serve."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from campaign.accounts import invitations
from campaign.accounts.organisers import has_owner
from campaign.cli.commands import Command
from campaign.cli.organisers import show_invitation
from campaign.cli.recovery_keys import recovery_key_out, recovery_key_writer
from campaign.context import current_context
from campaign.core.database import db
from campaign.core.migrations import migrate, only_one
from campaign.crypto.campaign_keys import ensure_campaign_key, parse_recovery_keys
from campaign.crypto.secret_key import record_fingerprint


@click.command("init", cls=Command)
@recovery_key_out
@click.option("--new-secret-key", is_flag=True, help="Accept a secret key that was replaced on purpose.")
@with_appcontext
def init(recovery_key_out: Path | None, new_secret_key: bool) -> None:
    """Migrate the database and make the campaign's keys. Doing it again changes nothing.

    Several servers may do it at the same moment.
    """
    with only_one():
        _make_ready(recovery_key_out, new_secret_key=new_secret_key)


def _make_ready(recovery_key_out: Path | None, *, new_secret_key: bool) -> None:
    migrate()
    record_fingerprint(db.session, current_context().settings, replace=new_secret_key)
    recovery_keys: list[str] = []
    is_new = ensure_campaign_key(db.session, hand_over=recovery_key_writer(recovery_key_out, recovery_keys.append))
    if recovery_key_out and not is_new:
        click.echo(f"The campaign has a key already, so nothing was written to {recovery_key_out}.")
    if is_new or not (has_owner(db.session) or invitations.pending_invitations(db.session)):
        _invite_first_organiser(recovery_keys)
    click.echo(f"The campaign is ready: {current_context().settings.public_url}/")


def _invite_first_organiser(recovery_keys: list[str]) -> None:
    """Print an invitation for the first organiser. It carries the new key, or the recovery key that is asked for."""
    private_keys = [key for text in recovery_keys for key in parse_recovery_keys(text)]
    click.echo("The campaign has no organiser yet. Open this URL to become the first one.")
    show_invitation(invitations.invite(db.session, role="owner", may_export=True, private_keys=private_keys))
