"""Coming in: an invitation, two factors, recovery codes, a passphrase; and then signing in and out."""

from datetime import timedelta

import pytest
import time_machine

from campaign.accounts.organisers import members
from campaign.core.database import db, utcnow
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser, invitation_in

pytestmark = pytest.mark.slow


def everybody(campaign):
    with campaign.app.app_context():
        return {one.email: (one.role, one.may_export) for one in members(db.session)}


def test_the_first_start_invites_the_first_owner(campaign):
    printed = campaign.command("init").output
    grace = OrganiserBrowser(campaign, "Grace@example.org")
    grace.comes_in(invitation_in(printed), recovery_key=campaign.recovery_key)
    assert everybody(campaign) == {"grace@example.org": ("owner", True)}
    assert grace.is_in()
    assert "invitation" not in campaign.command("init").output.lower()


def test_an_exporter_learns_about_the_recovery_key(grace):
    assert "Recovery key" in grace.get("/organise/welcome").text


def test_an_organiser_without_the_export_right_holds_no_key(campaign, olga):
    assert everybody(campaign) == {"olga@example.org": ("organiser", False)}
    assert "Recovery key" not in olga.get("/organise/welcome").text


def test_an_invitation_is_single_use(campaign, invites):
    invitation = invites("olga@example.org")
    OrganiserBrowser(campaign, "olga@example.org").comes_in(invitation, exports=False)
    assert campaign.client.get(invitation).status_code == 404


def test_an_invitation_is_valid_for_48_hours(campaign, invites):
    invitation = invites("olga@example.org")
    with time_machine.travel(utcnow() + timedelta(hours=47, minutes=59)):
        assert campaign.client.get(invitation).status_code == 200
    with time_machine.travel(utcnow() + timedelta(hours=48, minutes=1)):
        assert campaign.client.get(invitation).status_code == 404


def test_a_new_invitation_for_the_same_address_ends_the_old_one(campaign, invites):
    first = invites("olga@example.org")
    invites("olga@example.org")
    assert campaign.client.get(first).status_code == 404


@pytest.mark.parametrize("step", ["factor", "codes", "passphrase"])
def test_no_step_is_taken_before_the_first(campaign, invites, step):
    invitation = invites("olga@example.org")
    answer = campaign.client.get(f"{invitation}/{step}")
    assert (answer.status_code, answer.headers["Location"]) == (303, invitation)


def test_registration_requires_a_second_factor(campaign, invites):
    invitation = invites("olga@example.org")
    olga = OrganiserBrowser(campaign, "olga@example.org")
    olga.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    olga.posts(f"{invitation}/enter", f"{invitation}/factor")
    assert not olga.is_in()
    assert olga.gives_password().status_code == 422


def test_an_interrupted_registration_continues_with_the_same_password_only(campaign, invites):
    invitation = invites("olga@example.org")
    OrganiserBrowser(campaign, "olga@example.org").posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    other = OrganiserBrowser(campaign, "olga@example.org")
    guess = "another password of mine"
    assert other.posts(invitation, invitation, chosen=guess, again=guess).status_code == 422
    other.comes_in(invitation, exports=False)
    assert other.is_in()


@pytest.mark.parametrize("weak", ["short", "passwordpassword", "olga@example.org", "lovealwayswins1"])
def test_a_password_that_could_be_guessed_is_refused(campaign, invites, weak):
    invitation = invites("olga@example.org")
    answer = OrganiserBrowser(campaign, "olga@example.org").posts(invitation, invitation, chosen=weak, again=weak)
    assert answer.status_code == 422
    assert "too easy to guess" in answer.text


def test_a_wrong_recovery_key_gives_no_export(campaign):
    invitation = invitation_in(campaign.command("init").output)
    grace = OrganiserBrowser(campaign, "grace@example.org")
    wrong = campaign.recovery_key[:-4] + "AAAA"
    with pytest.raises(AssertionError, match="recovery key"):
        grace.comes_in(invitation, recovery_key=wrong)
    assert everybody(campaign) == {"grace@example.org": ("owner", False)}


def test_signing_in_takes_both_factors(olga):
    olga.posts("/organise/sign-out")
    assert not olga.is_in()
    olga.gives_password()
    assert not olga.is_in()
    olga.gives_code()
    assert olga.is_in()


def test_a_totp_code_is_single_use(campaign, olga):
    olga.posts("/organise/sign-out")
    olga.gives_password()
    code = olga.code()
    assert olga.gives_code(code).status_code == 303
    thief = OrganiserBrowser(campaign, olga.email)
    thief.gives_password()
    assert thief.gives_code(code).status_code == 422


def test_a_backup_code_is_single_use(campaign, olga):
    for expected in (303, 422):
        browser = OrganiserBrowser(campaign, olga.email)
        browser.gives_password()
        assert browser.gives_code(olga.codes[0]).status_code == expected


def test_the_second_factor_must_follow_soon(olga):
    olga.posts("/organise/sign-out")
    olga.gives_password()
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert olga.get("/organise/sign-in/code").status_code == 303


def test_an_unknown_address_is_answered_like_a_wrong_password(campaign, olga):
    wrong = [
        OrganiserBrowser(campaign, email).gives_password("not it at all") for email in (olga.email, "x@example.org")
    ]
    texts = [answer.text.replace(olga.email, "x@example.org") for answer in wrong]
    assert [answer.status_code for answer in wrong] == [422, 422]
    assert [text.split("<main")[1].count("Wrong email address or password") for text in texts] == [1, 1]


def test_sign_in_is_locked_after_ten_failures_for_the_right_password_too(campaign, olga):
    thief, now = OrganiserBrowser(campaign, olga.email), utcnow()
    with time_machine.travel(now, tick=False) as clock:
        for _ in range(10):
            assert thief.gives_password("not it at all").status_code == 422
            clock.shift(130)
        clock.shift(-130)
        answer = OrganiserBrowser(campaign, olga.email).gives_password()
        assert (answer.status_code, "15 minutes" in answer.text) == (429, True)
        clock.shift(15 * 60 + 1)
        assert OrganiserBrowser(campaign, olga.email).gives_password().status_code == 303


def test_sign_in_is_slowed_after_four_failures(campaign, olga):
    thief = OrganiserBrowser(campaign, olga.email)
    with time_machine.travel(utcnow(), tick=False):
        answers = [thief.gives_password("not it at all").status_code for _ in range(6)]
    assert answers == [422, 422, 422, 422, 429, 429]


def test_a_session_ends_after_30_idle_minutes(olga):
    with time_machine.travel(utcnow(), tick=False) as clock:
        for _ in range(3):
            clock.shift(29 * 60)
            assert olga.is_in()
        clock.shift(30 * 60)
        assert not olga.is_in()


def test_a_page_that_renews_itself_keeps_no_session_alive(olga):
    with time_machine.travel(utcnow(), tick=False) as clock:
        for _ in range(2):
            clock.shift(16 * 60)
            olga.client.get("/organise/", headers={"X-Refresh": "1"})
        assert not olga.is_in()


def test_signing_out_ends_the_session_in_the_database_too(olga):
    cookie = olga.client.get_cookie("organiser", path="/organise").value
    olga.posts("/organise/sign-out")
    olga.client.set_cookie("organiser", cookie, path="/organise")
    assert not olga.is_in()


def test_signing_out_is_a_post(olga):
    assert olga.get("/organise/sign-out").status_code == 405
    assert olga.is_in()


def test_a_new_password_ends_other_sessions_and_works(campaign, olga):
    other = OrganiserBrowser(campaign, olga.email)
    other.totp, other._used = olga.totp, olga._used
    other.signs_in()
    new = "a harbour full of paper boats"
    fields = {"password-old": PASSWORD, "password-chosen": new, "password-again": new}
    assert olga.posts("/organise/account/password", **fields).status_code == 303
    assert (olga.is_in(), other.is_in()) == (True, False)
    assert other.gives_password(new).status_code == 303


def test_new_recovery_codes_take_the_place_of_the_old(campaign, olga):
    page = olga.posts("/organise/account/codes", **{"codes-old": PASSWORD}).text
    assert page.count("<code>") == 10
    browser = OrganiserBrowser(campaign, olga.email)
    browser.gives_password()
    assert browser.gives_code(olga.codes[0]).status_code == 422


def test_a_stolen_session_changes_no_password_and_no_codes(olga):
    new = "a harbour full of paper boats"
    fields = {"password-old": "guess", "password-chosen": new, "password-again": new}
    assert olga.posts("/organise/account/password", **fields).status_code == 422
    assert "<code>" not in olga.posts("/organise/account/codes", **{"codes-old": "guess"}).text


def test_a_passphrase_is_changed_with_the_old_one(grace):
    new = "eleven kites above the frozen bay"
    for old, expected in (("wrong one", 422), (PASSPHRASE, 303), (PASSPHRASE, 422), (new, 303)):
        fields = {"passphrase-old": old, "passphrase-chosen": new, "passphrase-again": new}
        assert grace.posts("/organise/account/passphrase", **fields).status_code == expected


def test_removing_somebody_ends_their_sessions_and_their_copy_of_the_key(campaign, grace, olga):
    assert campaign.command("organisers", "remove", olga.email).exit_code == 0
    assert not olga.is_in()
    result = campaign.command("organisers", "remove", grace.email)
    assert (result.exit_code, "only owner" in result.output) == (1, True)
    assert everybody(campaign) == {"grace@example.org": ("owner", True)}
