"""What operators are told: an unknown proxy, and a disk that fills up."""

import logging

import pytest

from campaign.core import disk_space

FORWARDED = {"X-Forwarded-For": "203.0.113.9"}
WARNING = "CAMPAIGN_PROXIES is 0"


@pytest.fixture
def backend() -> str:
    """None of this depends on the database."""
    return "sqlite"


def test_an_unknown_proxy_is_logged_once_and_without_an_address(campaign, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            campaign.client.get("/healthz", headers=FORWARDED)
    warned = [record.getMessage() for record in caplog.records if WARNING in record.getMessage()]
    assert len(warned) == 1
    assert "203.0.113.9" not in caplog.text


def test_an_unknown_proxy_stands_on_the_overview(campaign, grace):
    assert WARNING not in grace.client.get("/organise/").text
    campaign.client.get("/healthz", headers=FORWARDED)
    assert WARNING in grace.client.get("/organise/").text


@pytest.mark.settings(proxies=1)
def test_a_known_proxy_is_no_news(campaign, grace, caplog):
    campaign.client.get("/healthz", headers=FORWARDED)
    assert WARNING not in grace.client.get("/organise/").text + caplog.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "status", "told"),
    [("LOW_SPACE_BYTES", (200, "ready"), "low"), ("MIN_SPACE_BYTES", (503, "not ready"), "full")],
)
def test_a_nearly_full_disk_is_reported(campaign, grace, monkeypatch, limit, status, told):
    nearly_full = "The server’s disk is nearly full"
    enough = campaign.client.get("/readyz")
    assert (enough.status_code, enough.json["disk"]) == (200, "enough")
    assert nearly_full not in grace.client.get("/organise/").text
    monkeypatch.setattr(disk_space, limit, 1 << 62)  # more than any disk has
    answer = campaign.client.get("/readyz")
    assert ((answer.status_code, answer.json["status"]), answer.json["disk"]) == (status, told)
    assert nearly_full in grace.client.get("/organise/").text
