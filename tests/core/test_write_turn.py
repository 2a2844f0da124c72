"""Turns of SQLite's writers: one at a time, in every process, and nobody waits without end."""

import multiprocessing
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from stat import S_IMODE
from threading import Event

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from campaign.core import write_turn as turns
from campaign.core.database import core_transaction, transaction
from campaign.core.write_turn import give_turns, write_turn


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/campaign.sqlite3")
    give_turns(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    yield engine
    engine.dispose()


def test_threads_write_one_after_the_other(engine):
    inside, most = 0, 0

    def write(_):
        nonlocal inside, most
        with write_turn(engine):
            inside += 1
            most = max(most, inside)
            time.sleep(0.001)
            inside -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(50)))
    assert most == 1


@pytest.mark.parametrize("begin", [transaction, core_transaction])
def test_a_transaction_waits_for_its_turn(engine, begin):
    entered = Event()

    def write():
        with Session(engine) as session, begin(session):
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with write_turn(engine):
            waiting = pool.submit(write)
            assert not entered.wait(0.2)
        waiting.result(10)
    assert entered.is_set()


def _hold(url, held, may_end):
    engine = create_engine(url)
    give_turns(engine)
    with write_turn(engine):
        held.set()
        may_end.wait(10)


def test_another_process_waits_and_one_that_is_killed_gives_its_turn_back(engine):
    fork = multiprocessing.get_context("fork")
    held = fork.Event()
    process = fork.Process(target=_hold, args=(str(engine.url), held, fork.Event()))
    process.start()
    assert held.wait(10)
    entered = Event()

    def write():
        with write_turn(engine):
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(write)
        assert not entered.wait(0.2)
        process.kill()
        waiting.result(10)
    process.join()


def test_a_fork_does_not_share_the_turn_of_its_parent(engine):
    with write_turn(engine):
        pass  # opens the file in this process
    fork = multiprocessing.get_context("fork")
    held, may_end = fork.Event(), fork.Event()
    process = fork.Process(target=_hold_inherited, args=(engine, held, may_end))
    with write_turn(engine):
        process.start()
        assert not held.wait(0.2)
    assert held.wait(10)
    may_end.set()
    process.join()


def _hold_inherited(engine, held, may_end):
    turns._turns[engine]._lock = turns.Lock()  # a thread of the parent held it at the fork
    with write_turn(engine):
        held.set()
        may_end.wait(10)


def test_who_waits_too_long_is_told_that_the_database_is_busy(engine, monkeypatch):
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.1)
    with write_turn(engine), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: write_turn(engine).__enter__())
        with pytest.raises(OperationalError) as refused:
            waiting.result(10)
    assert isinstance(refused.value.orig, sqlite3.OperationalError)


def test_the_file_can_be_read_by_its_owner_only(engine, tmp_path):
    with write_turn(engine):
        assert S_IMODE((tmp_path / "campaign.sqlite3-turn").stat().st_mode) == 0o600


def test_an_error_gives_the_turn_back(engine):
    with pytest.raises(ValueError, match="wrong"), write_turn(engine):
        raise ValueError("wrong")
    with write_turn(engine):
        pass
