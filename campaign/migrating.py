"""Migrations: bringing the database to the present, and refusing to serve before that."""

from flask import Flask
from flask_alembic import Alembic
from sqlalchemy.exc import SQLAlchemyError

from campaign.db import Base, db
from campaign.errors import ConfigError

alembic = Alembic(metadatas=Base.metadata, run_mkdir=False)


def add_migrations(app: Flask) -> None:
    """Give `app` its migrations and the `flask db` commands."""
    app.config["ALEMBIC_CONTEXT"] = {"render_as_batch": True}  # SQLite cannot alter most things in place
    alembic.init_app(app)


def migrate() -> None:
    """Bring the database to the newest revision. Raises `ConfigError` when it cannot be reached."""
    try:
        alembic.upgrade()
    except SQLAlchemyError as error:
        raise _unreachable(error) from None


def is_current() -> bool:
    """Tell whether the database is at the newest revision. Raises `SQLAlchemyError` when it cannot be reached."""
    heads = {script.revision for script in alembic.heads()}
    return {script.revision for script in alembic.current()} == heads


def require_current(app: Flask) -> None:
    """Raise `ConfigError` unless the database can be reached and is at the newest revision."""
    with app.app_context():
        try:
            current = is_current()
        except SQLAlchemyError as error:
            raise _unreachable(error) from None
    if not current:
        raise ConfigError("the database is not ready; run 'flask init'")


def _unreachable(error: SQLAlchemyError) -> ConfigError:
    where = db.engine.url.render_as_string(hide_password=True)
    reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
    return ConfigError(f"CAMPAIGN_DATABASE_URL: {where} cannot be used ({reason}); start that database or name another")
