"""Limits of emails: the pause of a mailbox counts from the delivery, and a mail domain has a daily budget."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import event, insert

from campaign.context import context_of
from campaign.core.database import db, transaction, utcnow
from campaign.mail import domain_budget, outbox
from campaign.mail.queue_status import is_late
from campaign.models import DomainEmailCount, OutboxMessage
from campaign.petition.cleanup import purge
from tests.mail.smtp_server import waiting, worker
from tests.personas import FROM_OUR_PAGE

pytestmark = pytest.mark.slow

NOON = datetime(2013, 11, 22, 12, tzinfo=UTC)


def sent_to(mailbox, address: str) -> int:
    return sum(mail["To"] == address for mail in mailbox.messages)


def signs(campaign, address: str, times: int = 1) -> None:
    for _ in range(times):
        campaign.persona("Ada", email=address).signs()


def test_an_email_that_was_given_up_does_not_count(posting, mailbox):
    mailbox.refusal = "550 no such user"
    signs(posting, "ada@example.org", times=3)
    worker(posting).drain()
    mailbox.refusal = ""
    signs(posting, "ada@example.org", times=4)
    worker(posting).drain()
    assert sent_to(mailbox, "ada@example.org") == 3


def confirmed(posting, mailbox, address: str) -> None:
    signs(posting, address)
    worker(posting).drain()
    body = mailbox.messages[-1].get_body(("plain",)).get_content()
    posting.client.post("/confirm/" + body.split("/confirm/")[1].split()[0])


def test_a_notice_that_was_given_up_is_sent_again_at_the_next_attempt(posting, mailbox):
    confirmed(posting, mailbox, "ada@example.org")
    mailbox.refusal = "550 no such user"
    signs(posting, "ada@example.org")
    worker(posting).drain()
    mailbox.refusal = ""
    signs(posting, "ada@example.org", times=2)
    worker(posting).drain()
    assert sent_to(mailbox, "ada@example.org") == 2


def test_a_notice_that_waits_is_not_doubled_however_long_it_waits(posting, mailbox):
    confirmed(posting, mailbox, "ada@example.org")
    mailbox.refusal = "451 try later"
    signs(posting, "ada@example.org")
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(days=2), tick=False) as traveller:
        signs(posting, "ada@example.org")
        mailbox.refusal = ""
        worker(posting).drain()
        assert sent_to(mailbox, "ada@example.org") == 2
        traveller.shift(timedelta(hours=23))  # more than a day after it was asked for, less since it came
        signs(posting, "ada@example.org")
        worker(posting).drain()
        assert sent_to(mailbox, "ada@example.org") == 2


def test_confirmations_that_wait_for_days_are_not_joined_by_more(posting, mailbox):
    mailbox.refusal = "451 try later"
    signs(posting, "ada@example.org", times=3)
    worker(posting).drain()
    with time_machine.travel(utcnow() + timedelta(days=2)):
        signs(posting, "ada@example.org", times=3)
        mailbox.refusal = ""
        worker(posting).drain()
        assert sent_to(mailbox, "ada@example.org") == 3


def test_a_retry_sends_no_more_to_a_mailbox_than_a_day_allows(posting, mailbox):
    mailbox.refusal = "552 5.2.2 mailbox full"
    for _ in range(3):
        signs(posting, "ada@example.org", times=3)
        worker(posting).drain()
    mailbox.refusal = ""
    assert "due again: 3" in posting.command("mail", "retry").output
    signs(posting, "ada+tag@example.org")
    worker(posting).drain()
    assert len(mailbox.messages) == 3
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)):
        assert "due again: 3" in posting.command("mail", "retry").output


def test_emails_that_come_back_after_a_fault_of_the_server_are_not_more_than_a_day_allows(posting, mailbox):
    mailbox.refusal = "550 rejected"
    for _ in range(3):
        signs(posting, "ada@example.org", times=3)
        worker(posting).drain()
    signs(posting, "olga@example.org")
    signs(posting, "grace@example.org")
    worker(posting).drain()
    mailbox.refusal = ""
    worker(posting).drain()
    assert [sent_to(mailbox, f"{name}@example.org") for name in ("ada", "olga", "grace")] == [3, 1, 1]


def test_an_email_that_was_erased_unsent_frees_its_place(posting, mailbox):
    signs(posting, "ada@example.org", times=3)
    posting.command("signatures", "erase", "--yes", "--unconfirmed")
    signs(posting, "ada@example.org", times=4)
    worker(posting).drain()
    assert sent_to(mailbox, "ada@example.org") == 3


@pytest.mark.settings(reminder_hours=48)
def test_an_address_has_one_reminder_to_come_however_many_submissions(campaign, ada):
    for _ in range(3):
        ada.signs()
    assert len(ada.mails()) == 3
    assert waiting(campaign).reminders == 1


small_budget = pytest.mark.settings(domain_limit=2)


@small_budget
def test_a_domain_gets_its_daily_budget_and_the_rest_the_next_day(posting, mailbox):
    with time_machine.travel(NOON, tick=False) as traveller:
        for number in range(5):
            signs(posting, f"ada{number}@school.example")
        signs(posting, "ada@other.example")
        worker(posting).drain()
        assert (len(mailbox.messages), sent_to(mailbox, "ada@other.example")) == (3, 1)
        with posting.app.app_context():
            assert waiting(posting).waiting == 0  # a held message is not late
            assert not is_late(db.session)
        for expected in (5, 6):
            traveller.shift(timedelta(days=1))
            worker(posting).drain()
            assert len(mailbox.messages) == expected


@small_budget
def test_a_long_queue_of_one_domain_holds_up_no_other(posting, mailbox):
    for number in range(30):
        signs(posting, f"ada{number}@school.example")
    signs(posting, "ada@other.example")
    worker(posting).drain()
    assert sent_to(mailbox, "ada@other.example") == 1


@pytest.mark.parametrize("kind", ["confirmation", "already_signed", "blank"])
def test_thousands_beyond_the_budget_are_put_off_together(posting, kind):
    """One by one, 20,000 of them took a worker a quarter of a minute each night."""
    key = context_of(posting.app).keys.outbox
    recipients = [outbox.Recipient(f"ada{number}@school.example", "en") for number in range(2500)]
    rows = [asdict(outbox.new_message(key, recipient)) for recipient in recipients]
    with posting.app.app_context():
        with transaction(db.session):
            db.session.execute(insert(OutboxMessage), [row | {"kind": kind} for row in rows])
            domain_budget.count_sent(db.session, {rows[0]["domain_hash"]: 1})
            domain_budget.count_sent(db.session, {rows[0]["domain_hash"]: 1})
        statements = []
        event.listen(db.engine, "before_cursor_execute", lambda *about: statements.append(about))
        assert outbox.claim(db.session, key, most=10, domain_limit=2) == []
        assert len(statements) < 40
        [full] = domain_budget.full_domains(db.session)
        assert (full.sent, full.held) == (2, 2500)
    assert "due now: 2500" in posting.command("mail", "release", "school.example").output


@pytest.mark.parametrize(
    "domain", ["gmail.com", "yahoo.co.uk", "mail.ru", "hotmail.fr", "outlook.com", "gmx.de", "live.com.mx"]
)
@small_budget
def test_large_providers_have_no_budget(posting, mailbox, domain):
    for number in range(4):
        signs(posting, f"ada{number}@{domain}")
    worker(posting).drain()
    assert len(mailbox.messages) == 4


@pytest.mark.parametrize(
    "domain", ["yahoo.evil.example", "live.school.edu", "mygmail.com", "school.co.uk", "gmail.com.evil.example"]
)
def test_a_domain_that_only_resembles_a_large_provider_has_a_budget(domain):
    assert domain_budget.domain_hash(bytes(32), domain) is not None


@small_budget
def test_an_email_that_did_not_arrive_uses_up_no_budget(posting, mailbox):
    mailbox.refusal = "451 try later"
    for number in range(2):
        signs(posting, f"ada{number}@school.example")
    worker(posting).drain()
    mailbox.refusal = ""
    with time_machine.travel(utcnow() + outbox.PAUSES[0] + timedelta(seconds=1)):
        worker(posting).drain()
    assert len(mailbox.messages) == 2


@small_budget
def test_a_domain_is_readable_only_once_its_budget_is_used_up_and_for_two_days(posting, mailbox):
    with time_machine.travel(NOON, tick=False) as traveller, posting.app.app_context():
        for number in range(2):
            signs(posting, f"ada{number}@school.example")
        worker(posting).drain()
        assert domain_budget.full_domains(db.session) == []
        signs(posting, "ada2@school.example")
        worker(posting).drain()
        [full] = domain_budget.full_domains(db.session)
        assert (full.domain, full.sent, full.held) == ("school.example", 2, 1)
        traveller.shift(timedelta(days=1))
        purge(db.session)
        assert len(domain_budget.full_domains(db.session)) == 1
        traveller.shift(timedelta(days=1))
        purge(db.session)
        assert db.session.query(DomainEmailCount).count() == 0


@small_budget
def test_held_messages_are_sent_once_an_operator_releases_them(posting, mailbox):
    for number in range(4):
        signs(posting, f"ada{number}@school.example")
    worker(posting).drain()
    assert "due now: 2" in posting.command("mail", "release", "School.Example").output
    signs(posting, "ada9@school.example")
    worker(posting).drain()
    assert len(mailbox.messages) == 5


def test_releasing_a_large_provider_says_that_it_has_no_limit(posting):
    assert "no limit" in posting.command("mail", "release", "gmail.com").output


@small_budget
def test_the_link_that_was_asked_for_is_never_held(posting, mailbox):
    confirmed(posting, mailbox, "ada@school.example")
    for number in range(3):
        signs(posting, f"ada{number}@school.example")
    posting.client.post("/link", data={"email": "ada@school.example"}, headers=FROM_OUR_PAGE)
    worker(posting).drain()
    assert sent_to(mailbox, "ada@school.example") == 2


@pytest.mark.parametrize("kind", ["new", "pending", "beyond", "known", "told", "refused"])
def test_a_used_up_domain_does_not_reveal_who_signed(posting, mailbox, kind):
    """A colleague enters Grace's address when the office may get two more emails today, and waits for a second one."""
    office = "grace@office.example"
    with time_machine.travel(NOON, tick=False):
        signs(posting, office, times={"pending": 1, "beyond": 3, "refused": 1}.get(kind, 0))
        worker(posting).drain()
        if kind in ("known", "told"):
            confirmed(posting, mailbox, office)
        if kind == "told":
            signs(posting, office)
        if kind == "refused":
            body = mailbox.messages[-1].get_body(("plain",)).get_content()
            posting.client.post("/confirm/" + body.split("/confirm/")[1].split()[0] + "/not-me")
        worker(posting).drain()
        with posting.app.app_context():
            used = sum(row.sent for row in db.session.query(DomainEmailCount))
        limited = worker(posting)
        limited._domain_limit = used + 2
        for address in ("mallory1@office.example", office, "mallory2@office.example"):
            signs(posting, address)
            limited.drain()
        assert [sent_to(mailbox, f"mallory{number}@office.example") for number in (1, 2)] == [1, 0]
