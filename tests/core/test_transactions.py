"""Write transactions: nested blocks are one transaction, and nobody's changes are lost."""

import pytest
from sqlalchemy import delete, insert, select

from campaign.core.database import call_after_commit, db, transaction, utcnow
from campaign.models import FeatureFlag


@pytest.fixture
def session(campaign):
    with campaign.app.app_context():
        yield db.session


def add(session, name: str) -> None:
    with transaction(session):
        session.execute(insert(FeatureFlag).values(name=name, enabled_at=utcnow()))


def stored(campaign) -> set[str]:
    """Return what another session sees."""
    with campaign.app.app_context():
        return set(db.session.scalars(select(FeatureFlag.name)))


def test_nested_blocks_are_committed_together(campaign, session):
    with transaction(session):
        add(session, "one")
        add(session, "two")
        assert stored(campaign) == set()
    assert stored(campaign) == {"one", "two"}


def test_an_error_undoes_what_nested_blocks_have_done(campaign, session):

    def fail_after_both() -> None:
        with transaction(session):
            add(session, "one")
            add(session, "two")
            raise ValueError("after both")

    with pytest.raises(ValueError, match="after both"):
        fail_after_both()
    add(session, "three")
    assert stored(campaign) == {"three"}


def test_reads_before_a_block_do_no_harm(campaign, session):
    assert session.scalars(select(FeatureFlag.name)).all() == []
    add(session, "one")
    assert stored(campaign) == {"one"}


def an_insert(session) -> None:
    session.execute(insert(FeatureFlag).values(name="earlier", enabled_at=utcnow()))


def a_delete(session) -> None:
    session.execute(delete(FeatureFlag))


def a_pending_object(session) -> None:
    session.add(FeatureFlag(name="earlier", enabled_at=utcnow()))


def a_flushed_object(session) -> None:
    a_pending_object(session)
    session.flush()


@pytest.mark.parametrize("write", [an_insert, a_delete, a_pending_object, a_flushed_object])
def test_changes_made_outside_of_a_block_are_reported_and_not_rolled_back(campaign, session, write):
    write(session)
    with pytest.raises(RuntimeError, match="outside of transaction"):
        add(session, "one")
    session.commit()
    assert stored(campaign) == (set() if write is a_delete else {"earlier"})
    add(session, "one")
    assert "one" in stored(campaign)


def test_callbacks_run_after_the_outermost_commit(campaign, session):
    seen = []
    with transaction(session):
        with transaction(session):
            session.execute(insert(FeatureFlag).values(name="one", enabled_at=utcnow()))
            call_after_commit(session, lambda: seen.append(stored(campaign)))
        assert seen == []
    assert seen == [{"one"}]


def test_callbacks_do_not_run_after_a_rollback(session):
    seen = []

    def fail() -> None:
        with transaction(session):
            call_after_commit(session, lambda: seen.append("never"))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    add(session, "one")
    assert seen == []
