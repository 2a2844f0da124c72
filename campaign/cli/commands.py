"""Base classes of the commands, which report errors in one line without a traceback."""

import sys
from typing import Any

import click
from flask.cli import AppGroup, ScriptInfo

from campaign.context import require_ready
from campaign.core.database import DatabaseError, is_unavailable
from campaign.core.logging import error_code
from campaign.errors import CampaignError

yes_option = click.option("--yes", is_flag=True, help="Skip the confirmation.")


def confirm_action(question: str, *, yes: bool) -> None:
    """Confirm an action with the user if standard input is a terminal; scripts are not asked. Raises `click.Abort`."""
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True)


class Command(click.Command):
    """A command that ends with one line and exit status 1 on an error."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            self.prepare(ctx)
            return super().invoke(ctx)
        except CampaignError as error:
            raise click.ClickException(str(error)) from None
        except DatabaseError as error:
            if not is_unavailable(error):
                raise
            raise click.ClickException(f"database error ({error_code(error)}); is the database running?") from None

    def prepare(self, ctx: click.Context) -> None:
        """Check the requirements of the command. The base class has none."""


class DatabaseCommand(Command):
    """A command that needs a database that is ready; its help does not."""

    def prepare(self, ctx: click.Context) -> None:
        """Raise `ConfigError` unless the database is ready."""
        require_ready(ctx.ensure_object(ScriptInfo).load_app())


class Group(AppGroup):
    """A group of commands, each with the application's context."""

    command_class = Command


class DatabaseGroup(AppGroup):
    """A group of commands that need the database, each with the application's context."""

    command_class = DatabaseCommand
