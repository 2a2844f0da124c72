"""Commands that say what the campaign refuses in one line, without a traceback."""

from typing import Any

import click
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy.exc import OperationalError

from campaign.errors import CampaignError
from campaign.migrating import require_current


class _Plain(click.Command):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong ends it with a line of its own and exit status 1."""
        try:
            return super().invoke(ctx)
        except CampaignError as error:
            raise click.ClickException(str(error)) from None
        except OperationalError as error:
            raise click.ClickException(f"the database failed ({type(error.orig).__name__}); is it running?") from None


class PlainCommand(_Plain):
    """A single command."""


class PlainGroup(_Plain, AppGroup):
    """A group of commands, each with the application's context, on a database that is ready."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, unless the database is not ready."""
        try:
            require_current(ctx.ensure_object(ScriptInfo).load_app())
        except CampaignError as error:
            raise click.ClickException(str(error)) from None
        return super().invoke(ctx)
