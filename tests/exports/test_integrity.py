"""The count, the goals, and the integrity check."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import update

from campaign.core.database import db
from campaign.exports.integrity import findings
from campaign.models import DataKey, Signature
from campaign.petition.goals import goal_for


@pytest.mark.parametrize(
    ("count", "goal"), [(0, 100), (99, 100), (100, 250), (123, 250), (999, 1000), (1_000_000, 2_500_000)]
)
def test_the_goal_is_the_next_round_number(count, goal):
    assert goal_for(count) == goal


def test_check_finds_no_fault_after_normal_use(campaign, ada):
    ada.confirms()
    campaign.persona("Olga", email="olga@example.org").signs()
    result = campaign.command("signatures", "check")
    assert result.exit_code == 0
    assert "count 1, export 1, confirmed rows 1" in result.output


def test_check_notices_synthetic_signatures_among_real_ones(campaign, ada):
    campaign.command("signatures", "seed", "3")
    assert campaign.command("signatures", "check").exit_code == 0
    ada.signs()
    result = campaign.command("signatures", "check")
    assert (result.exit_code, "FAIL  no synthetic signatures among real ones (3 among 1)" in result.output) == (1, True)


def test_check_notices_a_stump(campaign, ada):
    ada.confirms()
    with campaign.app.app_context():
        db.session.execute(update(Signature).values(encrypted_person=b"short"))
        db.session.commit()
    result = campaign.command("signatures", "check")
    assert (result.exit_code, "FAIL  every sealed row is whole (1 too short: " in result.output) == (1, True)


def test_check_notices_a_data_key_that_is_not_whole(campaign, ada):
    ada.confirms()
    with campaign.app.app_context():
        db.session.execute(update(DataKey).values(encrypted_key=b""))
        db.session.commit()
    assert "FAIL  every data key is whole (1 of another length: " in campaign.command("signatures", "check").output


def test_check_notices_a_lost_data_key(campaign):
    campaign.persona("Ada", email="ada@example.org").confirms()
    with closing(careless_connection(campaign)) as careless:
        careless.execute("DELETE FROM data_keys")
        careless.commit()
    with campaign.app.app_context():
        wrong = [finding.subject for finding in findings(db.session) if not finding.holds]
    assert wrong == ["every signature has its data key"]


def careless_connection(campaign):
    """A connection that does not look after foreign keys."""
    if not campaign.settings.database_url:
        return sqlite3.connect(campaign.settings.instance / "campaign.sqlite3")
    connection = psycopg.connect(campaign.settings.database_url)
    connection.execute("SET session_replication_role = replica")
    return connection
