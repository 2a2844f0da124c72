"""Migrations: bringing the database to the present, and refusing to serve before that."""

from functools import cache

from alembic.script import ScriptDirectory
from flask import Flask
from flask_alembic import Alembic
from sqlalchemy import column, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError

from campaign.config.paths import MIGRATIONS
from campaign.core.database import Base, db
from campaign.errors import ConfigError

_VERSIONS = table("alembic_version", column("version_num"))  # Alembic's own

alembic = Alembic(metadatas=Base.metadata, run_mkdir=False)


def init_migrations(app: Flask) -> None:
    """Register the migrations and the `flask db` commands."""
    app.config["ALEMBIC_CONTEXT"] = {"render_as_batch": True}  # SQLite cannot alter most things in place
    alembic.init_app(app)


def migrate() -> None:
    """Bring the database to the newest revision. Raises `ConfigError` when it cannot be reached."""
    try:
        alembic.upgrade()
    except SQLAlchemyError as error:
        raise _unreachable(error) from None


def is_current() -> bool:
    """Return whether the database is at the newest revision. Raises `SQLAlchemyError` when it cannot be reached.

    Several threads call this at once, so it must not use `alembic`, which keeps one connection for all of them.
    """
    with db.engine.connect() as connection:
        if not inspect(connection).has_table(_VERSIONS.name):
            return False
        return set(connection.scalars(select(_VERSIONS.c.version_num))) == _heads()


def require_current(app: Flask) -> None:
    """Raise `ConfigError` unless the database can be reached and is at the newest revision."""
    with app.app_context():
        try:
            current = is_current()
        except SQLAlchemyError as error:
            raise _unreachable(error) from None
    if not current:
        raise ConfigError("the database is not ready; run 'flask init'")


@cache
def _heads() -> frozenset[str]:
    """Return the newest revisions in this installation; servers read them once, when they start."""
    return frozenset(ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)]).get_heads())


def _unreachable(error: SQLAlchemyError) -> ConfigError:
    where = db.engine.url.render_as_string(hide_password=True)
    reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
    return ConfigError(f"CAMPAIGN_DATABASE_URL: {where} cannot be used ({reason}); start that database or name another")
