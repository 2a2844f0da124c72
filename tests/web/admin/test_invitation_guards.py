"""An invitation survives two clicks at the same time, and shows no secret to a thief of its link or of a session."""

import re
from collections.abc import Callable
from html import unescape
from threading import Barrier, Thread

import pytest

from campaign.accounts import audit_log
from campaign.accounts.backup_codes import backup_codes_left
from campaign.accounts.organisers import by_email, members
from campaign.core.database import db
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser, invitation_in

pytestmark = pytest.mark.slow

OLGA = "olga@example.org"
ANOTHER = "another password of mine"


def twice(act: Callable[[int], object]) -> list:
    """Do something in two threads at the same moment, and return what both returned."""
    barrier, results = Barrier(2), []

    def run(number: int) -> None:
        barrier.wait()
        results.append(act(number))

    threads = [Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2, "a request failed"
    return results


def same_browser(browser: OrganiserBrowser) -> OrganiserBrowser:
    """Return a second tab: another client with the same cookie."""
    tab = OrganiserBrowser(browser.campaign, browser.email)
    if cookie := browser.client.get_cookie("organiser", path="/organise"):
        tab.client.set_cookie("organiser", cookie.value, path="/organise")
    return tab


def both_tabs(browser: OrganiserBrowser, path: str, page: str, **fields: str) -> list[tuple[int, str | None]]:
    """Send a form from two tabs at the same moment; the browser keeps the cookie of the second answer."""
    token, tabs = browser.token(page), [same_browser(browser) for _ in range(2)]

    def send(number: int) -> tuple[int, str | None, str | None]:
        answer = tabs[number].client.post(path, data={"csrf_token": token, **fields})
        cookie = tabs[number].client.get_cookie("organiser", path="/organise")
        return answer.status_code, answer.headers.get("Location"), cookie.value if cookie else None

    answers = twice(send)
    browser.client.set_cookie("organiser", answers[-1][2], path="/organise")
    return [answer[:2] for answer in answers]


def secret_on(page: str) -> str:
    return re.search(r'<code dir="ltr">([A-Z2-7 ]+)</code>', unescape(page))[1].replace(" ", "")


def test_two_clicks_on_every_step_lose_nothing(campaign, invites):
    invitation = invites(OLGA)
    olga = OrganiserBrowser(campaign, OLGA)
    chosen = {"chosen": PASSWORD, "again": PASSWORD}
    assert both_tabs(olga, invitation, invitation, **chosen) == [(303, f"{invitation}/factor")] * 2
    secrets = twice(lambda _number: secret_on(same_browser(olga).get(f"{invitation}/factor").text))
    assert secrets[0] == secrets[1]
    olga.totp = secrets[0]
    step = both_tabs(olga, f"{invitation}/factor", f"{invitation}/factor", code=olga.code())
    assert step == [(303, f"{invitation}/codes")] * 2
    assert sorted(status for status, _ in both_tabs(olga, f"{invitation}/codes", f"{invitation}/codes")) == [200, 422]
    with campaign.app.app_context():
        assert backup_codes_left(db.session, by_email(db.session, OLGA).id) == 10
    ends = both_tabs(olga, f"{invitation}/enter", f"{invitation}/codes")
    assert {status for status, _ in ends} == {303}
    with campaign.app.app_context():
        [member] = members(db.session)
        actions = [entry.action for entry in audit_log.iter_entries(db.session)]
    assert (member.email, member.activated_at is not None, actions.count("came-in")) == (OLGA, True, 1)
    olga.signs_in()
    assert olga.is_in()


def test_two_people_with_one_link_do_not_end_each_other(campaign, invites):
    """The second password is refused, and the account of the first one stays whole."""
    invitation = invites(OLGA)
    browsers = [OrganiserBrowser(campaign, OLGA) for _ in range(2)]
    tokens = [browser.token(invitation) for browser in browsers]

    def begins(number: int) -> tuple[int, int]:
        password = (PASSWORD, ANOTHER)[number]
        form = {"csrf_token": tokens[number], "chosen": password, "again": password}
        return number, browsers[number].client.post(invitation, data=form).status_code

    statuses = dict(twice(begins))
    assert sorted(statuses.values()) == [303, 422]
    winner = next(number for number, status in statuses.items() if status == 303)
    assert browsers[winner].get(f"{invitation}/factor").status_code == 200
    assert browsers[1 - winner].get(f"{invitation}/factor").status_code == 303


def test_two_clicks_on_the_passphrase_give_the_keys(campaign, ada):
    ada.confirms()
    invitation = invitation_in(campaign.command("init").output)
    grace = OrganiserBrowser(campaign, "grace@example.org")
    with pytest.raises(AssertionError, match="recovery key"):  # all steps but the last
        grace.comes_in(invitation, recovery_key="AAAA")
    fields = {"chosen": PASSPHRASE, "again": PASSPHRASE, "recovery_key": campaign.recovery_key}
    ends = both_tabs(grace, f"{invitation}/passphrase", f"{invitation}/passphrase", **fields)
    assert {status for status, _ in ends} == {303}
    grace.signs_in()
    form = {"purpose": "full", "dialect": "plain", "reason": "trial", "passphrase": PASSPHRASE}
    assert b"ada@example.org" in grace.posts("/organise/export", **form).data


def test_one_log_in_begins_one_session(campaign, olga):
    olga.posts("/organise/sign-out")
    olga.gives_password()
    codes = iter(olga.codes)
    token, tabs, given = olga.token("/organise/sign-in/code"), [], [next(codes), next(codes)]
    tabs = [same_browser(olga) for _ in range(2)]

    def gives(number: int) -> str | None:
        form = {"csrf_token": token, "code": given[number]}
        return tabs[number].client.post("/organise/sign-in/code", data=form).headers.get("Location")

    assert sorted(twice(gives)) == ["/organise/", "/organise/sign-in"]


# What follows does not depend on the database.
one = pytest.mark.parametrize("backend", ["sqlite"])


@one
def test_after_a_factor_a_wrong_code_shows_no_secret(campaign, invites, backend):
    invitation = invites(OLGA)
    olga = OrganiserBrowser(campaign, OLGA)
    olga.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    page = olga.get(f"{invitation}/factor").text
    olga.totp = secret_on(page)
    olga.posts(f"{invitation}/factor", f"{invitation}/factor", code=olga.code())
    for path in ("factor", "passkey"):
        for code in ("000000", "", "1" * 200):
            answer = olga.posts(f"{invitation}/{path}", f"{invitation}/codes", code=code, credential="{}")
            assert (answer.status_code, answer.headers["Location"]) == (303, f"{invitation}/codes")
            assert olga.totp not in answer.text.replace(" ", "")


@one
def test_other_recovery_codes_need_the_password(campaign, invites, backend):
    invitation = invites(OLGA)
    olga = OrganiserBrowser(campaign, OLGA)
    olga.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    olga.totp = secret_on(olga.get(f"{invitation}/factor").text)
    olga.posts(f"{invitation}/factor", f"{invitation}/factor", code=olga.code())
    codes = f"{invitation}/codes"
    assert olga.posts(codes, codes).text.count("<code>") == 10
    for fields in ({}, {"old": "a guess of mine"}):
        answer = olga.posts(codes, codes, **fields)
        assert (answer.status_code, "<code>" in answer.text) == (422, False)
    answer = olga.posts(codes, codes, old=PASSWORD)
    assert (answer.status_code, answer.text.count("<code>")) == (200, 10)


@one
def test_a_thief_of_the_link_gets_nothing_once_the_password_is_chosen(campaign, invites, backend):
    invitation = invites(OLGA)
    olga = OrganiserBrowser(campaign, OLGA)
    olga.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    olga.totp = secret_on(olga.get(f"{invitation}/factor").text)
    thief = OrganiserBrowser(campaign, OLGA)
    for _ in range(2):  # before the second factor, and after it
        assert thief.posts(invitation, invitation, chosen=ANOTHER, again=ANOTHER).status_code == 422
        for path in ("factor", "codes", "passphrase", "enter", "passkey"):
            for answer in (thief.get(f"{invitation}/{path}"), thief.posts(f"{invitation}/{path}", invitation)):
                assert answer.status_code in (303, 405)
                assert olga.totp not in answer.text.replace(" ", "")
        olga.posts(f"{invitation}/factor", "/organise/sign-in", code=olga.code())
    with campaign.app.app_context():
        assert backup_codes_left(db.session, by_email(db.session, OLGA).id) == 0


@one
def test_a_stolen_session_and_an_invitation_show_no_secret_and_give_no_keys(campaign, olga, invites, backend):
    """An organiser who is in is invited to export: a session gives access neither to their app nor to their codes."""
    invitation = invites(OLGA, "--export")
    thief = same_browser(olga)
    assert thief.is_in()
    for path in ("factor", "codes", "passkey", "enter"):
        for answer in (thief.get(f"{invitation}/{path}"), thief.posts(f"{invitation}/{path}", code="000000")):
            assert answer.status_code in (303, 405), path
            assert olga.totp not in answer.text.replace(" ", "")
    with campaign.app.app_context():
        assert backup_codes_left(db.session, by_email(db.session, OLGA).id) == 10
    chosen = {"chosen": PASSPHRASE, "again": PASSPHRASE}
    for fields in (chosen, {**chosen, "password": "a guess of mine"}):
        assert thief.posts(f"{invitation}/passphrase", f"{invitation}/passphrase", **fields).status_code == 422
    fields = {**chosen, "password": PASSWORD}
    assert olga.posts(f"{invitation}/passphrase", f"{invitation}/passphrase", **fields).status_code == 303


@one
def test_an_app_that_was_never_confirmed_is_no_factor(campaign, invites, backend):
    """The page shows a secret to those who then choose a passkey: it must not let anybody in later."""
    from campaign.accounts import invitations  # noqa: PLC0415
    from campaign.models import Organiser  # noqa: PLC0415 - the one test that looks at it

    invitation = invites(OLGA)
    olga = OrganiserBrowser(campaign, OLGA)
    olga.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    olga.get(f"{invitation}/factor")
    with campaign.app.app_context():
        who = by_email(db.session, OLGA).id
        assert invitations.complete_registration(db.session, invitation.rsplit("/", 1)[1], who)
        assert db.session.get_one(Organiser, who).encrypted_totp_secret is None
