"""`flask petition`: its options and its output."""

from datetime import timedelta

import pytest

from campaign.core.database import utcnow


def status(campaign) -> str:
    return campaign.command("petition", "status").output.strip()


def test_it_is_open_closed_delivered_and_open_again(campaign):
    assert status(campaign) == "open"
    campaign.command("petition", "close")
    assert status(campaign) == "closed"
    campaign.command("petition", "deliver", "--on", "2013-12-10")
    assert status(campaign) == "delivered 2013-12-10"
    campaign.command("petition", "open")
    assert status(campaign) == "open"


def test_a_wrong_day_is_put_right(campaign):
    campaign.command("petition", "deliver", "--on", "2013-12-10")
    campaign.command("petition", "deliver", "--on", "2013-12-11")
    assert status(campaign) == "delivered 2013-12-11"


def test_without_a_day_it_is_today(campaign):
    campaign.command("petition", "deliver")
    assert status(campaign) == f"delivered {utcnow().date()}"


@pytest.mark.parametrize("day", ["yesterday", str(utcnow().date() + timedelta(days=2))])
def test_a_day_that_cannot_be_is_refused(campaign, day):
    result = campaign.command("petition", "deliver", "--on", day)
    assert (result.exit_code, status(campaign)) == (2, "open")
