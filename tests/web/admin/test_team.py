"""Owners let others in, with or without the right to export, and remove them."""

import re

import pytest

from campaign.accounts import audit_log
from campaign.accounts.organisers import members
from campaign.core.database import db
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser

PAGE = "/organise/organisers"


@pytest.fixture
def backend() -> str:
    """One database is enough: accounts are tested with the registration."""
    return "sqlite"


def invited(browser: OrganiserBrowser, **fields: str) -> str:
    """Invite somebody, and return the path that the page shows."""
    answer = browser.posts(PAGE, PAGE, **{"role": "organiser", **fields})
    found = re.search(r"(/organise/invitation/[\w-]+)", answer.text)
    assert found is not None, answer.text
    return found[1]


def member(campaign, email):
    with campaign.app.app_context():
        return next((one for one in members(db.session) if one.email == email), None)


def test_an_owner_invites_an_organiser_without_the_export_right(campaign, grace):
    olga = OrganiserBrowser(campaign, "olga@example.org")
    olga.comes_in(invited(grace, email=olga.email), exports=False)
    assert (member(campaign, olga.email).role, member(campaign, olga.email).may_export) == ("organiser", False)


@pytest.mark.slow
def test_an_organiser_invited_with_the_inviters_passphrase_can_export(campaign, grace, ada):
    ada.confirms()
    other = OrganiserBrowser(campaign, "other@example.org")
    other.comes_in(invited(grace, email=other.email, exports="1", passphrase=PASSPHRASE))
    form = {"purpose": "full", "dialect": "plain", "reason": "trial", "passphrase": PASSPHRASE}
    assert b"ada@example.org" in other.posts("/organise/export", **form).data


@pytest.mark.slow
@pytest.mark.parametrize("passphrase", ["", "a guess of mine"])
def test_the_right_to_export_is_not_given_without_the_passphrase(campaign, grace, passphrase):
    fields = {"email": "x@example.org", "role": "organiser", "exports": "1", "passphrase": passphrase}
    answer = grace.posts(PAGE, PAGE, **fields)
    assert (answer.status_code, "/organise/invitation/" in answer.text) == (422, False)


def test_an_organiser_without_the_export_right_cannot_grant_it(campaign, invites):
    owner = OrganiserBrowser(campaign, "owner@example.org")
    owner.comes_in(invites(owner.email, "--role", "owner"), exports=False)
    fields = {"email": "x@example.org", "role": "organiser", "exports": "1", "passphrase": PASSPHRASE}
    assert owner.posts(PAGE, PAGE, **fields).status_code == 422


@pytest.mark.slow
def test_a_registered_organiser_gets_the_export_right_later(campaign, grace, olga):
    invitation = invited(grace, email=olga.email, exports="1", passphrase=PASSPHRASE)
    chosen = {"chosen": PASSPHRASE, "again": PASSPHRASE, "password": PASSWORD}
    assert olga.posts(f"{invitation}/passphrase", f"{invitation}/passphrase", **chosen).status_code == 303
    assert member(campaign, olga.email).may_export


def test_an_export_right_for_a_registered_organiser_cannot_be_taken_by_another(campaign, grace, olga, reader):
    invitation = invited(grace, email=olga.email, exports="1", passphrase=PASSPHRASE)
    assert reader.get(invitation).status_code == 403
    fields = {"email": olga.email, "chosen": PASSWORD, "again": PASSWORD}
    mallory = OrganiserBrowser(campaign, olga.email)
    mallory.posts(invitation, "/organise/sign-in", **fields)  # knows the address and even the password
    answer = mallory.posts(f"{invitation}/passphrase", "/organise/sign-in", chosen=PASSPHRASE, again=PASSPHRASE)
    assert answer.status_code == 303
    assert not member(campaign, olga.email).may_export


def test_a_revoked_invitation_is_invalid(campaign, grace):
    path = invited(grace, email="x@example.org")
    grace.posts(f"{PAGE}/invitations/take-back", PAGE, email="x@example.org")
    assert campaign.client.get(path).status_code == 404


def test_a_role_is_changed_and_a_reader_holds_no_key(campaign, grace, invites):
    other = OrganiserBrowser(campaign, "other@example.org")
    other.comes_in(invites(other.email, "--export"))
    grace.posts(f"{PAGE}/{member(campaign, other.email).id}/role", PAGE, role="reader")
    assert (member(campaign, other.email).role, member(campaign, other.email).may_export) == ("reader", False)
    assert other.get("/organise/export").status_code == 403


def test_the_right_to_export_is_taken(campaign, grace, invites):
    other = OrganiserBrowser(campaign, "other@example.org")
    other.comes_in(invites(other.email, "--export"))
    grace.posts(f"{PAGE}/{member(campaign, other.email).id}/stop-export", PAGE)
    form = {"purpose": "full", "dialect": "plain", "reason": "trial", "passphrase": PASSPHRASE}
    assert other.posts("/organise/export", **form).status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize(("act", "fields"), [("stop-export", {}), ("role", {"role": "reader"})])
def test_an_invitation_does_not_bring_back_a_right_that_was_taken(campaign, grace, olga, act, fields):
    invitation = invited(grace, email=olga.email, exports="1", passphrase=PASSPHRASE)
    grace.posts(f"{PAGE}/{member(campaign, olga.email).id}/{act}", PAGE, **fields)
    chosen = {"chosen": PASSPHRASE, "again": PASSPHRASE, "password": PASSWORD}
    olga.posts(f"{invitation}/passphrase", **chosen)
    assert not member(campaign, olga.email).may_export


def test_a_removed_organiser_is_logged_out_at_once(campaign, grace, olga):
    grace.posts(f"{PAGE}/{member(campaign, olga.email).id}/remove", PAGE)
    assert not olga.is_in()
    assert member(campaign, olga.email) is None


@pytest.mark.parametrize(("act", "role"), [("remove", ""), ("role", "reader"), ("role", "organiser")])
def test_the_last_owner_stays(campaign, grace, act, role):
    path = f"{PAGE}/{member(campaign, grace.email).id}/{act}"
    assert grace.posts(path, PAGE, role=role).status_code == 409
    assert member(campaign, grace.email).role == "owner"


@pytest.mark.parametrize("who", ["olga", "reader"])
def test_only_owners_see_and_change_the_team(request, campaign, grace, who):
    browser = request.getfixturevalue(who)
    assert browser.get(PAGE).status_code == 403
    assert browser.posts(PAGE, email="x@example.org", role="owner").status_code == 403
    assert browser.posts(f"{PAGE}/{member(campaign, grace.email).id}/remove").status_code == 403
    assert member(campaign, "x@example.org") is None


def test_all_of_it_is_noted(campaign, grace, olga):
    invited(grace, email="x@example.org")
    grace.posts(f"{PAGE}/{member(campaign, olga.email).id}/role", PAGE, role="reader")
    grace.posts(f"{PAGE}/{member(campaign, olga.email).id}/remove", PAGE)
    with campaign.app.app_context():
        noted = [(entry.actor, entry.action) for entry in audit_log.iter_entries(db.session)][-3:]
    assert noted == [(grace.email, action) for action in ("invited", "changed-role", "removed")]
