"""The outbox: sealed, in order, and each letter for one worker only."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from threading import Event

import time_machine
from sqlalchemy import insert, select

from campaign.context import context_of
from campaign.core.database import db, utcnow
from campaign.mail import outbox
from campaign.mail.worker import GIVE_WAY_SECONDS, POLL_SECONDS
from campaign.models import OutboxMessage
from tests.mail.smtp_server import waiting, worker


def test_two_workers_never_take_the_same_message(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        key = context_of(campaign.app).keys.outbox
        assert len(outbox.claim(db.session, key, most=5)) == 1
        assert outbox.claim(db.session, key, most=5) == []


def test_concurrent_workers_share_the_messages(campaign):
    for number in range(30):
        campaign.persona("Ada", email=f"ada{number}@example.org").signs()
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: _take(campaign, most=10), range(4)))
    taken = [letter for batch in [*batches, _take(campaign, most=30)] for letter in batch]
    assert sorted(taken) == sorted(f"ada{number}@example.org" for number in range(30))


def test_messages_are_sent_in_the_order_of_their_due_times(campaign):
    for name in ("ada", "olga", "grace"):
        campaign.persona("Ada", email=f"{name}@example.org").signs()
    with campaign.app.app_context():
        newest = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first()
        newest.due_at -= timedelta(hours=1)
        db.session.commit()
    assert _take(campaign, most=1) == ["grace@example.org"]
    assert _take(campaign, most=1) == ["ada@example.org"]


def test_a_message_encrypted_with_another_secret_waits_and_stops_no_other(campaign, ada):
    campaign.persona("Olga", email="olga@example.org").signs()
    with campaign.app.app_context():
        letter = db.session.scalars(select(OutboxMessage)).one()
        kept, letter.encrypted_message = letter.encrypted_message, bytes(100)
        db.session.commit()
    ada.signs()
    assert len(ada.mails()) == 1
    with campaign.app.app_context():
        db.session.scalars(select(OutboxMessage)).one().encrypted_message = kept
        db.session.commit()
    with time_machine.travel(utcnow() + outbox.PAUSES[0] + timedelta(seconds=1)):
        assert worker(campaign).drain() == 1


def test_many_messages_of_another_secret_stop_no_other(posting, mailbox, monkeypatch):
    with posting.app.app_context():
        strange = [asdict(outbox.new_message(bytes(32), outbox.Recipient("x@example.org", "en"))) for _ in range(25)]
        db.session.execute(insert(OutboxMessage), [row | {"kind": "blank"} for row in strange])
        db.session.commit()
    posting.persona("Ada", email="ada@example.org").signs()
    worker(posting).drain()
    assert len(mailbox.messages) == 1


def test_a_message_of_a_lost_secret_is_given_up(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        db.session.scalars(select(OutboxMessage)).one().encrypted_message = bytes(100)
        db.session.commit()
    with time_machine.travel(utcnow() + outbox.RETRY_PERIOD + timedelta(minutes=1)):
        worker(campaign).drain()
    assert waiting(campaign).dead == 1


def test_waiting_messages_are_not_readable_in_the_database(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        sealed = db.session.scalar(select(OutboxMessage.encrypted_message))
    assert b"ada@example.org" not in sealed


def test_the_length_of_an_encrypted_message_hides_that_of_the_address():
    rows = [
        outbox.new_message(bytes(32), outbox.Recipient(to, "en")) for to in ("a@b.example", "alexandra@example.org")
    ]
    assert len({len(row.encrypted_message) for row in rows}) == 1


def _take(campaign, *, most: int) -> list[str]:
    with campaign.app.app_context():
        taken = outbox.claim(db.session, context_of(campaign.app).keys.outbox, most=most)
        return [waiting.letter.to for waiting in taken]


class _Stop(Event):
    """Stops a worker after some pauses, and remembers how long they were."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.pauses: list[float | None] = []
        self._after = after

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        return len(self.pauses) > self._after


def test_a_worker_gives_way_to_people_who_sign_at_the_same_moment(campaign, ada):
    signing = context_of(campaign.app).signing
    ada.signs()
    worker(campaign).run(stop := _Stop(after=2))
    assert stop.pauses == [0.0, 0.0, POLL_SECONDS]
    campaign.persona("Olga", email="olga@example.org").signs()
    signing._busy_until = math.inf
    worker(campaign).run(stop := _Stop(after=2))
    assert stop.pauses == [0.0, GIVE_WAY_SECONDS, POLL_SECONDS]
