"""Statements whose parameters go straight to the database driver.

SQLAlchemy takes longer to bind the parameters of a row than SQLite takes to store it. Where thousands of rows a second
are written, the statement is compiled once, and only the conversion of values to the driver's types is left.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect


class DriverStatement:
    """A statement compiled for one dialect."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._is_positional = bool(compiled.positional)
        names = compiled.positiontup if compiled.positional else list(compiled.binds)
        self._binds = [(name, _converter(compiled.binds[name].type, dialect)) for name in names]
        binds = compiled.binds.items()
        self._literals: dict[str, object] = {name: bind.effective_value for name, bind in binds if not bind.required}

    def execute(self, connection: Connection, rows: Iterable[Mapping[str, object]]) -> None:
        """Execute the statement for each of `rows`, which may hold further values too."""
        connection.exec_driver_sql(self._sql, [self._bound({**self._literals, **row}) for row in rows])

    def _bound(self, values: Mapping[str, object]) -> Any:
        pairs = [(name, _converted(values[name], convert)) for name, convert in self._binds]
        return tuple(value for _, value in pairs) if self._is_positional else dict(pairs)


def _converted(value: object, convert: Callable[[object], object] | None) -> object:
    return convert(value) if convert else value


def _converter(type_: Any, dialect: Dialect) -> Callable[[object], object] | None:
    converter: Callable[[object], object] | None = type_.dialect_impl(dialect).bind_processor(dialect)
    return converter


def stream(connection: Connection, query: ClauseElement, rows: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield what `query` selects, up to `rows` at a time, as the driver returns it: without any conversion."""
    compiled: Any = query.compile(dialect=connection.dialect)
    state = compiled.construct_expanded_state()
    converters = {name: _converter(bind.type, connection.dialect) for name, bind in compiled.binds.items()}
    converters |= state.processors  # of the values of IN (…), which are numbered
    values = {name: _converted(value, converters.get(name)) for name, value in state.parameters.items()}
    driver: Any = connection.connection.driver_connection
    # A named cursor of PostgreSQL leaves the rows with the server; SQLite's driver has no other kind.
    cursor = driver.cursor(name="stream") if connection.dialect.name == "postgresql" else driver.cursor()
    with closing(cursor):
        cursor.execute(state.statement, [values[name] for name in state.positiontup] if state.positiontup else values)
        yield from iter(partial(cursor.fetchmany, rows), [])
