"""`flask backup` and `flask restore`."""

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from campaign import backups
from campaign.backups import BackupError, Manifest
from campaign.cli.commands import Command, DatabaseCommand
from campaign.context import current_context
from campaign.core.database import db
from campaign.core.process import exit_on_termination
from campaign.crypto.age import require_recipient
from campaign.exports import integrity

_file = click.Path(dir_okay=False, path_type=Path)


@click.command("backup", cls=DatabaseCommand)
@click.argument("file", type=_file)
@click.option("--recipient", metavar="age1…", help="Encrypt to this public key of age.")
@with_appcontext
def backup(file: Path, recipient: str | None) -> None:
    """Write the database as it is now to FILE, while servers go on. The secret key is not in it: save it apart."""
    exit_on_termination()  # so that no copy of the database remains
    recipient = require_recipient(recipient) if recipient else None
    _show(backups.back_up(current_context().settings, file, recipient=recipient))


@click.command("restore", cls=Command)
@click.argument("file", type=_file)
@click.option("--identity", type=_file, metavar="KEYFILE", help="The file with the age secret key.")
@with_appcontext
def restore(file: Path, identity: Path | None) -> None:
    """Fill an empty database from a backup, with the same secret key in place, and check it."""
    exit_on_termination()
    _show(backups.restore(current_context().settings, file, identity=_secret_in(identity)))
    findings = list(integrity.findings(db.session))
    for finding in findings:
        click.echo(f"{'ok  ' if finding.holds else 'FAIL'}  {finding.subject} ({finding.figures})")
    sys.exit(not all(finding.holds for finding in findings))


def _secret_in(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise BackupError(f"{path} cannot be read ({error.strerror})") from None
    return next((line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")), "")


def _show(manifest: Manifest) -> None:
    counts = f"{manifest.signatures} signatures, {manifest.confirmed} of them confirmed"
    click.echo(f"{manifest.kind} at revision {manifest.revision}, made at {manifest.made_at}: {counts}")
    click.echo(f"SHA-256 of the database: {manifest.sha256}")
