"""Handing out a recovery key, once: on the screen or into a file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from campaign.errors import ConfigError
from campaign.files import whole_file

_WARNING = (
    "Write down the recovery key: it alone opens the signatures, it is shown this once, and nobody can replace it."
)

recovery_key_out = click.option(
    "--recovery-key-out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the recovery key to FILE, which must not exist, instead of showing it.",
)


def hand_over_to(path: Path | None) -> Callable[[str], None]:
    """Return what shows a recovery key, or writes it to `path`; that raises `ConfigError` if it cannot."""
    return partial(_write, path) if path else _show


def _show(recovery_key: str) -> None:
    click.echo(f"\n  Recovery key: {recovery_key}\n\n{_WARNING}\n")


def _write(path: Path, recovery_key: str) -> None:
    try:
        with whole_file(path, replace=False) as file:
            file.write(recovery_key.encode() + b"\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); name a new file") from None
    click.echo(f"The recovery key is in {path}. Move it off this machine: it alone opens the signatures.")
