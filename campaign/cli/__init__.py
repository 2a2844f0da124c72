"""The `flask` commands: thin, each one call into a domain room."""

import click
from flask import Flask

from campaign.cli import bot_check, film, init, keys, mail, organisers, petition, share, signatures
from campaign.errors import ConfigError


def create_app() -> Flask:
    """Build the application for the `flask` command, which says a wrong setting in one line."""
    from campaign.app import create_app as build  # the factory imports this room

    try:
        return build()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def register_commands(app: Flask) -> None:
    """Add the commands to `app`."""
    commands = (bot_check.bot_check, film.film, init.init, keys.keys, mail.mail, petition.petition)
    for command in (*commands, organisers.organisers, share.share, signatures.signatures):
        app.cli.add_command(command)
