"""What owners set, and that everybody sees it at once."""

import re

import pytest

from campaign.accounts import audit_log
from campaign.core.database import db

PAGE = "/organise/settings"


@pytest.fixture
def backend() -> str:
    """One database is enough: all settings are read in the same way."""
    return "sqlite"


def test_the_petition_is_closed_opened_and_delivered(campaign, grace, ada):
    grace.posts(f"{PAGE}/stage", PAGE, act="close")
    assert campaign.client.get("/count.json").json["status"] == "closed"
    grace.posts(f"{PAGE}/stage", PAGE, act="open")
    ada.signs()
    grace.posts(f"{PAGE}/stage", PAGE, act="deliver", day="2013-12-10")
    assert campaign.client.get("/count.json").json["delivered_on"] == "2013-12-10"


@pytest.mark.parametrize("day", ["", "2199-01-01", "never"])
def test_a_day_that_has_not_come_is_refused(campaign, grace, day):
    assert grace.posts(f"{PAGE}/stage", PAGE, act="deliver", day=day).status_code == 422
    assert "status" not in campaign.client.get("/count.json").json


def test_the_bot_check_is_switched(campaign, grace):
    for act in ("on", "off"):
        grace.posts(f"{PAGE}/bot-check", PAGE, act=act)
        assert campaign.command("bot-check", "status").output == f"{act}\n"


def test_goals_are_ours_first_and_then_round_numbers(campaign, grace, ada):
    assert campaign.client.get("/count.json").json["goal"] == 100
    grace.posts(f"{PAGE}/goals", PAGE, goals="1, 7", contact="")
    assert campaign.client.get("/count.json").json["goal"] == 1
    ada.confirms()
    assert campaign.client.get("/count.json").json["goal"] == 7


@pytest.mark.parametrize("goals", ["5 3", "many", "0", "7 7", "-1", "1e9"])
def test_goals_that_do_not_rise_are_refused(campaign, grace, goals):
    answer = grace.posts(f"{PAGE}/goals", PAGE, goals=goals, contact="")
    assert (answer.status_code, "Enter rising numbers" in answer.text) == (422, True)
    assert campaign.client.get("/count.json").json["goal"] == 100


def test_the_address_for_questions_is_shown(campaign, grace):
    grace.posts(f"{PAGE}/goals", PAGE, goals="", contact="ask@example.org")
    assert "mailto:ask@example.org" in campaign.client.get("/fr/privacy").text
    assert "Contact: mailto:ask@example.org" in campaign.client.get("/.well-known/security.txt").text


def test_the_petition_text_is_set_in_one_language_and_reset(campaign, grace):
    before = campaign.client.get("/fr/").data
    text = "Dear IOC,\n\nspeak <out>."
    grace.posts(f"{PAGE}/letter", PAGE, of="fr", text=text)
    assert "<p>speak &lt;out&gt;.</p>" in campaign.client.get("/fr/").text
    assert "speak &lt;out&gt;" not in campaign.client.get("/en/").text
    grace.posts(f"{PAGE}/letter", PAGE, of="fr", text="")
    assert campaign.client.get("/fr/").data == before


def test_a_preview_shows_the_page_and_saves_nothing(campaign, grace):
    page = grace.posts(f"{PAGE}/letter/preview", PAGE, of="ru", text="Пишем иначе.").text
    assert "Пишем иначе." in page
    assert '<html lang="ru"' in page
    assert "Пишем иначе." not in campaign.client.get("/ru/").text


def test_the_default_petition_text_is_prefilled_and_not_stored_unchanged(campaign, grace):
    page = grace.get(f"{PAGE}?of=de").text
    shipped = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1]
    assert shipped.count("\n\n") == 2
    grace.posts(f"{PAGE}/letter", PAGE, of="de", text=shipped)
    assert "<q>" in campaign.client.get("/de/").text.split('class="petition-text"')[1][:2000]


@pytest.mark.parametrize("act", ["letter", "letter/preview"])
def test_a_petition_text_in_an_unknown_language_is_refused(grace, act):
    assert grace.posts(f"{PAGE}/{act}", PAGE, of="xx", text="Dear IOC").status_code == 400


def test_a_change_of_settings_is_recorded_with_the_former_value(campaign, grace):
    grace.posts(f"{PAGE}/letter", PAGE, of="fr", text="One.")
    grace.posts(f"{PAGE}/letter", PAGE, of="fr", text="Two.")
    with campaign.app.app_context():
        newest = audit_log.entries(db.session, most=1)[0]
    assert (newest.action, newest.details) == (
        "changed-setting",
        {"setting": "letter fr", "before": "One.", "to": "Two."},
    )


@pytest.mark.slow
@pytest.mark.parametrize("what", ["stage", "bot-check", "goals", "letter"])
def test_only_owners_set_anything(campaign, grace, olga, what):
    fields = {"act": "close", "goals": "3", "contact": "", "of": "en", "text": "no"}
    assert olga.posts(f"{PAGE}/{what}", **fields).status_code == 403
    assert campaign.client.get("/count.json").json["goal"] == 100
    assert "status" not in campaign.client.get("/count.json").json
