"""The audit log is kept, and changes to it are detected."""

import csv
import io

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from campaign.accounts import audit_log
from campaign.core.database import db
from tests.organisers import OrganiserBrowser


@pytest.fixture
def grace(campaign, invites) -> OrganiserBrowser:
    """Grace, newly registered."""
    grace = OrganiserBrowser(campaign, "grace@example.org")
    grace.comes_in(invites(grace.email, "--role", "owner"), exports=False)
    return grace


@pytest.fixture
def olga(campaign, invites) -> OrganiserBrowser:
    """Olga, who registered after her."""
    olga = OrganiserBrowser(campaign, "olga@example.org")
    olga.comes_in(invites(olga.email), exports=False)
    return olga


def test_the_page_shows_the_actor_of_each_action(grace):
    page = grace.get("/organise/activity").text
    assert "Invitation accepted" in page
    assert "grace@example.org" in page


def test_the_audit_log_can_be_downloaded(grace, olga):
    rows = list(csv.DictReader(io.StringIO(grace.get("/organise/activity.csv").data.decode("utf-8-sig"))))
    assert [row["action"] for row in rows] == ["invited", "came-in", "invited", "came-in"]
    assert [row["number"] for row in rows] == ["1", "2", "3", "4"]


def test_older_entries_are_on_further_pages(campaign, grace):
    with campaign.app.app_context():
        for number in range(60):
            audit_log.record(db.session, bytes(32), actor="trial", action="signed-in", number=number)
    page = grace.get("/organise/activity").text
    assert "number: <bdi>59" in page
    assert "Invitation accepted" not in page
    assert "Invitation accepted" in grace.get("/organise/activity?before=13").text


@pytest.mark.parametrize("change", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"])
def test_the_database_refuses_to_change_it(campaign, grace, change):
    with campaign.app.app_context(), pytest.raises(DatabaseError):
        db.session.execute(text(change))


CHANGES = [
    "UPDATE audit_log SET actor = 'nobody' WHERE number = 2",
    "UPDATE audit_log SET details = '{}' WHERE number = 1",
    "DELETE FROM audit_log WHERE number = 2",
    "INSERT INTO audit_log SELECT 4, occurred_at, actor, action, details, chain_hash FROM audit_log WHERE number = 3",
]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["", *CHANGES])
def test_tampering_with_the_audit_log_is_detected(campaign, grace, olga, change):
    with campaign.app.app_context():
        if change:
            _unguard(change)
        result = campaign.command("signatures", "check")
    assert result.exit_code == (1 if change else 0)
    assert ("broken at number" in result.output) == bool(change)


def _unguard(change: str) -> None:
    """Change the table as its owner could: without what guards it."""
    if db.engine.dialect.name == "sqlite":
        triggers = db.session.scalars(
            text("SELECT name FROM sqlite_master WHERE tbl_name = 'audit_log' AND type = 'trigger'")
        )
        for name in triggers.all():
            db.session.execute(text(f"DROP TRIGGER {name}"))
    else:
        db.session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
    if change.startswith("INSERT"):
        db.session.execute(text("DELETE FROM audit_log WHERE number = 4"))
    db.session.execute(text(change))
    db.session.commit()
