"""Commands that say what the campaign refuses in one line, without a traceback."""

from typing import Any

import click
from flask.cli import AppGroup

from campaign.errors import CampaignError


class _Plain(click.Command):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a `CampaignError` ends it with its message and exit status 1."""
        try:
            return super().invoke(ctx)
        except CampaignError as error:
            raise click.ClickException(str(error)) from None


class PlainCommand(_Plain):
    """A single command."""


class PlainGroup(_Plain, AppGroup):
    """A group of commands, each with the application's context."""
