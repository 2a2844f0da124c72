"""Totals: right whoever adds up, how many at once, and whatever becomes of signatures."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import time_machine
from sqlalchemy import func, select

from campaign.core.database import db, utcnow
from campaign.models import SignatureChange
from campaign.petition import totals

COUNTRIES = ["FR", "FR", "IT", "NO", "FR"]


def added_up(campaign) -> None:
    with campaign.app.app_context():
        totals.roll_up(db.session)


def test_several_that_add_up_at_once_count_nothing_twice(campaign):
    receipts = [
        campaign.persona("Ada", email=f"ada{number}@example.org", country=country).confirms()
        for number, country in enumerate(COUNTRIES)
    ]
    for receipt in receipts[:2]:
        campaign.client.post(f"{receipt}/withdraw")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: added_up(campaign), range(8)))
    with campaign.app.app_context():
        assert totals.confirmed(db.session) == 3
        assert totals.by_dimension(db.session, "country") == {"IT": 1, "NO": 1, "FR": 1}
        assert db.session.scalar(select(func.count()).select_from(SignatureChange)) == 0


def test_a_withdrawal_is_subtracted_from_the_hour_of_the_confirmation(campaign, ada):
    with time_machine.travel(utcnow() - timedelta(hours=3)):
        receipt = ada.confirms()
    added_up(campaign)
    campaign.client.post(f"{receipt}/withdraw")
    with campaign.app.app_context():
        assert totals.by_hour(db.session, since=utcnow() - timedelta(days=1)) == {}
    added_up(campaign)
    with campaign.app.app_context():
        assert totals.by_hour(db.session, since=utcnow() - timedelta(days=1)) == {}


def test_the_hour_that_one_asks_from_is_counted(campaign, ada):
    ada.confirms()
    added_up(campaign)
    with campaign.app.app_context():
        [hour] = totals.by_hour(db.session, since=utcnow() - timedelta(days=1))
        assert totals.by_hour(db.session, since=hour) == {hour: 1}


def test_each_hour_and_each_day_is_counted_by_itself(campaign):
    day = (utcnow() - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    for number, hours in enumerate((10.5, 11.5, 34.5)):
        with time_machine.travel(day + timedelta(hours=hours)):
            campaign.persona("Ada", email=f"ada{number}@example.org").confirms()
    added_up(campaign)
    with campaign.app.app_context():
        hours = totals.by_hour(db.session, since=day)
        assert hours == {day + timedelta(hours=number): 1 for number in (10, 11, 34)}
        assert totals.by_day(db.session) == {day: 2, day + timedelta(days=1): 1}


def test_confirming_twice_counts_once(campaign, ada):
    ada.confirms()
    campaign.client.post(ada.link())
    with campaign.app.app_context():
        assert totals.confirmed(db.session) == 1


def test_a_total_that_is_wrong_is_found(campaign, ada):
    ada.confirms()
    added_up(campaign)
    with campaign.app.app_context():
        db.session.execute(SignatureChange.__table__.insert(), [_change(7)])
        db.session.commit()
    result = campaign.command("signatures", "check")
    assert (result.exit_code, "FAIL  the count is right (count 8" in result.output) == (1, True)


def _change(number: int) -> dict[str, object]:
    return {"confirmed_at": utcnow(), "country": "FR", "language": "fr", "via": None, "number": number}
