"""Group commit: rows of the same moment share a transaction, and each thread learns what became of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from campaign.core import group_commit
from campaign.core.group_commit import MAX_BATCH, GroupCommit

SESSION = object()  # only handed on


class Store:
    """Remembers the batches that were committed; `bad` rows make a batch fail, `unwanted` ones are refused."""

    def __init__(self):
        self.batches = []
        self.bad, self.unwanted, self.attempts, self.is_away = set(), set(), 0, False
        self.begun, self.may_commit = Event(), Event()
        self.may_commit.set()

    def write(self, session, rows):
        assert session is SESSION
        self.begun.set()
        self.may_commit.wait(10)
        self.attempts += 1
        if self.is_away:
            raise PoolTimeoutError
        for row in rows:
            if row in self.bad:
                raise ValueError(row)
        self.batches.append(list(rows))
        return [KeyError(row) if row in self.unwanted else None for row in rows]

    @property
    def rows(self):
        return sorted(row for batch in self.batches for row in batch)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def queue(store):
    return GroupCommit(store.write)


@pytest.fixture
def submit_at_once(store, queue):
    """Submit one row, and others while it is being committed; returns each row's outcome."""

    def submit_at_once(*rows):
        def outcome(row):
            try:
                queue.submit(SESSION, row)
            except (KeyError, PoolTimeoutError, ValueError) as error:
                return type(error)
            return None

        store.may_commit.clear()
        with ThreadPoolExecutor(len(rows)) as pool:
            first = pool.submit(outcome, rows[0])
            assert store.begun.wait(10)
            others = [pool.submit(outcome, row) for row in rows[1:]]
            while len(queue._waiting) < len(others):
                pass
            store.may_commit.set()
            return [waiting.result() for waiting in (first, *others)]

    return submit_at_once


def test_a_single_row_is_committed_when_submit_returns(store, queue):
    queue.submit(SESSION, 1)
    assert store.batches == [[1]]
    queue.submit(SESSION, 2)
    assert store.batches == [[1], [2]]


def test_rows_that_come_during_a_commit_share_the_next_one(store, submit_at_once):
    assert submit_at_once(*range(20)) == [None] * 20
    assert len(store.batches) == 2
    assert store.rows == list(range(20))


def test_it_is_busy_while_rows_come_at_the_same_moment(queue, submit_at_once, monkeypatch):
    queue.submit(SESSION, 1)
    assert not queue.is_busy
    submit_at_once(*range(3))
    assert queue.is_busy
    monkeypatch.setattr(group_commit.time, "monotonic", lambda: queue._busy_until)
    assert not queue.is_busy


def test_a_batch_is_bounded(store, submit_at_once, monkeypatch):
    monkeypatch.setattr(group_commit, "MAX_BATCH", 4)
    submit_at_once(*range(11))
    assert [len(batch) for batch in store.batches] == [1, 4, 4, 2]
    assert MAX_BATCH == 256


def test_a_bad_row_takes_no_other_with_it(store, submit_at_once):
    store.bad = {5}
    outcomes = submit_at_once(*range(10))
    assert outcomes == [None] * 5 + [ValueError] + [None] * 4
    assert store.rows == [row for row in range(10) if row != 5]
    assert len(store.batches[1:]) == 8  # one by one


def test_rows_are_not_tried_one_by_one_at_a_database_that_is_away(store, submit_at_once):
    store.is_away = True
    assert submit_at_once(*range(10)) == [PoolTimeoutError] * 10
    assert store.attempts == 2  # of the first row, and of all others


def test_a_refused_row_takes_no_other_with_it(store, submit_at_once):
    store.unwanted = {3, 4}
    assert submit_at_once(*range(6)) == [None, None, None, KeyError, KeyError, None]
    assert len(store.batches) == 2


def test_after_an_error_the_next_row_is_written(store, queue):
    store.bad = {1}
    with pytest.raises(ValueError, match="1"):
        queue.submit(SESSION, 1)
    queue.submit(SESSION, 2)
    assert store.batches == [[2]]


def test_a_leader_that_is_interrupted_leaves_nobody_waiting(store, queue, monkeypatch):
    def interrupted(_session, _rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(queue, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        queue.submit(SESSION, 1)
    monkeypatch.setattr(queue, "_write", store.write)
    queue.submit(SESSION, 2)
    assert store.batches == [[2]]


def test_sixteen_threads_write_each_row_once(store, queue):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda row: queue.submit(SESSION, row), range(2000)))
    assert store.rows == list(range(2000))
