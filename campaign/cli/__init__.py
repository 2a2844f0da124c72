"""The commands: one module per group; each command makes one call into a domain package."""

import click
from flask import Flask
from flask.cli import FlaskGroup

from campaign.cli import (
    backup,
    bot_check,
    check,
    film,
    init,
    keys,
    mail,
    organisers,
    petition,
    serve,
    share,
    signatures,
    static,
)
from campaign.errors import ConfigError


def create_app() -> Flask:
    """Build the application for commands, which report an invalid setting in one line."""
    from campaign.app import create_app as build  # the factory imports this package

    try:
        return build()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def main() -> None:
    """Run the `campaign` command, which has the same commands as `flask`."""
    group = FlaskGroup(name="campaign", help="Manage the campaign.", create_app=create_app)
    group.add_command(serve.serve)  # it builds an application of its own
    group.main(prog_name="campaign")


def register_commands(app: Flask) -> None:
    """Add the commands to `app`."""
    groups = (bot_check.bot_check, film.film, keys.keys, mail.mail, organisers.organisers, petition.petition)
    commands = (backup.backup, backup.restore, check.check, init.init, serve.serve)
    for command in (*groups, share.share, signatures.signatures, static.static, *commands):
        app.cli.add_command(command)
