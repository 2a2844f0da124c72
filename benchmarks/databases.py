"""The databases that are measured: SQLite, and a PostgreSQL of our own where there is one."""

from collections.abc import Iterator

from tests import services


def databases(*, durable: bool = False, **environment: str) -> Iterator[tuple[str, str]]:
    """Yield name and address (empty for SQLite) of an empty database of each kind, which lives until the next.

    A `durable` one waits for the disk at each commit; `environment` is added to that of its server.
    """
    yield "sqlite", ""
    if reason := services.why_no_postgresql():
        print(f"LEFT OUT: PostgreSQL ({reason})", flush=True)
        return
    with services.postgresql(durable=durable, **environment) as url:
        yield "postgresql", url
