"""PostgreSQL databases that tests use one after the other: emptying one takes milliseconds, creating one a fifth of a
second.
"""

from dataclasses import dataclass, field
from typing import LiteralString
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

_MAX_GROWTH = 2_000_000  # bytes that deleted rows may take before the next test gets a new database
_TABLES: LiteralString = """
    SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"""
_SCHEMA: LiteralString = """
    SELECT md5(string_agg(line, '' ORDER BY line)) FROM (
        SELECT concat('r', oid, relname, relkind) AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat('a', attrelid, attname, atttypid, attnotnull, attnum)
            FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat('t', pg_trigger.oid, tgname, tgenabled) FROM pg_trigger
        UNION ALL SELECT concat('f', oid, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT concat('c', oid, conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT concat('s', array_to_string(setconfig, ' ')) FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS lines"""
_OTHERS: LiteralString = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_SEQUENCES: LiteralString = """
    SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"""


@dataclass
class DatabasePool:
    """Copies of the database `template` on `server`: each is used by one test at a time, and has no trace of others."""

    server: str
    template: str
    _free: list[str] = field(default_factory=list)
    _rows: dict[str, bytes] = field(default_factory=dict)
    _schema: str = ""
    _size: int = 0

    def take(self) -> str:
        """Return the URL of a database that is equal to the template."""
        if not self._schema:
            self._inspect_template()
        return self._free.pop() if self._free else new_database(self.server, self.template)

    def give_back(self, url: str) -> None:
        """Empty a database for the next test. One with another schema, much garbage or connections is not reused."""
        with psycopg.connect(url, autocommit=True) as connection:
            is_reusable = (
                _scalar(connection, _OTHERS) == 0
                and _scalar(connection, "SELECT pg_database_size(current_database())") < self._size + _MAX_GROWTH
                and self._schema_of(connection) == self._schema
            )
            if is_reusable:
                self._reset(connection)
                self._free.append(url)

    def _inspect_template(self) -> None:
        url = new_database(self.server, self.template)
        with psycopg.connect(url, autocommit=True) as connection:
            self._schema = self._schema_of(connection)
            self._size = _scalar(connection, "SELECT pg_database_size(current_database())")
            for table in _tables(connection):
                with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
                    self._rows[table] = b"".join(copy)
        self._free.append(url)

    def _reset(self, connection: psycopg.Connection) -> None:
        connection.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys
        with connection.transaction():
            for table, rows in self._rows.items():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                if rows:
                    command = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
                    with connection.cursor().copy(command) as copy:
                        copy.write(rows)
            connection.execute(_SEQUENCES)

    @staticmethod
    def _schema_of(connection: psycopg.Connection) -> str:
        """Return a hash of tables, columns, triggers, functions, constraints and settings of the database."""
        return _scalar(connection, _SCHEMA)


def new_database(server: str, template: str = "") -> str:
    """Return the URL of a new database: a copy of `template`, or an empty one."""
    name = f"test_{uuid4().hex}"
    execute(server, f"CREATE DATABASE {name}" + (f" TEMPLATE {template} STRATEGY file_copy" if template else ""))
    return database_on(server, name)


def database_on(server: str, name: str) -> str:
    """Return the URL of the database `name` on `server`."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def execute(server: str, statement: str) -> None:
    """Execute a statement outside of a transaction."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


def _tables(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute(_TABLES).fetchall()]


def _scalar(connection: psycopg.Connection, query: LiteralString):
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
