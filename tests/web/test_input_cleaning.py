"""Pasted addresses, names and messages are cleaned and not refused."""

import pytest
from sqlalchemy import select

from campaign.context import current_context
from campaign.core.database import db
from campaign.models import Signature
from campaign.petition.lookup import find_by_email


@pytest.fixture
def backend() -> str:
    """Text is cleaned before the database sees it."""
    return "sqlite"


@pytest.mark.parametrize(
    "typed",
    [
        *("ada@example.org\u200b", "mailto:ada@example.org", "Ada <ada@example.org>", "ada@example.org."),
        *(
            "\ufeffada@example.org",
            "ada\u00ad@example.org",
            "\u202aada@example.org\u202c",
            "ada\u00a0@\u00a0example.org",
        ),
        *("MAILTO:ada%40example.org?subject=Hi", "<mailto:ada@example.org>", "“ada@example.org”", "'ada@example.org'"),
        *('"Lovelace, Ada" <ada@example.org>;', "(ada@example.org),", "[ada@example.org](mailto:ada@example.org)"),
        *(
            "ada＠example．org",
            "ａｄａ@ｅｘａｍｐｌｅ．ｏｒｇ",
            "ada@example。org",
            "«ada@example.org»",
            "ada@example.org…",
        ),
        *("Ada\u2060 <ada@example.org>", "ada@example.org\u2028", "ada @ example.org", "ada@example. org"),
    ],
)
def test_a_pasted_address_is_accepted_as_it_was_meant(campaign, ada, typed):
    ada.signs(email=typed)
    assert ada.mails()[0]["To"] == "ada@example.org"
    answer = campaign.client.post("/link", data={"email": typed}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    with campaign.app.app_context():
        assert find_by_email(db.session, current_context().keys.addresses, "ada@example.org") is not None


@pytest.mark.parametrize("typed", ["ada١٢@example.org", "ada１２@example.org", "ada१२@example.org"])
def test_digits_of_other_scripts_are_read(campaign, typed):
    signer = campaign.persona("Ada", email="ada12@example.org")
    signer.signs(email=typed)
    assert signer.mails() != []


@pytest.mark.parametrize(
    "typed",
    [
        "ada@example.org, olga@example.org",
        "<ada@example.org> <olga@example.org>",
        "a b@example.org",
        "ada@@example.org",
    ],
)
def test_text_with_two_possible_addresses_is_refused(ada, typed):
    assert ada.posts(email=typed).status_code == 422


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("\u202aAda\u202c", "Ada"),
        ("Ada\u200b", "Ada"),
        ("\u00a0Ada\u00a0", "Ada"),
        ("می\u200cنا", "می\u200cنا"),
        ("Ada\u00ad", "Ada"),
    ],
)
def test_a_pasted_name_is_cleaned(campaign, ada, typed, shown):
    ada.signs(given_name=typed, show_name="1")
    campaign.client.post(ada.link())
    assert f"<bdi>{shown}</bdi>" in campaign.client.get("/en/").text


@pytest.mark.parametrize(
    "message", ["He said \u2067سلام\u2069.", "\u2067سلام", "a\u202eb", "a\u2028b", "🏳\ufe0f\u200d🌈"]
)
def test_a_message_with_marks_of_direction_is_accepted(ada, message):
    ada.signs(message=message)


@pytest.mark.parametrize(("language", "name"), [("en", "Kosovo"), ("ru", "Косово"), ("fr", "Kosovo"), ("ar", "كوسوفو")])
def test_kosovo_is_a_country(campaign, language, name):
    assert f'<option value="XK">{name}</option>' in " ".join(campaign.client.get(f"/{language}/").text.split()).replace(
        '"XK" >', '"XK">'
    )
    signer = campaign.persona("Ada", email="ada@example.org", country="XK", show_name="1", lang=language)
    signer.confirms()
    assert f'<span class="recent-supporters-country">{name}</span>' in campaign.client.get(f"/{language}/").text
    with campaign.app.app_context():
        assert db.session.scalar(select(Signature.country)) == "XK"


@pytest.mark.parametrize(
    ("language", "says"), [("en", "number 5 (U+2028)"), ("de", "Nummer 5 (U+2028)"), ("ar", "5 (U+2028)")]
)
def test_a_refusal_names_the_character_and_its_place(ada, language, says):
    answer = ada.posts(given_name="Ada \u2028L", lang=language)
    assert (answer.status_code, says in answer.text) == (422, True)
