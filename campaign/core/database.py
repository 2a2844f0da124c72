"""The database: engine, sessions, write transactions, and column types."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import uuid_utils.compat
from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, SessionTransaction
from sqlalchemy.types import TypeDecorator

from campaign.core.write_turn import BUSY_SECONDS, give_turns, write_turn

if TYPE_CHECKING:
    from prometheus_client import Gauge

POOL_SECONDS = 3  # that a request waits for a connection
MAX_DEADLOCK_RETRIES = 2  # retries before giving up
DEADLOCK_DETECTED = "40P01"  # PostgreSQL, appendix A; its driver is imported only where it is used
READ_ONLY_SQL_TRANSACTION = "25006"  # the same: a primary that has become a standby
_AFTER_COMMIT = "after commit"  # in `Session.info` during `transaction`: the callbacks of `call_after_commit`
_HAS_WRITTEN = "has written"  # in `Session.info`: something was written that has been neither committed nor rolled back

# Errors that views and commands handle; they know nothing else of SQLAlchemy.
DatabaseError = SQLAlchemyError
InvalidValue = DataError

Result = TypeVar("Result")

# SQLite: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN (sqlite.org/rescode.html); others are faults of the program.
_SQLITE_UNAVAILABLE = {5, 6, 8, 10, 13, 14}

# Statements are logged and raised without their values: those are people's.
db = SQLAlchemy(engine_options={"hide_parameters": True})


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How connections to PostgreSQL behave.

    `seconds`: the longest that a statement may take, and that a lock is waited for; None for no limit.
    `has_pgbouncer`: transactions of one connection go to several backends, so nothing may be kept in a session: neither
    prepared statements nor time limits.
    """

    seconds: int | None = None
    has_pgbouncer: bool = False


class Base(DeclarativeBase):
    """The parent of all tables; constraints have predictable names, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. SQLite has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utcnow() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """Return an aware `moment` in ISO 8601, in UTC, to the second: 2013-11-22T18:30:00Z."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"


def new_id() -> UUID:
    """A new primary key: a UUID version 7 (RFC 9562), so that new rows go to the end of each index."""
    return uuid_utils.compat.uuid7()


@contextmanager
def transaction(session: Session, *, locks: type[Base] | None = None) -> Iterator[None]:
    """Run the block in one write transaction: committed at its end, rolled back if it raises.

    A nested block joins the transaction around it, so the functions of domain packages can be composed: one user action
    is one block. The table of `locks` is locked against other writers. Raises `RuntimeError` if the session has written
    outside of such a block.
    """
    if _AFTER_COMMIT in session.info:
        _lock(session.connection(), locks)
        yield
        return
    if session.info.get(_HAS_WRITTEN) or session.new or session.dirty or session.deleted:
        raise RuntimeError("the session has changes made outside of transaction()")
    session.rollback()  # ends a read transaction: on SQLite, one that turns into a write can fail
    callbacks: list[Callable[[], object]] = []
    session.info[_AFTER_COMMIT] = callbacks
    try:
        with write_turn(cast("Engine", session.get_bind())), session.begin():
            _lock(session.connection(execution_options={"begin": "IMMEDIATE"}), locks)
            yield
    finally:
        del session.info[_AFTER_COMMIT]
    for call in callbacks:
        call()


@contextmanager
def core_transaction(session: Session) -> Iterator[Connection]:
    """Run the block in one write transaction on a connection without the ORM, which costs a third of `transaction`.

    It cannot be nested. The session's own transaction is ended, so that it does not hold a second connection.
    """
    session.rollback()
    engine = cast("Engine", session.get_bind())
    with write_turn(engine), engine.connect().execution_options(begin="IMMEDIATE") as connection, connection.begin():
        yield connection


def call_after_commit(session: Session, callback: Callable[[], object]) -> None:
    """Call `callback` when the current `transaction` has been committed, and not at all if it is rolled back."""
    session.info[_AFTER_COMMIT].append(callback)


def retry_on_deadlock(act: Callable[[], Result]) -> Result:
    """Run one transaction, and retry it up to twice when PostgreSQL chose it as the deadlock victim."""
    for _ in range(MAX_DEADLOCK_RETRIES):
        try:
            return act()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != DEADLOCK_DETECTED:
                raise
    return act()


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database is away, overloaded or full, so that the same may succeed later."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeoutError)
    if getattr(error.orig, "sqlstate", None) == READ_ONLY_SQL_TRANSACTION:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    return isinstance(error, OperationalError | InterfaceError) and (code is None or code & 0xFF in _SQLITE_UNAVAILABLE)


def insert(session: Session, table: Any) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which both databases have and standard SQL has not."""
    return dialect_insert(session.get_bind().dialect.name, table)


def dialect_insert(dialect: str, table: Any) -> sqlite.Insert | postgresql.Insert:
    """The same by the dialect's name, for statements that are built once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


DEFAULT_OPTIONS = ConnectionOptions()


def init_db(app: Flask, url: str, *, pool: int, options: ConnectionOptions = DEFAULT_OPTIONS) -> None:
    """Configure the engine and sessions of `app` for the database at `url`, with up to `pool` connections."""
    engine: dict[str, Any] = {"url": url, "pool_size": pool, "max_overflow": 0, "pool_timeout": POOL_SECONDS}
    if url.startswith("postgresql"):
        engine["pool_pre_ping"] = True
    app.config["SQLALCHEMY_ENGINES"] = {"default": engine}
    db.init_app(app)
    # We have no async sessions. To close none of them, Flask would run an event loop after each request: 0.6 ms.
    app.teardown_appcontext_funcs = [close for close in app.teardown_appcontext_funcs if not iscoroutinefunction(close)]
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _configure_sqlite(db.engine)
        else:
            from campaign.core.postgresql import init_postgresql  # with its driver, which SQLite does not need

            init_postgresql(db.engine, options)


def count_connections(app: Flask, in_use: "Gauge") -> None:
    """Count in `in_use` how many connections of this process are in use."""
    with app.app_context():
        event.listen(db.engine, "checkout", lambda *_: in_use.inc())
        event.listen(db.engine, "checkin", lambda *_: in_use.dec())


def purge_deleted_pages(engine: Engine, table: type[Base]) -> bool:
    """Remove rows that were deleted from `table` from the database files. Returns whether this was possible.

    SQLite cannot do it while another connection reads; try again later. PostgreSQL keeps them in its write-ahead log
    until that is overwritten.
    """
    if engine.dialect.name == "postgresql":
        with _connect_autocommit(engine) as connection, _without_time_limit(connection):
            connection.exec_driver_sql(f"VACUUM {table.__tablename__}")
        return True
    with write_turn(engine), engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA busy_timeout=0")  # writers would wait as long as we do
        try:
            (is_busy, _, _) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    return not is_busy


@event.listens_for(Session, "do_orm_execute")
def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        state.session.info[_HAS_WRITTEN] = True


@event.listens_for(Session, "after_flush")
def _note_flush(session: Session, _context: object) -> None:
    session.info[_HAS_WRITTEN] = True


@event.listens_for(Session, "after_transaction_end")
def _note_end(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        session.info.pop(_HAS_WRITTEN, None)


def _lock(connection: Connection, table: type[Base] | None) -> None:
    if table is not None and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {table.__tablename__} IN SHARE ROW EXCLUSIVE MODE")


def _connect_autocommit(engine: Engine) -> Connection:
    return engine.execution_options(isolation_level="AUTOCOMMIT").connect()


@contextmanager
def _without_time_limit(connection: Connection) -> Iterator[None]:
    """Let statements of this connection to PostgreSQL take as long as they need within the block."""
    driver: Any = connection.connection.driver_connection
    limit, driver.time_limit = driver.time_limit, None
    try:
        if driver.has_server_limit:
            connection.exec_driver_sql("SET statement_timeout = 0")
        yield
        if driver.has_server_limit:
            connection.exec_driver_sql("RESET statement_timeout")
    except BaseException:
        connection.invalidate()  # its session may have no limit
        raise
    finally:
        driver.time_limit = limit


def _configure_sqlite(engine: Engine) -> None:
    with suppress(OSError):  # the first query reports an unusable path
        Path(engine.url.database or "").touch(mode=0o600)  # its -wal and -shm take the mode over
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    give_turns(engine)


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions too late
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", *pragmas):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A writer locks the database from the start: a later upgrade fails if another connection has written in between.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")
