"""Input and output of recovery keys: on the terminal or in a file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
from nacl.public import PrivateKey

from campaign.core.atomic_files import atomic_write
from campaign.core.secret_text import decode_text
from campaign.crypto.campaign_keys import parse_recovery_keys
from campaign.errors import ConfigError

_MAX_FILE_SIZE = 64 * 1024  # bytes; a recovery key has 69 characters

_WARNING = (
    "Write down the recovery key. It is shown only once, it cannot be replaced, and only it decrypts the signatures."
)

recovery_key_out = click.option(
    "--recovery-key-out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the recovery key to a new FILE instead of showing it.",
)

key_file_option = click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="FILE",
    help="File with the recovery keys. Default: ask for them.",
)


def recovery_key_writer(path: Path | None, *others: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that shows a recovery key, or writes it to `path`, and then passes it to `others`.

    The function raises `ConfigError` on failure.
    """

    def hand_over(recovery_key: str) -> None:
        (partial(_write, path) if path else _show)(recovery_key)
        for other in others:
            other(recovery_key)

    return hand_over


def recovery_keys(key_file: Path | None) -> list[PrivateKey]:
    """Return the private keys of the recovery keys in `key_file`, or typed. Raises `InvalidRecoveryKey`."""
    if key_file:
        with key_file.open("rb") as file:
            return parse_recovery_keys(decode_text(file.read(_MAX_FILE_SIZE)))
    return parse_recovery_keys(click.prompt("Recovery key", hide_input=True, err=True))


def _show(recovery_key: str) -> None:
    click.echo(f"\n  Recovery key: {recovery_key}\n\n{_WARNING}\n")


def _write(path: Path, recovery_key: str) -> None:
    try:
        with atomic_write(path, replace=False) as file:
            file.write(recovery_key.encode() + b"\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); name a new file") from None
    click.echo(f"The recovery key is in {path}. Move it to another machine: only it decrypts the signatures.")
