"""Bulk deletion: floods of fakes that match a filter, and expired data."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from campaign.core.database import db, utcnow
from campaign.maintenance import delete_expired
from campaign.models import OutboxMessage, Signature, SuppressedEmail
from campaign.petition import cleanup


def left(campaign) -> list[str]:
    """The channels of the signatures that are left, sorted."""
    with campaign.app.app_context():
        return sorted(via or "" for via in db.session.scalars(select(Signature.via)))


def rows(campaign, table) -> int:
    with campaign.app.app_context():
        return db.session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def burst(campaign):
    """One that was real, days ago; then three that came by Telegram from Russia, one of them confirmed."""
    with time_machine.travel(utcnow() - timedelta(days=3)):
        campaign.persona("Ada", email="ada@example.org", via="whatsapp").signs()
    for number in range(2):
        campaign.persona("Bot", email=f"bot{number}@example.org", via="telegram", country="RU").signs()
    campaign.persona("Bot", email="bot2@example.org", via="telegram", country="RU").confirms()


def ago(**time: float) -> str:
    return (utcnow() - timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("options", "stays"),
    [
        (("--via", "telegram"), ["whatsapp"]),
        (("--country", "ru"), ["whatsapp"]),
        (("--since", "1 day"), ["whatsapp"]),
        (("--until", "1 day"), ["telegram"] * 3),
        (("--via", "telegram", "--unconfirmed"), ["telegram", "whatsapp"]),
        (("--via", "telegram", "--until", "1 day"), ["telegram"] * 3 + ["whatsapp"]),
        (("--via", "none"), ["telegram"] * 3 + ["whatsapp"]),
        (("--language", "fr"), ["telegram"] * 3 + ["whatsapp"]),
    ],
)
def test_only_matching_signatures_are_erased(campaign, burst, options, stays):
    given = [ago(days=1) if option == "1 day" else option for option in options]
    result = campaign.command("signatures", "erase", "--yes", *given)
    assert result.exit_code == 0, result.output
    assert left(campaign) == stays


def test_the_count_and_the_mail_are_right_afterwards(campaign, burst):
    assert campaign.count() == 1
    campaign.persona("Bot", email="bot4@example.org", via="telegram").signs()
    result = campaign.command("signatures", "erase", "--yes", "--via", "telegram")
    assert result.output == "matching: 4 signatures, 1 of them confirmed\nerased: 4\n"
    assert campaign.count() == 0
    assert campaign.command("signatures", "check").exit_code == 0
    with campaign.app.app_context():
        assert set(db.session.scalars(select(OutboxMessage.signature_id))) <= set(
            db.session.scalars(select(Signature.id))
        )


def test_a_dry_run_only_says_how_many(campaign, burst):
    result = campaign.command("signatures", "erase", "--dry-run", "--via", "telegram")
    assert result.output == "matching: 3 signatures, 1 of them confirmed\n"
    assert len(left(campaign)) == 4


@pytest.mark.parametrize(("answer", "stay"), [("n\n", 4), ("y\n", 1)])
def test_erasing_asks_for_confirmation(campaign, burst, answer, stay):
    campaign.command("signatures", "erase", "--via", "telegram", input=answer)
    assert len(left(campaign)) == stay


@pytest.mark.parametrize("options", [(), ("--yes",), ("--dry-run",), ("--via", "carrier-pigeon"), ("--since", "soon")])
def test_without_a_description_nothing_is_erased(campaign, burst, options):
    assert campaign.command("signatures", "erase", *options).exit_code == 2
    assert len(left(campaign)) == 4


def test_a_signature_made_during_the_question_is_not_erased(campaign, burst, monkeypatch):
    late = campaign.persona("Real", email="real@example.org", via="telegram")
    monkeypatch.setattr("click.confirm", lambda *_, **__: late.signs())
    assert "erased: 3" in campaign.command("signatures", "erase", "--via", "telegram").output


def test_many_are_erased_batch_by_batch(campaign, monkeypatch):
    monkeypatch.setattr(cleanup, "BATCH", 7)
    campaign.command("signatures", "seed", "50")
    assert "erased: 50" in campaign.command("signatures", "erase", "--yes", "--until", "2999-01-01").output
    assert campaign.count() == 0


@pytest.fixture
def outlived(campaign):
    """Of 31 days ago: one unconfirmed with a dead letter, one confirmed, one refusal. And one unconfirmed of today."""
    with time_machine.travel(utcnow() - timedelta(days=31)):
        campaign.persona("Ada", email="ada@example.org").signs()
        campaign.persona("Olga", email="olga@example.org").confirms()
        campaign.persona("Olga", email="olga@example.org").signs()
        refusing = campaign.persona("Grace", email="grace@example.org")
        refusing.signs()
        campaign.client.post(f"{refusing.link()}/not-me")
        campaign.persona("Olga", email="olga@example.org").signs()
    campaign.persona("Maria", email="maria@example.org").signs()
    with campaign.app.app_context():
        db.session.execute(update(OutboxMessage).values(due_at=None))
        db.session.commit()


def test_purging_erases_expired_data(campaign, outlived):
    says = "signatures: 1\nrefusals: 1\n"
    assert says in campaign.command("signatures", "purge", "--dry-run").output
    assert (rows(campaign, Signature), rows(campaign, SuppressedEmail)) == (3, 1)
    assert says in campaign.command("signatures", "purge").output
    assert (rows(campaign, Signature), rows(campaign, SuppressedEmail), campaign.count()) == (2, 0, 1)
    with campaign.app.app_context():
        assert set(db.session.scalars(select(OutboxMessage.kind))) == {"confirmation"}


def test_the_server_purges_by_itself(campaign, outlived):
    delete_expired(campaign.app)
    assert (rows(campaign, Signature), rows(campaign, SuppressedEmail)) == (2, 0)


def test_two_windows_that_meet_share_nobody(campaign):
    campaign.persona("Ada", email="ada@example.org").signs()
    with campaign.app.app_context():
        moment = db.session.scalar(select(Signature.signed_at)).isoformat()
    assert "matching: 0" in campaign.command("signatures", "erase", "--dry-run", "--until", moment).output
    assert "matching: 1" in campaign.command("signatures", "erase", "--dry-run", "--since", moment).output
