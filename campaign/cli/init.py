"""`flask init`: makes the campaign ready to serve."""

from functools import partial
from pathlib import Path

import click
from flask.cli import with_appcontext

from campaign.cli.plain import PlainCommand
from campaign.db import db
from campaign.errors import ConfigError
from campaign.files import whole_file
from campaign.migrating import migrate
from campaign.petition.keys import ensure_campaign_key
from campaign.state import state

_WARNING = (
    "Write down the recovery key: it alone opens the signatures, it is shown this once, and nobody can replace it."
)


@click.command("init", cls=PlainCommand)
@click.option(
    "--recovery-key-out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the recovery key to FILE, which must not exist, instead of showing it.",
)
@with_appcontext
def init(recovery_key_out: Path | None) -> None:
    """Migrate the database and make the campaign's keys. Doing it again changes nothing."""
    migrate()
    made = ensure_campaign_key(db.session, hand_over=partial(_write, recovery_key_out) if recovery_key_out else _show)
    if recovery_key_out and not made:
        click.echo(f"The campaign has its key already, so nothing was written to {recovery_key_out}.")
    click.echo(f"The campaign is ready. Its page: {state().settings.public_url}/")


def _show(recovery_key: str) -> None:
    click.echo(f"\n  Recovery key: {recovery_key}\n\n{_WARNING}\n")


def _write(path: Path, recovery_key: str) -> None:
    try:
        with whole_file(path, replace=False) as file:
            file.write(recovery_key.encode() + b"\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); name a new file") from None
    click.echo(f"The recovery key is in {path}. Move it off this machine: it alone opens the signatures.")
