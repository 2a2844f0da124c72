"""`flask serve`: the production server."""

import os
from pathlib import Path

import click

from campaign.cli.commands import Command
from campaign.config.settings import Settings
from campaign.config.validators import parse_bind
from campaign.errors import ConfigError


@click.command("serve", cls=Command)
@click.option("--with-make", type=click.Path(path_type=Path), hidden=True, metavar="FILE")
def serve(with_make: Path | None) -> None:
    """Serve the campaign on CAMPAIGN_BIND, with CAMPAIGN_WORKERS processes, until SIGTERM or Ctrl-C."""
    from campaign.app import load_for_server, start  # the factory imports this package
    from campaign.server import run

    settings, parent = Settings.load(), os.getppid()
    bind = parse_bind(settings.bind)
    if bind.socket and not settings.proxies:
        raise ConfigError(
            "CAMPAIGN_PROXIES: a Unix socket is reached through a proxy; set the number of proxies, usually 1"
        )
    app = load_for_server(settings)

    def is_make_gone() -> bool:
        """Whether `make run` was stopped: it deletes the file, but does not pass on SIGINT."""
        return with_make is not None and (not with_make.exists() or os.getppid() != parent)

    run(
        lambda: start(app),
        bind,
        settings.worker_count(),
        stops_when=is_make_gone if with_make else None,
    )
