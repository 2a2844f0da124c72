"""Connections to PostgreSQL that give up in time, on a server that is away, frozen, or changing its role."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from campaign.core.database import READ_ONLY_SQL_TRANSACTION, ConnectionOptions

CONNECT_SECONDS = 3  # for each host of the address
GRACE_SECONDS = 1  # that the server has to end a statement itself, before the connection is given up
REST_SECONDS = 1.0  # after a failed connection, in which no other is tried
NETWORK_MILLISECONDS = 10_000  # unanswered data: the host or its network is gone

Value = TypeVar("Value")


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server does not answer in time; the kernel of a frozen one still does."""

    time_limit: float | None = None  # seconds
    has_server_limit = False  # whether the session has a limit too
    give_up: Callable[[], None] = staticmethod(lambda: None)

    def wait(self, gen: PQGen[Value], interval: float = 0.1, timeout: float | None = None) -> Value:
        """Return the result of `gen`. Raises `psycopg.OperationalError` when it takes too long."""
        limit = self.time_limit if timeout is None else timeout
        began = time.monotonic()
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            if error.sqlstate is None and limit is not None and time.monotonic() > began + limit:
                self.pgconn.finish()  # its state is unknown
                self.give_up()
            raise


class _Gate:
    """Lets one connection at a time be tried while the server is away; the others fail at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_open, self._next_try = True, 0.0

    def close(self) -> None:
        """Note that the server does not answer."""
        with self._lock:
            self._is_open, self._next_try = False, time.monotonic() + REST_SECONDS

    def passes(self) -> bool:
        """Return whether a connection may be tried now."""
        with self._lock:
            if self._is_open:
                return True
            if time.monotonic() < self._next_try:
                return False
            self._next_try = float("inf")  # until it has succeeded or failed
            return True

    def open(self) -> None:
        """Note that the server answers."""
        with self._lock:
            self._is_open = True


def init_postgresql(engine: Engine, options: ConnectionOptions) -> None:
    """Make the connections of `engine` behave as `options` say."""
    gate = _Gate()

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: dict[str, Any]) -> BoundedConnection:
        if not gate.passes():
            raise psycopg.OperationalError("the database did not answer a moment ago")
        try:
            connection = BoundedConnection.connect(*arguments, **_defaults(options) | parameters)
        except BaseException:
            gate.close()
            raise
        gate.open()
        connection.give_up = gate.close
        if options.seconds:
            connection.time_limit = options.seconds + GRACE_SECONDS
            connection.has_server_limit = not options.has_pgbouncer
        return connection

    @event.listens_for(engine, "handle_error")
    def drop_standby(context: ExceptionContext) -> None:
        """Drop connections to a server that became a standby; new ones go to the new primary."""
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY_SQL_TRANSACTION:
            context.is_disconnect = True


def _defaults(options: ConnectionOptions) -> dict[str, Any]:
    """Return the connection parameters that the address may override."""
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": NETWORK_MILLISECONDS,
        "application_name": "campaign",
    }
    if options.has_pgbouncer:
        return defaults | {"prepare_threshold": None}
    if options.seconds:
        milliseconds = options.seconds * 1000
        defaults["options"] = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
    return defaults
