"""Signing, confirming, erasing, as a supporter and as an attacker would try them."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError

from campaign.core.database import db
from campaign.models import OutboxMessage, Signature
from campaign.petition import signatures, signing_sql
from tests.personas import FROM_OUR_PAGE, WANTS_JSON, comparable


def rows(campaign) -> int:
    with campaign.app.app_context():
        return db.session.scalar(select(func.count()).select_from(Signature))


def test_a_signature_is_stored_with_its_mail_and_not_counted_yet(campaign, ada):
    ada.signs()
    assert (rows(campaign), campaign.count()) == (1, 0)
    assert len(ada.mails()) == 1


def test_opening_the_mailed_link_does_not_confirm(campaign, ada):
    ada.signs()
    campaign.client.get(ada.link())
    campaign.client.head(ada.link())
    assert campaign.count() == 0


def test_the_button_confirms_and_leads_to_the_receipt(campaign, ada):
    ada.signs()
    response = campaign.client.post(ada.link())
    assert response.status_code == 303
    assert "Thank you. Your signature counts." in campaign.client.get(response.headers["Location"]).text
    assert campaign.count() == 1


def test_once_confirmed_the_mailed_link_opens_the_receipt(campaign, ada):
    receipt = ada.confirms()
    response = campaign.client.get(ada.link())
    assert (response.status_code, response.headers["Location"]) == (302, receipt)


def test_confirming_twice_counts_once_and_keeps_the_first_time(campaign, ada):
    ada.confirms()
    with campaign.app.app_context():
        first = db.session.scalar(select(Signature.confirmed_at))
    campaign.client.post(ada.link())
    with campaign.app.app_context():
        assert db.session.scalar(select(Signature.confirmed_at)) == first
    assert campaign.count() == 1


def test_this_was_not_me_erases_the_submission(campaign, ada):
    ada.signs()
    assert "The entry has been deleted" in campaign.client.post(f"{ada.link()}/not-me").text
    assert rows(campaign) == 0
    assert campaign.client.get(ada.link()).status_code == 404


def test_withdrawing_erases_at_once_and_signing_again_is_possible(campaign, ada):
    campaign.client.post(f"{ada.confirms()}/withdraw")
    assert (rows(campaign), campaign.count()) == (0, 0)
    ada.signs()
    assert rows(campaign) == 1


def test_erasing_takes_the_waiting_mail_along(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        signatures.erase(db.session, db.session.scalar(select(Signature.id)))
        assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


@pytest.mark.parametrize("again", ["ADA@example.org", " ada@EXAMPLE.org ", "ada@example.org"])
def test_an_address_signs_once(campaign, ada, again):
    ada.confirms()
    ada.signs(email=again)
    assert rows(campaign) == 1


def test_a_second_signing_is_answered_like_the_first(campaign, ada):
    first, second = ada.posts(), ada.posts()
    assert comparable(first) == comparable(second)


def test_a_signature_by_a_supporters_link_is_credited(campaign, ada):
    ada.confirms()
    with campaign.app.app_context():
        ada_id, code = db.session.execute(select(Signature.id, Signature.referral_code)).one()
    campaign.persona("Olga", email="olga@example.org").signs(ref=code, via="whatsapp")
    with campaign.app.app_context():
        olga = select(Signature.referred_by, Signature.via).where(Signature.id != ada_id)
        assert db.session.execute(olga).one() == (ada_id, "whatsapp")


def test_a_link_credits_nobody_who_has_not_confirmed(campaign, ada):
    ada.signs()
    with campaign.app.app_context():
        code = db.session.scalar(select(Signature.referral_code))
    campaign.persona("Olga", email="olga@example.org").signs(ref=code)
    with campaign.app.app_context():
        assert set(db.session.scalars(select(Signature.referred_by))) == {None}


def test_without_javascript_the_page_address_says_how_the_signer_came(campaign, ada):
    referer = {"Referer": "http://localhost/en/?via=telegram&ref=not-a-code"}
    ada.posts(headers=FROM_OUR_PAGE | referer)
    with campaign.app.app_context():
        assert db.session.scalar(select(Signature.via)) == "telegram"


def test_referrals_of_a_supporter_who_withdraws_stay(campaign, ada):
    receipt = ada.confirms()
    with campaign.app.app_context():
        code = db.session.scalar(select(Signature.referral_code))
    campaign.persona("Olga", email="olga@example.org").signs(ref=code)
    campaign.client.post(f"{receipt}/withdraw")
    with campaign.app.app_context():
        assert db.session.execute(select(Signature.referred_by)).all() == [(None,)]


def test_a_program_may_sign_with_json_answers(campaign, ada):
    response = ada.posts(headers=WANTS_JSON)
    assert (response.status_code, response.json) == (202, {"status": "check-email"})


def test_a_filled_trap_looks_like_success_and_stores_nothing(campaign, mallory):
    assert mallory.posts(website="http://spam.example").status_code == 303
    assert rows(campaign) == 0


def test_a_name_is_shown_once_confirmed_and_its_owner_sees_it_before(campaign, ada):
    ada.signs(show_name="1", given_name="Mallory-wrote-this")
    assert "Mallory-wrote-this" not in campaign.client.get("/en/").text
    assert "<bdi>Mallory-wrote-this</bdi>" in campaign.client.get(ada.link()).text


def test_the_newest_are_shown_first(campaign):
    for name in ("Ada", "Olga"):
        campaign.persona(name, email=f"{name}@example.org", show_name="1").confirms()
    page = campaign.client.get("/en/").text
    assert page.index("<bdi>Olga</bdi>") < page.index("<bdi>Ada</bdi>")


def test_only_supporters_who_agreed_are_shown(campaign, ada):
    ada.fields["show_name"] = "1"
    ada.confirms()
    campaign.persona("Olga", email="olga@example.org").confirms()
    page = campaign.client.get("/en/").text
    assert re.search(r"<bdi>Ada</bdi>\s*<span[^>]*>United Kingdom<", page)
    assert "Olga" not in page


def test_a_supporter_who_withdraws_at_that_moment_stops_nobody_from_signing(campaign, ada):
    ada.confirms()
    with campaign.app.app_context():
        code = db.session.scalar(select(Signature.referral_code))
    olga = campaign.persona("Olga", email="olga@example.org", ref=code)
    with campaign.app.app_context(), db.engine.connect() as withdrawing, ThreadPoolExecutor(1) as pool:
        withdrawing.execute(delete(Signature).where(Signature.referral_code == code))
        answer = pool.submit(olga.posts)
        with suppress(TimeoutError):
            answer.result(timeout=0.3)  # it waits for the one who withdraws
        withdrawing.commit()
        assert answer.result().status_code == 303
    with campaign.app.app_context():
        assert db.session.scalars(select(Signature.referred_by)).all() == [None]


def test_a_deadlock_is_tried_again(campaign, ada, monkeypatch):
    real, victims = signing_sql._execute, [1, 1]

    def unlucky(*arguments, **named):
        if victims:
            victims.pop()
            raise OperationalError("", {}, DeadlockDetected())
        return real(*arguments, **named)

    monkeypatch.setattr(signing_sql, "_execute", unlucky)
    ada.signs()
    assert rows(campaign) == 1
