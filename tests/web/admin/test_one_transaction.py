"""One action of an organiser is one transaction: without its entry in the audit log it does not happen."""

from contextlib import contextmanager

import pytest
from sqlalchemy import text

from campaign.core.database import db
from tests.organisers import OrganiserBrowser

SETTINGS = "/organise/settings"


@pytest.fixture
def backend() -> str:
    """Transactions are tested on both databases in `tests.core.test_transactions`."""
    return "sqlite"


@contextmanager
def audit_log_missing(campaign):
    """Rename the table of the audit log, so that nothing can be recorded."""
    with campaign.app.app_context():
        db.session.execute(text("ALTER TABLE audit_log RENAME TO away"))
        db.session.commit()
    try:
        yield
    finally:
        with campaign.app.app_context():
            db.session.execute(text("ALTER TABLE away RENAME TO audit_log"))
            db.session.commit()


def test_goals_and_contact_address_are_set_together(campaign, grace):
    form = {"goals": "200, 300", "contact": "first@example.org"}
    grace.posts(f"{SETTINGS}/goals", SETTINGS, **form)
    with campaign.app.app_context():
        # The second of the two settings cannot be stored.
        db.session.execute(
            text(
                "CREATE TRIGGER refuse BEFORE UPDATE ON settings WHEN NEW.name = 'contact' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
        db.session.commit()
    changed = {"goals": "1000", "contact": "second@example.org"}
    assert grace.posts_once(f"{SETTINGS}/goals", SETTINGS, **changed).status_code >= 500
    page = grace.get(SETTINGS).text
    assert "200 300" in page
    assert "first@example.org" in page
    assert "1000" not in grace.get("/organise/activity").text


def test_goals_that_cannot_be_recorded_are_not_set(campaign, grace):
    grace.posts(f"{SETTINGS}/goals", SETTINGS, goals="200", contact="")
    token = grace.token(SETTINGS)
    with audit_log_missing(campaign):
        answer = grace.client.post(f"{SETTINGS}/goals", data={"csrf_token": token, "goals": "900", "contact": ""})
        assert answer.status_code >= 500
    assert campaign.client.get("/count.json").json["goal"] == 200


def test_a_log_in_that_cannot_be_recorded_fails_and_can_be_continued(campaign, olga):
    browser = OrganiserBrowser(campaign, olga.email)
    browser.totp, browser._used = olga.totp, olga._used
    browser.gives_password()
    token, code = browser.token("/organise/sign-in/code"), browser.code()
    with audit_log_missing(campaign):
        answer = browser.client.post("/organise/sign-in/code", data={"csrf_token": token, "code": code})
        assert answer.status_code >= 500
        assert not browser.is_in()
    browser.gives_code(olga.codes[0])
    assert browser.is_in()


def test_a_registration_that_cannot_be_recorded_fails_and_can_be_repeated(campaign, invites):
    olga = OrganiserBrowser(campaign, "olga@example.org")
    invitation = invites(olga.email)
    with pytest.raises(AssertionError), audit_log_missing(campaign):
        olga.comes_in(invitation, exports=False)
    assert not olga.is_in()
    assert olga.posts(f"{invitation}/enter", f"{invitation}/codes").status_code == 303
    assert olga.is_in()
