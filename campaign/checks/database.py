"""Checks of the database and of Redis."""

from collections.abc import Iterator

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from campaign.checks.finding import Finding
from campaign.config.settings import MIN_CONNECTIONS, Settings
from campaign.core.database import DatabaseError, db, utcnow
from campaign.core.logging import error_code
from campaign.core.migrations import is_current
from campaign.crypto.campaign_keys import has_campaign_key
from campaign.crypto.secret_key import are_keys_saved, require_fingerprint
from campaign.errors import ConfigError

MAX_CLOCK_DIFFERENCE = 2  # seconds
_REDIS_SECONDS = 2


def is_ready(settings: Settings) -> Iterator[Finding]:
    """The database can be reached, was migrated, has a key, and knows this server's secret."""
    why = "Without it, pages show the last known count and nobody can sign."
    try:
        if not is_current():
            yield Finding("error", "the database does not fit this release", "The server does not start.", "flask init")
        elif not has_campaign_key(db.session):
            yield Finding("error", "the campaign has no key", "Signatures cannot be encrypted.", "flask init")
        else:
            require_fingerprint(db.session, settings)
    except DatabaseError as error:
        yield Finding("error", f"the database cannot be used ({error_code(error)})", why, "CAMPAIGN_DATABASE_URL=…")
    except ConfigError as error:
        what, _, fix = str(error).partition("; ")
        yield Finding("error", what, "Duplicates, links and waiting emails depend on it; no server starts.", fix)


def keys(_settings: Settings) -> Iterator[Finding]:
    """The operator has confirmed that the keys are saved elsewhere."""
    if _is_usable() and not are_keys_saved(db.session):
        yield Finding(
            "warning",
            "nobody has confirmed that the recovery key and the secret key are saved outside of this machine",
            "Without the recovery key, signatures may never be read; a backup needs the secret key too.",
            "save both, then: campaign check --keys-saved",
        )


def durability(_settings: Settings) -> Iterator[Finding]:
    """PostgreSQL keeps what it has acknowledged; SQLite does, as we set it."""
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if _is_postgresql() and _show(name) == "off":
            yield Finding(
                "error",
                f"PostgreSQL has {name} switched off",
                "A power cut would lose signatures that people were thanked for.",
                f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf()",
            )


def connections(settings: Settings) -> Iterator[Finding]:
    """PostgreSQL allows as many connections as the server may open."""
    if not _is_postgresql() or settings.pgbouncer == "yes":
        return
    allowed = int(_show("max_connections")) - int(_show("superuser_reserved_connections"))
    wanted = settings.worker_count() * settings.connection_count()
    if wanted > allowed:
        yield Finding(
            "error",
            f"this server may open {wanted} connections, and PostgreSQL allows {allowed}",
            "When many people sign, some are refused.",
            f"CAMPAIGN_DATABASE_POOL={max(MIN_CONNECTIONS, allowed // settings.worker_count())}, or PgBouncer",
        )


def clock(_settings: Settings) -> Iterator[Finding]:
    """The clocks of this machine and of the database agree."""
    if not _is_postgresql():
        return
    before = utcnow()
    there = db.session.scalar(text("SELECT clock_timestamp()"))
    difference = abs((there - (before + (utcnow() - before) / 2)).total_seconds())
    if difference > MAX_CLOCK_DIFFERENCE:
        yield Finding(
            "warning",
            f"the clocks of this machine and of the database differ by {difference:.0f} seconds",
            "Emails are sent too late or too early, and links expire at the wrong time.",
            "timedatectl set-ntp true, on both",
        )


def redis(settings: Settings) -> Iterator[Finding]:
    """Redis answers."""
    if not settings.redis_url:
        return
    try:
        with Redis.from_url(
            settings.redis_url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
        ) as client:
            client.ping()
    except (RedisError, OSError) as error:
        yield Finding(
            "error",
            f"Redis cannot be used ({error_code(error)})",
            "Until it answers, each process counts the limits by itself.",
            "CAMPAIGN_REDIS_URL=redis://host:6379/0, of a Redis that runs",
        )


def _is_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql" and _is_usable()


def _is_usable() -> bool:
    try:
        return is_current()
    except DatabaseError:
        return False


def _show(name: str) -> str:
    return str(db.session.scalar(text(f"SHOW {name}")))
