"""The database of a campaign of the former release upgrades, and everything in it works.

`release_0_1_0.json` has the rows that release 0.1.0 left (revision 0010) after its pages and commands were used, the
secret key, and the keys, passwords and links that people kept. Only the invitation's expiry was put off.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.core.database import db
from campaign.core.migrations import alembic
from campaign.models import SuppressedEmail
from tests.conftest import Campaign, dispose
from tests.organisers import PASSPHRASE, OrganiserBrowser

FORMER = json.loads(Path(__file__).with_name("release_0_1_0.json").read_text())
HOUR_LATER = datetime.fromisoformat(FORMER["made_at"]) + timedelta(hours=1)


def store_former_rows() -> None:
    """Store the rows of the former release in the tables of its revision."""
    tables = sa.MetaData()
    tables.reflect(db.engine)
    with db.engine.begin() as connection:
        for table in tables.sorted_tables:
            if rows := FORMER["tables"].get(table.name):
                connection.execute(table.insert(), [stored_row(table, row) for row in rows])
        # Triggers count the confirmed signatures again, which the rows of `confirmed_totals` contain.
        connection.execute(tables.tables["signature_changes"].delete())


def stored_row(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    return {name: stored_value(table.c[name].type, value) for name, value in row.items()}


def stored_value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """Return `value`, which is written as in SQLite, as a value for a column of the type `kind`."""
    if value is None:
        return None
    if isinstance(value, dict):
        return bytes.fromhex(value["bytes"])
    if isinstance(kind, sa.DateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, sa.Boolean):
        return bool(value)
    return UUID(value) if isinstance(kind, sa.Uuid) else value


@pytest.fixture
def campaign(database_url, tmp_path) -> Iterator[Campaign]:
    """The campaign of the former release, upgraded an hour after its last use."""
    settings = Settings.load(
        instance=tmp_path, database_url=database_url, secret_key=FORMER["secret_key"], sign_limit=""
    )
    app = create_app(settings)
    with app.app_context():
        alembic.upgrade("0010")
        store_former_rows()
    with time_machine.travel(HOUR_LATER, tick=True):
        campaign = Campaign(app, FORMER["recovery_key"], settings)
        result = campaign.command("init")
        assert result.exit_code == 0, result.output
        assert "recovery key" not in result.output.lower()
        assert campaign.command("bot-check", "status").output == "on\n"
        campaign.command("bot-check", "off")
        yield campaign
    dispose(app)


@pytest.fixture
def grace(campaign) -> OrganiserBrowser:
    """Grace, who kept her password and her authenticator app."""
    grace = OrganiserBrowser(campaign, "grace@example.org")
    grace.totp = FORMER["totp_secret"]
    return grace


def export_with_recovery_key(campaign, *options: str) -> str:
    key_file = campaign.settings.instance / "recovery.key"
    key_file.write_text(campaign.recovery_key)
    result = campaign.command("signatures", "export", "--key-file", str(key_file), *options)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_table_of_the_former_release_has_rows_or_is_known_to_be_empty():
    empty = {name for name, rows in FORMER["tables"].items() if not rows}
    assert empty == {"mail_server", "passkeys", "short_lived_tokens", "signature_changes", "used_challenges"}


@pytest.mark.slow
def test_signatures_are_counted_shown_and_exported_with_new_ones(campaign):
    page = campaign.client.get("/en/").text
    assert "Ada" in page
    assert campaign.client.get("/count.json").json["goal"] == 5
    assert campaign.count() == 2
    campaign.persona("Noor", email="noor@example.org").confirms()
    assert campaign.count() == 3
    rows = export_with_recovery_key(campaign)
    assert all(text in rows for text in ("Lovelace", "For all who skate.", "Мария", "O'Hara", "Noor"))
    assert len(export_with_recovery_key(campaign, "--include-unconfirmed").splitlines()) == 1 + 5


@pytest.mark.slow
def test_links_of_sent_and_of_waiting_messages_work(campaign):
    ben = campaign.persona("Ben", email="ben@example.org")
    assert campaign.client.post(ben.link()).status_code == 303
    assert campaign.client.post(FORMER["pending_link"]).status_code == 303
    assert campaign.count() == 4
    assert "20 November 2026" in campaign.client.get(FORMER["receipt"]).text
    assert campaign.client.post(f"{FORMER['receipt']}/withdraw").status_code in (200, 303)
    assert campaign.count() == 3


def test_suppressed_email_addresses_stay_so(campaign):
    mallory = campaign.persona("Mallory", email="mallory@example.org")
    mallory.signs()
    assert mallory.mails() == []
    with campaign.app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(SuppressedEmail)) == 1


@pytest.mark.slow
def test_an_organiser_logs_in_and_exports(campaign, grace):
    grace.signs_in()
    assert "hello@example.org" in grace.get("/organise/settings").text
    form = {"purpose": "full", "dialect": "plain", "reason": "after the upgrade", "passphrase": PASSPHRASE}
    assert "Lovelace" in grace.posts("/organise/export", "/organise/export", **form).data.decode()
    log = grace.get("/organise/activity").text
    assert "before the upgrade" in log
    assert "after the upgrade" in log
    assert "FAIL" not in campaign.command("signatures", "check").output


@pytest.mark.slow
def test_a_backup_code_works(grace):
    grace.gives_password()
    assert grace.gives_code(FORMER["backup_codes"][0]).status_code == 303
    assert grace.is_in()


@pytest.mark.slow
def test_an_invitation_works_and_gives_the_right_to_export(campaign):
    olga = OrganiserBrowser(campaign, "olga@example.org")
    olga.comes_in(FORMER["invitation"])
    form = {"purpose": "full", "dialect": "plain", "reason": "first export", "passphrase": PASSPHRASE}
    assert "Lovelace" in olga.posts("/organise/export", "/organise/export", **form).data.decode()


@pytest.mark.slow
@pytest.mark.parametrize("change", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"])
def test_the_audit_log_verifies_and_cannot_be_changed(campaign, change):
    assert "FAIL" not in campaign.command("signatures", "check").output
    with campaign.app.app_context(), pytest.raises(sa.exc.DBAPIError, match="the audit log cannot be changed"):
        db.session.execute(sa.text(change))
