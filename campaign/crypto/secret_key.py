"""The server's secret, and the keys derived from it: one key for each purpose."""

import hmac
import secrets
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.config.settings import Settings
from campaign.config.validators import MIN_SECRET_LENGTH
from campaign.core.atomic_files import atomic_write
from campaign.core.database import insert, transaction, utcnow
from campaign.errors import ConfigError
from campaign.models import InstallationFact

_FILE = "secret.key"
_FACT = "secret key fingerprint"
_SAVED = "keys saved on"


def server_key(settings: Settings, purpose: str) -> bytes:
    """32 bytes for one purpose, derived from the server's secret; each purpose has a key of its own."""
    secret = settings.secret_key or _instance_secret(settings.instance)
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")


def record_fingerprint(session: Session, settings: Settings, *, replace: bool = False) -> None:
    """Store the fingerprint of this server's secret, if there is none yet. Raises `ConfigError` if there is another.

    With `replace`, another one is replaced.
    """
    row = insert(session, InstallationFact).values(name=_FACT, value=fingerprint(settings))
    with transaction(session):
        if replace:
            session.execute(delete(InstallationFact).where(InstallationFact.name == _FACT))
        session.execute(row.on_conflict_do_nothing())
    require_fingerprint(session, settings)


def require_fingerprint(session: Session, settings: Settings) -> None:
    """Raise `ConfigError` unless this server has the secret that the campaign was made ready with.

    With another one it would not find duplicates, could not send waiting emails, and its links would not work on other
    servers.
    """
    stored = session.scalar(select(InstallationFact.value).where(InstallationFact.name == _FACT))
    if stored != (own := fingerprint(settings)):
        source = "CAMPAIGN_SECRET_KEY" if settings.secret_key else str(settings.instance / _FILE)
        raise ConfigError(
            f"{source}: this secret key ({own}) is not the campaign's ({stored}); copy it from another server or from "
            "the backup. If it was replaced on purpose, run 'flask init --new-secret-key'"
        )


def note_keys_saved(session: Session) -> None:
    """Store that the operator has saved the recovery key and the secret key outside of the server."""
    row = insert(session, InstallationFact).values(name=_SAVED, value=utcnow().date().isoformat())
    with transaction(session):
        session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value}))


def are_keys_saved(session: Session) -> bool:
    """Return whether the operator has said so."""
    return session.get(InstallationFact, _SAVED) is not None


def fingerprint(settings: Settings) -> str:
    """Return 16 hexadecimal digits that tell secrets apart and reveal nothing of them."""
    return server_key(settings, "fingerprint")[:8].hex()


def _instance_secret(instance: Path) -> str:
    """The secret in the instance folder, made at the first call, readable by its owner only."""
    path = instance / _FILE
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
