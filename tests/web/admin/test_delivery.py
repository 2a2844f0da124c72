"""The document to hand in, from the page: asked for, followed, fetched, and gone after an hour."""

import io
import re
from datetime import timedelta

import pypdfium2
import pytest
from sqlalchemy import select, update

from campaign.accounts import audit_log
from campaign.core.database import db, transaction, utcnow
from campaign.maintenance import delete_expired
from campaign.models import Job, JobPart
from tests.live_server import wait_for
from tests.organisers import PASSPHRASE

PAGE = "/organise/hand-in"


@pytest.fixture
def backend() -> str:
    """One database is enough: reading is tested with the exports."""
    return "sqlite"


@pytest.fixture
def signed(campaign):
    """Ten from France, one from Malta, one who did not confirm."""
    for number in range(10):
        campaign.persona("Amélie", email=f"a{number}@example.org", country="FR").confirms()
    campaign.persona("Мария", email="m@example.org", country="MT").confirms()
    campaign.persona("Zoe", email="z@example.org", country="FR").signs()


def begin(browser, **changed):
    return browser.posts(PAGE, PAGE, **{"cover": "Dear all,\r\n\r\nRead this.", "passphrase": PASSPHRASE, **changed})


def made(browser) -> str:
    """Have it made, and return the path of its page."""
    path = begin(browser).headers["Location"]
    wait_for(lambda: "is ready" in browser.get(path).text, "the document")
    return path


def text_of(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(io.BytesIO(pdf))]


@pytest.mark.slow
def test_the_document_has_the_cover_the_petition_text_the_totals_and_the_names(grace, signed):
    answer = grace.get(f"{made(grace)}/file")
    assert re.search(r'love-always-wins-hand-in-[\d-]+\.pdf"', answer.headers["Content-Disposition"])
    cover, letter, counts, names = text_of(answer.data)
    assert "Read this." in cover
    assert "Your own Charter is clear" in letter
    assert re.search(r"In all\s+11\s+France\s+10\s+elsewhere\s+1", counts)
    assert names.count("Amélie") == 10
    assert "Мария" in names
    assert (names.count("France"), names.count("elsewhere")) == (10, 1)  # ten are enough to name a country, one is not
    assert "Malta" not in "".join(text_of(answer.data))
    assert "Zoe" not in names


@pytest.mark.slow
def test_the_stored_document_is_encrypted_and_deleted_after_an_hour(campaign, grace, signed):
    path = made(grace)
    with campaign.app.app_context():
        [part] = db.session.scalars(select(JobPart.content))
        assert b"%PDF" not in part
        with transaction(db.session):
            db.session.execute(update(Job).values(updated_at=utcnow() - timedelta(minutes=61)))
    delete_expired(campaign.app)
    assert grace.get(path).status_code == grace.get(f"{path}/file").status_code == 404
    with campaign.app.app_context():
        assert db.session.scalars(select(JobPart.number)).all() == []


@pytest.mark.slow
def test_a_wrong_passphrase_makes_nothing(campaign, grace, signed):
    assert begin(grace, passphrase="a guess of mine").status_code == 422
    with campaign.app.app_context():
        assert db.session.scalars(select(Job.token_hash)).all() == []


@pytest.mark.slow
def test_without_the_export_right_no_document_can_be_made_or_found(campaign, grace, olga, reader, signed):
    path = made(grace)
    for browser in (olga, reader):
        assert browser.posts(PAGE, cover="x", passphrase=PASSPHRASE).status_code == 403
    assert reader.get(f"{path}/file").status_code == 403
    assert olga.get(f"{PAGE}/{'x' * 43}/file").status_code == 404
    assert campaign.client.get(f"{path}/file").status_code == 303


@pytest.mark.slow
def test_making_the_document_is_recorded(campaign, grace, signed):
    made(grace)

    def newest_entry():
        with campaign.app.app_context():
            return audit_log.entries(db.session, most=1)[0]

    wait_for(lambda: newest_entry().action == "hand-in", "the entry")  # it follows the document
    newest = newest_entry()
    assert (newest.actor, newest.action, newest.details) == (grace.email, "hand-in", {"signatures": 11})


@pytest.mark.slow
def test_names_without_a_font_are_reported_by_number_and_not_logged_by_name(campaign, grace, signed):
    campaign.persona("\U00030000野", email="rare@example.org", country="FR").confirms()
    campaign.persona("𠮷野", email="known@example.org", country="FR").confirms()
    page = " ".join(grace.get(made(grace)).text.split())
    assert "1 name contains characters that the PDF can’t show" in page
    assert re.search(r"Its number in the PDF: 12 <", page)

    def newest():
        with campaign.app.app_context():
            return audit_log.entries(db.session, most=1)[0]

    wait_for(lambda: newest().action == "hand-in-replaced", "the note")
    assert newest().details == {"names": 1, "numbers": [12]}
    assert "contains names with characters it can’t show" in grace.get("/organise/activity").text


@pytest.mark.slow
def test_the_page_says_nothing_of_replaced_names_where_there_are_none(grace, signed):
    assert "can’t show" not in grace.get(made(grace)).text


def test_the_petition_can_be_marked_as_delivered(campaign, grace):
    grace.posts(f"{PAGE}/delivered", PAGE, day="2013-12-10")
    assert campaign.client.get("/count.json").json["delivered_on"] == "2013-12-10"
