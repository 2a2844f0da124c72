"""Data requests, handled on their page."""

import pytest

from campaign.accounts import audit_log
from campaign.core.database import db
from tests.organisers import PASSPHRASE

ADA = {"page": "/organise/signatures", "email": "Ada@Example.org"}


@pytest.fixture
def backend() -> str:
    """One database is enough: sending and erasing are tested with the signatures."""
    return "sqlite"


@pytest.fixture
def signed(ada):
    ada.signs(message="For my sister.")
    ada.mails()


def actions(campaign) -> list[str]:
    with campaign.app.app_context():
        return [entry.action for entry in audit_log.iter_entries(db.session)]


def test_a_signature_is_found_by_its_email_and_no_encrypted_data_is_shown(campaign, olga, ada, signed):
    page = olga.posts("/organise/signatures", **ADA).text
    assert "United Kingdom" in page
    assert "For my sister." not in page
    assert actions(campaign)[-1] == "looked-up"


def test_an_email_without_a_signature_is_not_found(olga, signed):
    page = olga.posts("/organise/signatures", page="/organise/signatures", email="zoe@example.org").text
    assert "No data is stored for this email address" in page


@pytest.mark.slow
def test_encrypted_data_is_shown_with_the_passphrase(campaign, grace, signed):
    wrong = grace.posts("/organise/signatures/open", **ADA, passphrase="a guess of mine")
    assert (wrong.status_code, "For my sister." in wrong.text) == (422, False)
    right = grace.posts("/organise/signatures/open", **ADA, passphrase=PASSPHRASE)
    assert "For my sister." in right.text
    assert actions(campaign)[-4:] == ["looked-up", "wrong-passphrase", "looked-up", "opened"]


def test_without_the_export_right_nothing_can_be_decrypted(olga, signed):
    answer = olga.posts("/organise/signatures/open", **ADA, passphrase=PASSPHRASE)
    assert (answer.status_code, "For my sister." in answer.text) == (422, False)


def test_the_link_is_sent_again_at_once_and_to_its_owner_only(campaign, olga, ada):
    ada.confirms()
    page = olga.posts("/organise/signatures/send", **ADA | {"email": "ada@example.org"}).text
    assert "on its way" in page
    assert len(ada.mails()) == 2
    assert "/confirm/" not in page
    assert actions(campaign)[-1] == "sent-link"


def test_the_link_of_a_pending_entry_is_sent_to_nobody(campaign, olga, ada, signed):
    assert olga.posts("/organise/signatures/send", **ADA).status_code == 422
    assert len(ada.mails()) == 1
    assert "sent-link" not in actions(campaign)


def test_all_submissions_with_an_email_are_counted_and_erased(campaign, olga, ada, signed):
    for _ in range(2):
        ada.signs()
    page = " ".join(olga.posts("/organise/signatures", **ADA).text.split())
    assert "with this email address: 2" in page
    olga.posts("/organise/signatures/erase", **ADA)
    assert "No data is stored" in olga.posts("/organise/signatures", **ADA).text


def test_a_signature_is_erased_permanently(campaign, olga, ada):
    ada.confirms()
    assert "has been deleted" in olga.posts("/organise/signatures/erase", **ADA).text
    assert campaign.count() == 0
    assert "No data is stored" in olga.posts("/organise/signatures", **ADA).text
    assert "erased" in actions(campaign)


def test_no_address_of_a_supporter_is_noted_or_logged(campaign, grace, ada, capfd):
    ada.confirms()
    for act, more in (("", {}), ("/open", {"passphrase": PASSPHRASE}), ("/send", {}), ("/erase", {})):
        grace.posts(f"/organise/signatures{act}", **ADA, **more)
    with campaign.app.app_context():
        told = str([entry.details for entry in audit_log.iter_entries(db.session)])
    assert "ada@" not in (told + "".join(capfd.readouterr())).lower()


def test_a_reader_finds_nobody(reader, signed):
    answer = reader.posts("/organise/signatures", email="ada@example.org")
    assert (answer.status_code, "United Kingdom" in answer.text) == (403, False)


@pytest.mark.slow
def test_every_page_that_shows_a_signature_is_recorded(campaign, grace, ada):
    ada.confirms()
    shown = sum(
        "United Kingdom" in grace.posts("/organise/signatures/open", email="ada@example.org", passphrase="a guess").text
        for _ in range(6)  # the last ones are refused as too many
    )
    assert (shown, actions(campaign).count("looked-up")) == (6, 6)


def test_a_link_that_cannot_be_sent_is_a_look_up_too(campaign, olga, ada):
    ada.signs()
    assert olga.posts("/organise/signatures/send", email="ada@example.org").status_code == 422
    assert actions(campaign)[-1] == "looked-up"
