"""Anonymous hourly counters, added up in memory and written every few seconds, so that counting is fast."""

from collections import Counter
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from campaign.core.database import Base, insert, retry_on_deadlock, transaction, utcnow

_Key = tuple[type[Base], datetime, tuple[tuple[str, str | int], ...]]


class Counters:
    """Counts of this process that are not in the database yet. A kill loses a few seconds of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[_Key] = Counter()

    def count(self, table: type[Base], **key: str | int) -> None:
        """Count one in the row of `table` with this hour and `key`, its primary key."""
        hour = utcnow().replace(minute=0, second=0, microsecond=0)
        with self._lock:
            self._counts[table, hour, tuple(key.items())] += 1

    def write(self, session: Session) -> None:
        """Add the counts to the tables. On failure (`SQLAlchemyError`) they are kept for the next call."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            retry_on_deadlock(lambda: _write(session, counts))
        except SQLAlchemyError:
            with self._lock:
                self._counts.update(counts)
            raise


def _write(session: Session, counts: Counter[_Key]) -> None:
    if not counts:
        return
    with transaction(session):
        for (table, hour, key), number in counts.items():
            session.execute(_upsert(session, table, {"hour": hour, **dict(key)}, number))


def _upsert(session: Session, table: type[Base], key: dict[str, Any], number: int) -> Any:
    """Add `number` to the one column of `table` that is not in its key."""
    [number_column] = (column for column in table.__table__.columns if column.name not in key)
    new = insert(session, table).values(**key, **{number_column.name: number})
    return new.on_conflict_do_update(index_elements=list(key), set_={number_column.name: number_column + number})
