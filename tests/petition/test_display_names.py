"""First names on the public page: only what looks like a name, and nothing that organisers hid."""

from uuid import UUID

import pytest
from sqlalchemy import update

from campaign.core.database import db
from campaign.models import Signature
from campaign.petition import display_names
from campaign.petition.display_names import display_name_for
from tests.conftest import Campaign


@pytest.mark.parametrize(
    "name",
    [
        *("Ada", "Мария", "ليلى", "明", "Nguyễn Thị", "Jean-Luc", "O'Hara", "O’Hara", "J.R.R.", "St. John", "M.-C."),
        *("नीलम", "மாலா", "می\u200cنا", "שָׁלוֹם", "A" * 40, "Anne\u2010Marie", "ʻOlina", "葛\U000e0100", "ꓡꓲꓸꓢꓴ"),
        "q" + "\u0301" * 5,
    ],
)
def test_text_that_looks_like_a_name_is_shown(name):
    assert display_name_for(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "A" * 41, "http://spam.example/buy", "spam.example", "t.me", "спам.рф", "ada@example.org", "Ada1"),
        *("Ada٣", "Ada <3", "Ada ❤", "@ada", "#vote", "Buy: now", "Ada, Grace", "-Ada", "\u0301Ada", "Ⅷ", "Ada/Grace"),
        *("A" + "\u0301" * 6, "Ada\u202e", "👩", "A\u2028da", "1st", "spam．example", "wa.me"),
        # Marks that are not seen or not composed, vowel signs, and a letter that looks like a full stop
        *("spam.c\u034fom", "spam.\ufe0fcom", "t.m\u0332e", "spam.\u0301com", "स्पैम.भारत", "spam\ua4f8com"),
    ],
)
def test_anything_else_is_not_shown(name):
    assert display_name_for(name) is None


def page(campaign: Campaign) -> str:
    return campaign.client.get("/en/").text


def test_an_address_for_a_name_is_accepted_and_not_shown(campaign):
    spam = campaign.persona("http://spam.example/buy", email="ada@example.org", show_name="1")
    spam.confirms()
    assert campaign.count() == 1
    assert "spam.example" not in page(campaign)


def test_old_rows_obey_the_rule_and_do_not_push_others_out(campaign, ada):
    ada.fields["show_name"] = "1"
    ada.confirms()
    for number in range(8):
        campaign.persona("Mallory", email=f"mallory{number}@example.org", show_name="1").confirms()
    with campaign.app.app_context():
        db.session.execute(
            update(Signature).where(Signature.display_name == "Mallory").values(display_name="http://spam.example")
        )
        db.session.commit()
    assert "spam.example" not in page(campaign)
    assert "<bdi>Ada</bdi>" in page(campaign)


def test_a_hidden_name_stays_hidden_until_it_is_shown_again(campaign, ada):
    ada.fields["show_name"] = "1"
    receipt = ada.confirms()
    with campaign.app.app_context():
        [row], _further = display_names.list_names(db.session, most=5)
        assert display_names.set_hidden(db.session, row.id, hidden=True)
        assert not display_names.set_hidden(db.session, row.id, hidden=True)
    assert "<bdi>Ada</bdi>" not in page(campaign)
    campaign.client.post(receipt.replace("receipt", "confirm"))
    assert "<bdi>Ada</bdi>" not in page(campaign)
    with campaign.app.app_context():
        assert display_names.set_hidden(db.session, row.id, hidden=False)
        assert not display_names.set_hidden(db.session, UUID(int=0), hidden=True)
    assert "<bdi>Ada</bdi>" in page(campaign)


def test_the_list_is_read_page_by_page(campaign):
    names = ["Ada", "Grace", "Olga", "Maria", "Мария"]
    for number, name in enumerate(names):
        campaign.persona(name, email=f"ada{number}@example.org", show_name="1").confirms()
    with campaign.app.app_context():
        first, further = display_names.list_names(db.session, most=2)
        second, further = display_names.list_names(db.session, most=2, before=further)
        third, end = display_names.list_names(db.session, most=2, before=further)
        assert [row.name for row in (*first, *second, *third)] == names[::-1]
        assert end is None
        for part in ("рия", "мария", "МАРИЯ"[:1] + "ария"):
            assert [row.name for row in display_names.list_names(db.session, most=9, search=part)[0]] == ["Мария"]
        assert display_names.list_names(db.session, most=9, search="%")[0] == []
