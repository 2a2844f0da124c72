"""Several submissions with one address: the link in an email confirms the submission it was sent for."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import delete, func, select

from campaign.core.database import db, utcnow
from campaign.models import EmailSlot, OutboxMessage, Signature, SuppressedEmail
from campaign.petition.cleanup import purge
from tests.personas import FROM_OUR_PAGE, path_in

NOON = datetime(2013, 11, 22, 12, tzinfo=UTC)


def rows(campaign, table=Signature) -> int:
    with campaign.app.app_context():
        return db.session.scalar(select(func.count()).select_from(table))


def code(campaign, receipt: str) -> str:
    """The referral code on a supporter's receipt."""
    return re.search(r"\?ref=([\w-]{11})", campaign.client.get(receipt).text)[1]


def subjects(person) -> Counter:
    return Counter(mail["Subject"] for mail in person.mails())


def links(person) -> list[str]:
    return [path_in(mail) for mail in person.mails()]


def together(count: int, act) -> list:
    """Call `act(0)` to `act(count - 1)` in threads that start at the same moment."""
    barrier = Barrier(count)

    def run(number: int):
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_link_confirms_the_submission_it_was_sent_for(campaign, mallory, ada):
    receipt = mallory.confirms()
    ada.signs(ref=code(campaign, receipt), country="FR")  # Mallory types Ada's address first
    ada.signs(country="NO")
    theirs, own = links(ada)
    campaign.client.post(own)
    with campaign.app.app_context():
        stored = select(Signature.country, Signature.referred_by).where(
            Signature.referral_code != code(campaign, receipt)
        )
        assert db.session.execute(stored).all() == [("NO", None)]
    assert campaign.client.post(theirs).status_code == 404
    assert campaign.count() == 2


def test_the_first_one_confirmed_wins_and_takes_the_queued_emails_of_the_others_along(campaign, ada):
    ada.signs()
    first = ada.link()
    ada.signs()
    campaign.client.post(first)
    assert (rows(campaign), rows(campaign, OutboxMessage)) == (1, 0)
    assert len(ada.mails()) == 1


def test_the_link_of_a_superseded_submission_explains_itself(campaign, ada):
    for _ in range(2):
        ada.signs()
    lost, won = links(ada)
    campaign.client.post(won)
    for answer in (campaign.client.get(lost), campaign.client.post(lost)):
        assert (answer.status_code, "another email" in answer.text) == (404, True)


def test_three_submissions_a_day_get_an_email_and_no_more_are_stored(campaign, ada):
    for _ in range(5):
        ada.signs()
    assert subjects(ada) == {"Please confirm your email address": 3}
    assert (rows(campaign), len(set(links(ada)))) == (3, 3)
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)):
        ada.signs()
        assert subjects(ada) == {"Please confirm your email address": 4}


def test_an_address_that_has_signed_gets_one_notice_a_day(campaign, ada):
    ada.confirms()
    for _ in range(3):
        ada.signs()
    assert subjects(ada) == {"Please confirm your email address": 1, "Your link": 1}
    assert "Someone used this email address to sign" in ada.mails()[-1].get_body(("plain",)).get_content()
    assert rows(campaign) == 1
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)):
        ada.signs()
        assert subjects(ada)["Your link"] == 2


def test_the_notice_leads_to_the_signature_that_counts(campaign, ada):
    receipt = ada.confirms()
    ada.signs()
    assert campaign.client.get(ada.link()).headers["Location"] == receipt


def test_sixteen_at_the_same_moment_get_three_emails_at_most(campaign, ada):
    ada.signs(email="grace@example.org")  # so that the data key is there
    answers = together(16, lambda _: post_in_a_client_of_its_own(campaign, "/sign", ada.fields))
    assert set(answers) == {303}
    assert 1 <= len(ada.mails()) <= 3
    assert rows(campaign) == len(ada.mails()) + 1
    for _ in range(3):  # those that only met by chance leave the rest of the day's emails free
        ada.signs()
    assert len(ada.mails()) == 3


def test_of_submissions_confirmed_at_the_same_moment_one_counts(campaign, ada):
    for _ in range(3):
        ada.signs()
    tokens = links(ada)
    answers = together(3, lambda number: post_in_a_client_of_its_own(campaign, tokens[number], {}))
    assert sorted(answers) == [303, 404, 404]
    assert (rows(campaign), campaign.count()) == (1, 1)


def test_signing_confirming_and_erasing_at_the_same_moment_break_nothing(campaign, ada):
    for _ in range(3):
        ada.signs()
    tokens = links(ada)
    acts = [*tokens, f"{tokens[0]}/not-me", tokens[1], f"{tokens[2]}/not-me", "/sign", "/sign", "/sign"]
    answers = together(len(acts), lambda n: post_in_a_client_of_its_own(campaign, acts[n], ada.fields))
    assert set(answers) <= {200, 303, 404}
    campaign.send_mail()
    assert campaign.command("signatures", "check").exit_code == 0
    with campaign.app.app_context():
        confirmed = select(func.count()).where(Signature.confirmed_at.is_not(None))
        assert db.session.scalar(confirmed) == campaign.count() <= 1


def test_a_notice_to_an_owner_who_withdraws_at_that_moment_breaks_nothing(campaign, ada):
    for _ in range(4):
        token = ada.confirms().rpartition("/")[2]
        acts = [f"/receipt/{token}/withdraw", "/sign", "/sign", "/sign"]
        answers = together(4, lambda n, acts=acts: post_in_a_client_of_its_own(campaign, acts[n], ada.fields))
        assert sorted(answers) == [200, 303, 303, 303]
        campaign.send_mail()
        with campaign.app.app_context():
            db.session.execute(delete(EmailSlot))  # so that the next round gets its emails
            db.session.execute(delete(Signature))
            db.session.commit()


def post_in_a_client_of_its_own(campaign, path: str, fields: dict[str, str]) -> int:
    return campaign.app.test_client().post(path, data=fields, headers=FROM_OUR_PAGE).status_code


def test_it_was_not_me_erases_all_pending_submissions_of_the_address(campaign, ada):
    for _ in range(3):
        ada.signs()
    campaign.client.post(f"{links(ada)[1]}/not-me")
    assert rows(campaign) == 0
    ada.signs()
    assert (rows(campaign), len(ada.mails())) == (0, 3)


def test_it_was_not_me_on_a_submission_that_lost_leaves_the_signature(campaign, ada):
    for _ in range(2):
        ada.signs()
    theirs, own = links(ada)
    campaign.client.post(own)
    campaign.client.post(f"{theirs}/not-me")
    assert campaign.count() == 1


@pytest.fixture
def straggler(campaign, ada) -> tuple[str, str]:
    """A submission that came at the very moment when another with its address was confirmed: its link, and the other's.

    A request has looked for a confirmed signature and not found it; so a pending one is stored beside it.
    """
    for _ in range(2):
        ada.signs()
    late, won = links(ada)
    with campaign.app.app_context():
        newest = db.session.scalars(select(Signature).order_by(Signature.id.desc())).first()
        newest.confirmed_at = utcnow()
        db.session.commit()
    return late, won


def test_a_submission_beside_a_confirmed_one_cannot_be_confirmed(campaign, straggler):
    late, _ = straggler
    assert [campaign.client.get(late).status_code, campaign.client.post(late).status_code] == [404, 404]
    assert campaign.count() == 1


@pytest.mark.parametrize("act", ["/confirm/{}/not-me", "/receipt/{}/withdraw"])
def test_the_link_of_such_a_submission_erases_it_and_nothing_confirmed(campaign, straggler, act):
    campaign.client.post(act.format(straggler[0].rpartition("/")[2]))
    assert (rows(campaign), campaign.count()) == (1, 1)


def test_withdrawing_deletes_pending_submissions_too(campaign, straggler):
    campaign.client.post(f"/receipt/{straggler[1].rpartition('/')[2]}/withdraw")
    assert (rows(campaign), campaign.count()) == (0, 0)


def test_a_requested_link_never_leads_to_a_pending_submission(campaign, ada):
    ada.signs()
    ada.mails()
    campaign.client.post("/link", data={"email": "ada@example.org"}, headers=FROM_OUR_PAGE)
    assert len(ada.mails()) == 1
    assert "sign again" in campaign.client.get("/en/link-sent").text


def test_a_mailbox_gets_three_emails_however_its_address_is_tagged(campaign):
    people = [campaign.persona("Ada", email=f"victim+{number}@company.example") for number in range(1, 21)]
    for person in people:
        person.signs()
    assert sum(len(person.mails()) for person in people) == 3


def test_two_addresses_with_tags_are_still_two_signatures(campaign):
    for number in (1, 2):
        campaign.persona("Ada", email=f"desk+{number}@company.example").confirms()
    assert campaign.count() == 2


def test_it_was_not_me_keeps_mail_away_from_all_tags_of_a_mailbox(campaign):
    victim = campaign.persona("Ada", email="victim+1@company.example")
    victim.signs()
    campaign.client.post(f"{victim.link()}/not-me")
    other = campaign.persona("Ada", email="victim+2@company.example")
    other.signs()
    assert other.mails() == []


def test_a_refusal_from_before_tags_were_folded_still_holds(campaign):
    victim = campaign.persona("Ada", email="victim+1@company.example")
    victim.signs()
    with campaign.app.app_context():
        hashed = db.session.scalar(select(Signature.email_hash))
        db.session.add(SuppressedEmail(email_hash=hashed, expires_at=utcnow() + timedelta(days=3)))
        db.session.commit()
    victim.signs()
    assert (victim.mails(), rows(campaign)) == ([], 1)


def brings(campaign, receipt: str, number: int, *, first: int = 0) -> list[str]:
    """Have people confirm by the link of a supporter; return their receipts."""
    ref = code(campaign, receipt)
    names = (f"friend{first + each}.{ref}@example.org" for each in range(number))
    return [campaign.persona("Olga", email=name, ref=ref).confirms() for name in names]


def told(campaign, receipt: str) -> str:
    return " ".join(campaign.client.get(receipt).text.split())


def test_referrals_are_shown_from_five_on_and_the_next_day(campaign, ada):
    with time_machine.travel(NOON, tick=False) as traveller:
        receipt = ada.confirms()
        brings(campaign, receipt, 4)
        traveller.shift(timedelta(days=2))
        assert "signed through your link" not in told(campaign, receipt)
        brings(campaign, receipt, 1, first=4)
        assert "signed through your link" not in told(campaign, receipt)
        traveller.shift(timedelta(hours=11, minutes=59))
        assert "signed through your link" not in told(campaign, receipt)
        traveller.shift(timedelta(minutes=1))
        assert "<strong>5</strong> people have signed through your link." in told(campaign, receipt)
        brings(campaign, receipt, 1, first=5)
        assert "<strong>5</strong>" in told(campaign, receipt)


def test_second_degree_referrals_are_shown_by_the_same_rule(campaign, ada):
    with time_machine.travel(NOON, tick=False) as traveller:
        receipt = ada.confirms()
        friend, *_ = brings(campaign, receipt, 5)
        brings(campaign, friend, 4)
        traveller.shift(timedelta(days=1))
        assert "Those people" not in told(campaign, receipt)
        brings(campaign, friend, 1, first=4)
        assert "Those people" not in told(campaign, receipt)
        traveller.shift(timedelta(days=1))
        assert "They have brought in <strong>5</strong> more." in told(campaign, receipt)


def test_pauses_that_are_over_are_purged(campaign, ada):
    ada.signs()
    ada.mails()
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)), campaign.app.app_context():
        assert purge(db.session).pauses == 1
        assert db.session.scalar(select(func.count()).select_from(EmailSlot)) == 0
