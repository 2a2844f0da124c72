"""Organisers see which names the public page shows, hide single ones, and can switch the display off."""

import re

import pytest

from campaign.accounts import audit_log
from campaign.core.database import db

PAGE = "/organise/names"


@pytest.fixture
def backend() -> str:
    """The pages are the same whatever the database."""
    return "sqlite"


@pytest.fixture
def shown(campaign) -> None:
    """The public page shows the name of Zoya."""
    campaign.persona("Zoya", email="ada@example.org", show_name="1").confirms()
    assert "<bdi>Zoya</bdi>" in campaign.client.get("/en/").text


def action_on(page: str) -> str:
    return re.search(rf'action="({PAGE}/[0-9a-f-]+/(?:hide|show))"', page)[1]


@pytest.mark.usefixtures("shown")
def test_an_organiser_hides_a_name_and_shows_it_again(campaign, olga):
    for hidden in (True, False):
        answer = olga.posts(action_on(olga.get(PAGE).text), PAGE)
        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
        assert ("<bdi>Zoya</bdi>" not in campaign.client.get("/en/").text) is hidden
        assert ("(hidden)" in olga.get(PAGE).text) is hidden
    with campaign.app.app_context():
        entries = audit_log.entries(db.session, most=2)
    assert [entry.action for entry in entries] == ["showed-name", "hid-name"]
    assert "Zoya" not in str(entries)


@pytest.mark.usefixtures("shown")
def test_a_reader_sees_the_list_and_hides_nothing(campaign, olga, reader):
    assert "Zoya" in reader.get(PAGE).text
    assert "/hide" not in reader.get(PAGE).text
    assert reader.posts(action_on(olga.get(PAGE).text)).status_code == 403
    with campaign.app.app_context():
        [newest] = audit_log.entries(db.session, most=1)
    assert newest.details == {"attempt": "names.hide", "why": "role"}  # the word of earlier entries
    assert "<bdi>Zoya</bdi>" in campaign.client.get("/en/").text


@pytest.mark.usefixtures("shown")
def test_a_name_is_found_by_a_part_of_it(olga):
    assert "Zoya" in olga.posts(PAGE, PAGE, name="zoy").text
    assert "No names found." in olga.posts(PAGE, PAGE, name="Grace").text


@pytest.mark.parametrize("before", ["", "x", "1e999_x", "nan_" + "0" * 32, "0_" + "0" * 32])
def test_a_strange_place_in_the_list_is_ignored(olga, before):
    assert olga.get(f"{PAGE}?before={before}").status_code == 200


def test_a_place_with_a_null_character_is_refused(olga):
    assert olga.get(f"{PAGE}?before=\u0000").status_code == 400


@pytest.mark.usefixtures("shown")
def test_an_owner_switches_names_off_and_on(campaign, grace, olga):
    assert olga.posts("/organise/settings/names", act="off").status_code == 403
    grace.posts("/organise/settings/names", "/organise/settings", act="off")
    page = campaign.client.get("/en/").text
    assert "Zoya" not in page
    assert 'name="show_name"' not in page
    assert "isn’t showing any names" in grace.get(PAGE).text
    other = campaign.persona("Olga", email="olga@example.org", show_name="1")
    other.signs()
    assert "will show this first name" not in campaign.client.get(other.link()).text
    grace.posts("/organise/settings/names", "/organise/settings", act="on")
    page = campaign.client.get("/en/").text
    assert "<bdi>Zoya</bdi>" in page
    assert 'name="show_name"' in page
