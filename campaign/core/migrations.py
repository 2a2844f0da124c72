"""Migrations: they bring the database to the newest revision, and code that does not fit it is refused.

Servers of two releases may share a database during an upgrade: a migration first only adds (it expands), and the next
release removes what is no longer used (it contracts). Each migration names the oldest code that may go on.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

from alembic.script import ScriptDirectory
from flask import Flask
from flask_alembic import Alembic
from sqlalchemy import Connection, NullPool, column, create_engine, event, inspect, select, table
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from campaign.config.paths import MIGRATIONS
from campaign.core.database import Base, db
from campaign.errors import ConfigError

INIT_LOCK = 0x6C6F7665  # a number of our own among the advisory locks of the database
LOCK_SECONDS = 2  # that a migration waits for a table, while all statements that come later wait for the migration
MAX_ATTEMPTS = 60
PAUSE_SECONDS = 1.0  # between two attempts, for those that waited
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL, appendix A

_VERSIONS = table("alembic_version", column("version_num"))  # Alembic's own
_INSTALLATION: Any = table("installation", column("name"), column("value"))
_COMPATIBLE_FROM = "compatible from"

alembic = Alembic(metadatas=Base.metadata, run_mkdir=False)


def init_migrations(app: Flask) -> None:
    """Register the migrations and the `flask db` commands."""
    app.config["ALEMBIC_CONTEXT"] = {"render_as_batch": True}  # SQLite cannot alter most things in place
    alembic.init_app(app)


@contextmanager
def only_one() -> Iterator[None]:
    """Let one process at a time make this database ready; others wait. Raises `ConfigError` if it cannot be reached."""
    with ExitStack() as held:
        try:
            if db.engine.dialect.name == "postgresql":
                # Not one of the pool, which may be small, for as long as all this takes
                connection = held.enter_context(create_engine(db.engine.url, poolclass=NullPool).begin())
                # Behind PgBouncer the limits are those of the role, and the others may take longer
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({INIT_LOCK})")
            else:
                file = os.open(f"{db.engine.url.database}-init", os.O_RDWR | os.O_CREAT, 0o600)
                held.callback(os.close, file)
                fcntl.flock(file, fcntl.LOCK_EX)
        except (OperationalError, OSError) as error:
            raise _unreachable(error) from None
        yield


def migrate() -> None:
    """Bring the database to the newest revision, unless a newer release has been there and lets this code go on.

    Raises `ConfigError` when the database cannot be reached, or is too new.
    """
    try:
        if _is_newer():
            _require_compatible()
            return
        _upgrade()
        _note_compatibility()
    except SQLAlchemyError as error:
        raise _unreachable(error) from None


def is_current() -> bool:
    """Return whether this code may use the database as it is. Raises `SQLAlchemyError` when it cannot be reached.

    Several threads call this at once, so it must not use `alembic`, which keeps one connection for all of them.
    """
    with db.engine.connect() as connection:
        return _revision(connection) == _head() or _is_compatible(connection)


def require_current(app: Flask) -> None:
    """Raise `ConfigError` unless the database can be reached, and this code may use it."""
    with app.app_context():
        try:
            if is_current():
                return
            if _is_newer():
                _require_compatible()
        except SQLAlchemyError as error:
            raise _unreachable(error) from None
    raise ConfigError("the database is not ready; run 'flask init'")


def _upgrade() -> None:
    """Run the migrations in one transaction; on PostgreSQL, again and again until no other transaction is in the way.

    A migration that waits for a table makes everybody who comes later wait as well, so it gives up soon.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with _short_locks():
                alembic.upgrade()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or attempt == MAX_ATTEMPTS:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


@contextmanager
def _short_locks() -> Iterator[None]:
    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; SET LOCAL statement_timeout = 0")

    if db.engine.dialect.name != "postgresql":
        yield
        return
    event.listen(db.engine, "begin", limit)
    try:
        yield
    finally:
        event.remove(db.engine, "begin", limit)


def _note_compatibility() -> None:
    """Store which code may use the database from now on."""
    named = _INSTALLATION.c.name == _COMPATIBLE_FROM
    with db.engine.begin() as connection:
        if connection.scalar(select(_INSTALLATION.c.value).where(named)) != _compatible_from():
            connection.execute(_INSTALLATION.delete().where(named))
            connection.execute(_INSTALLATION.insert().values(name=_COMPATIBLE_FROM, value=_compatible_from()))


def _is_newer() -> bool:
    """Return whether the database has a revision of a newer release."""
    with db.engine.connect() as connection:
        revision = _revision(connection)
    return revision is not None and revision not in _known()


def _require_compatible() -> None:
    with db.engine.connect() as connection:
        if not _is_compatible(connection):
            raise ConfigError("the database belongs to a newer release, with which this one does not fit; install that")


def _is_compatible(connection: Connection) -> bool:
    """Return whether the database is of a newer release that lets this code go on."""
    revision = _revision(connection)
    if revision is None or revision in _known():
        return False
    oldest = connection.scalar(select(_INSTALLATION.c.value).where(_INSTALLATION.c.name == _COMPATIBLE_FROM))
    return oldest is not None and oldest <= _head()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.scalar(select(_VERSIONS.c.version_num))


def _head() -> str:
    return max(_known())


def _compatible_from() -> str:
    return str(_scripts().get_revision(_head()).module.compatible_from)


@cache
def _known() -> frozenset[str]:
    """Return the revisions in this installation; servers read them once, when they start."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])


def _unreachable(error: Exception) -> ConfigError:
    where = db.engine.url.render_as_string(hide_password=True)
    reason = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__)
    reason = reason.strip().splitlines()[0]
    return ConfigError(f"CAMPAIGN_DATABASE_URL: {where} cannot be used ({reason}); start that database or name another")
