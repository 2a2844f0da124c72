"""The server's secret, and the keys derived from it: one key for each purpose."""

import hmac
import secrets
from pathlib import Path

from campaign.config.settings import Settings
from campaign.config.validators import MIN_SECRET_LENGTH
from campaign.core.atomic_files import atomic_write
from campaign.errors import ConfigError


def server_key(settings: Settings, purpose: str) -> bytes:
    """32 bytes for one purpose, derived from the server's secret; each purpose has a key of its own."""
    secret = settings.secret_key or _instance_secret(settings.instance)
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")


def _instance_secret(instance: Path) -> str:
    """The secret in the instance folder, made at the first call, readable by its owner only."""
    path = instance / "secret.key"
    try:
        if not path.exists():
            _create_secret(path)
        return _read_secret(path)
    except OSError as error:
        raise ConfigError(f"CAMPAIGN_INSTANCE: {instance} cannot be used ({error.strerror}); name another") from None


def _read_secret(path: Path) -> str:
    secret = path.read_text(errors="replace").strip()
    if len(secret) < MIN_SECRET_LENGTH:
        raise ConfigError(f"{path}: this is no secret key; bring back the right file, or delete it to have one made")
    return secret


def _create_secret(path: Path) -> None:
    try:
        with atomic_write(path, replace=False) as file:
            file.write(secrets.token_urlsafe(48).encode() + b"\n")
    except FileExistsError:
        pass  # another process was faster; its key is used
