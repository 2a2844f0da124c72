"""No statement of a page, of a form or of the mail worker reads a whole table that grows with the campaign."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from campaign.context import mail_worker
from campaign.core.database import db

GROWING = ("signatures", "outbox", "email_slots", "suppressed_emails", "domain_emails", "used_challenges")
WANTED = "ix_outbox_reminders"  # holds nothing but the rows that are wanted when it is read


@contextmanager
def noted(engine):
    """Collect the statements within the block, each with its parameters."""
    statements = {}

    def note(_connection, _cursor, statement, parameters, _context, executemany):
        statements.setdefault(statement, parameters[0] if executemany else parameters)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def scans(engine, statements):
    """Return what the plans of `statements` read from its beginning to its end, of the tables that grow."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            return [
                (row[3], statement)
                for statement, parameters in statements.items()
                if not statement.startswith(("BEGIN", "PRAGMA"))
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                if row[3].startswith("SCAN ") and row[3].split()[1] in GROWING and WANTED not in row[3]
            ]
        connection.exec_driver_sql("SET enable_seqscan = off")  # then one is left only where no index would do
        return [
            (row[0], statement)
            for statement, parameters in statements.items()
            if not statement.startswith(("LOCK", "VACUUM"))
            for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            if any(f"Seq Scan on {table}" in row[0] for table in GROWING)
        ]


@pytest.fixture
def engine(campaign):
    """The engine of the campaign."""
    with campaign.app.app_context():
        return db.engine


@pytest.fixture
def receipt(ada):
    """The path of Ada's receipt."""
    return ada.confirms()


def test_pages_that_everybody_sees(campaign, engine, receipt):
    with noted(engine) as statements:
        for path in ("/en/", "/en/thanks", "/en/privacy", "/en/embed", "/count.json", "/readyz"):
            assert campaign.client.get(path).status_code == 200
    assert len(statements) > 5
    assert scans(engine, statements) == []


def test_pages_of_a_supporter(campaign, engine, receipt, ada):
    pending = campaign.persona("Olga", email="olga@example.org")
    pending.signs()
    link = pending.link()
    with noted(engine) as statements:
        assert campaign.client.get(link).status_code == 200
        assert campaign.client.post(link).status_code == 303
        assert campaign.client.get(receipt).status_code == 200
        assert campaign.client.post(f"{receipt}/withdraw").status_code == 200
    assert any("UPDATE signatures" in statement for statement in statements)
    assert scans(engine, statements) == []


def test_forms(campaign, engine, receipt, ada):
    olga = campaign.persona("Olga", email="olga@example.org")
    with noted(engine) as statements:
        olga.signs(ref=receipt.rpartition("/")[2][:11])
        ada.signs()
        campaign.client.post("/link", data={"email": "ada@example.org"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert any("INSERT INTO outbox" in statement for statement in statements)
    assert scans(engine, statements) == []


def test_the_mail_worker(campaign, engine, ada):
    ada.signs()
    campaign.persona("Olga", email="olga@example.org").signs()
    with noted(engine) as statements:
        assert mail_worker(campaign.app).send_batch() == 2
        mail_worker(campaign.app).send_batch()
    assert any("DELETE FROM outbox" in statement for statement in statements)
    assert scans(engine, statements) == []


def test_a_scan_would_be_noticed(campaign, engine, ada):
    with noted(engine) as statements, engine.connect() as connection:
        connection.exec_driver_sql("SELECT id FROM outbox WHERE attempts = 7")
    assert len(scans(engine, statements)) == 1
