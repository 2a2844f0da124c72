"""The databases that are measured: SQLite, and a PostgreSQL of our own where there is one."""

from collections.abc import Iterator

from tests import services


def databases() -> Iterator[tuple[str, str]]:
    """Yield name and address (empty for SQLite) of an empty database of each kind, which lives until the next."""
    yield "sqlite", ""
    if reason := services.why_no_postgresql():
        print(f"LEFT OUT: PostgreSQL ({reason})", flush=True)
        return
    with services.postgresql() as url:
        yield "postgresql", url
