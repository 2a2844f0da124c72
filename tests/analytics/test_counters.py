"""Counting in memory: nothing is lost between the writes, and nobody waits for them."""

from datetime import UTC, datetime
from threading import Thread

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from campaign.analytics.counters import Counters
from campaign.core.database import db
from campaign.maintenance import flush_counters
from campaign.models import ShareCount


def shares(campaign) -> list[tuple[datetime, str, int]]:
    with campaign.app.app_context():
        rows = db.session.execute(select(ShareCount.hour, ShareCount.channel, ShareCount.shares))
        return sorted((hour, channel, number) for hour, channel, number in rows)


def write(campaign, tallies: Counters) -> None:
    with campaign.app.app_context():
        tallies.write(db.session)


def test_counts_are_added_to_stored_counts(campaign):
    tallies = Counters()
    with time_machine.travel(datetime(2013, 11, 22, 18, 30, 15, tzinfo=UTC)):
        for channel in ("x", "x", "line"):
            tallies.count(ShareCount, channel=channel, language="en")
    write(campaign, tallies)
    with time_machine.travel(datetime(2013, 11, 22, 18, 59, tzinfo=UTC)):
        tallies.count(ShareCount, channel="x", language="en")
    write(campaign, tallies)
    write(campaign, tallies)
    hour = datetime(2013, 11, 22, 18, tzinfo=UTC)
    assert shares(campaign) == [(hour, "line", 1), (hour, "x", 3)]


def test_counts_that_could_not_be_stored_are_stored_the_next_time(campaign):
    tallies = Counters()
    tallies.count(ShareCount, channel="x", language="en")
    with campaign.app.app_context():
        db.session.execute(text("ALTER TABLE share_counts RENAME TO away"))
        db.session.commit()
        with pytest.raises(SQLAlchemyError):
            tallies.write(db.session)
        tallies.count(ShareCount, channel="x", language="en")
        db.session.execute(text("ALTER TABLE away RENAME TO share_counts"))
        db.session.commit()
    write(campaign, tallies)
    assert [number for _, _, number in shares(campaign)] == [2]


def test_nothing_is_lost_between_threads(campaign):
    tallies = Counters()

    def count() -> None:
        for _ in range(500):
            tallies.count(ShareCount, channel="x", language="en")

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        write(campaign, tallies)
    write(campaign, tallies)
    assert sum(number for _, _, number in shares(campaign)) == 2000


@pytest.mark.slow
def test_a_server_stores_its_counts_when_it_stops(ready, backend, tmp_path):
    with ready.site(tmp_path, backend).served() as site:
        assert site.status("/share/qr?lang=en") == 200
    assert site.flask("share", "counted").split()[-3:] == ["qr", "1", "0"]


def test_maintenance_stores_the_counts(campaign):
    campaign.client.get("/share/x?lang=en")
    flush_counters(campaign.app)
    assert [(channel, number) for _, channel, number in shares(campaign)] == [("x", 1)]
