"""Passkeys: a challenge is answered once and soon, copies are noticed, and the last second factor cannot be removed."""

import json
import re
from datetime import timedelta
from html import unescape
from threading import Barrier, Thread

import pytest
import time_machine

from campaign.accounts import audit_log
from campaign.accounts.organisers import by_email
from campaign.accounts.passkeys import list_passkeys
from campaign.core.database import db, utcnow
from tests.organisers import PASSWORD, OrganiserBrowser
from tests.passkey_device import PasskeyDevice

ACCOUNT, SECOND = "/organise/account", "/organise/sign-in/code"
ORIGIN = "https://love.example.org"
pytestmark = pytest.mark.settings(public_url=ORIGIN)


@pytest.fixture
def backend() -> str:
    """What the database has a say in is tried on both."""
    return "sqlite"


both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"])


@pytest.fixture(autouse=True)
def _https(campaign, monkeypatch):
    """Browsers make passkeys for HTTPS only, and the test client speaks HTTP: let the cookie go over that, too."""
    monkeypatch.setitem(campaign.app.config, "SESSION_COOKIE_SECURE", False)


def options(page: str) -> dict:
    """Return what the page asks the browser to answer."""
    return json.loads(unescape(re.search(r'data-options="([^"]+)"', page)[1]))


def adds(browser: OrganiserBrowser, device: PasskeyDevice, name: str = ""):
    """Add a passkey on the account page."""
    credential = device.creates(options(browser.get(ACCOUNT).text))
    return browser.posts(f"{ACCOUNT}/passkey", credential=credential, **{"passkey-old": PASSWORD, "passkey-name": name})


def answers(browser: OrganiserBrowser, credential: str):
    """Send a passkey as the second factor."""
    return browser.posts("/organise/sign-in/passkey", SECOND, credential=credential)


def at_second(campaign, email: str) -> OrganiserBrowser:
    """Return a browser in which the password was given."""
    browser = OrganiserBrowser(campaign, email)
    assert browser.gives_password().status_code == 303
    return browser


@pytest.fixture
def device(olga) -> PasskeyDevice:
    """Olga's phone, with a passkey that she has added."""
    device = PasskeyDevice(ORIGIN, "love.example.org")
    assert adds(olga, device, "Olga’s phone").status_code == 303
    return device


@both
def test_a_passkey_logs_in_and_shows_when_it_was_used(campaign, olga, device, backend):
    page = olga.get(ACCOUNT).text
    assert ("Olga’s phone" in page, "not used yet" in page) == (True, True)
    browser = at_second(campaign, olga.email)
    assert answers(browser, device.signs(options(browser.get(SECOND).text))).status_code == 303
    assert browser.is_in()
    assert "last used on" in browser.get(ACCOUNT).text


@both
def test_an_answer_is_accepted_once_in_any_browser(campaign, olga, device, backend):
    browser = at_second(campaign, olga.email)
    before = browser.client.get_cookie("organiser", path="/organise").value
    browser.get(SECOND)
    cookie = browser.client.get_cookie("organiser", path="/organise").value
    device.counter = -1  # the count of many devices is always 0, so it cannot tell a replay
    credential = device.signs(options(browser.get(SECOND).text))
    assert answers(browser, credential).status_code == 303
    for kept in (before, cookie):
        thief = at_second(campaign, olga.email)
        thief.client.set_cookie("organiser", kept, path="/organise")
        thief.client.post("/organise/sign-in/passkey", data={"credential": credential})
        assert not thief.is_in()
    thief = at_second(campaign, olga.email)
    assert answers(thief, credential).status_code == 422
    assert not thief.is_in()


def test_a_replay_is_refused_after_the_cleanup_too(campaign, olga, device):
    from campaign.maintenance import delete_expired  # noqa: PLC0415 - the one test of it

    device.counter = -1
    with time_machine.travel(utcnow(), tick=False) as clock:
        browser = at_second(campaign, olga.email)
        page = browser.get(SECOND).text
        kept = browser.client.get_cookie("organiser", path="/organise").value
        credential = device.signs(options(page))
        token = re.search(r'name="csrf_token"\s+value="([^"]+)"', page)[1]
        form = {"csrf_token": token, "credential": credential}
        assert browser.client.post("/organise/sign-in/passkey", data=form).status_code == 303
        clock.shift(timedelta(minutes=6))
        delete_expired(campaign.app)
        clock.shift(timedelta(minutes=-2))  # within the life of the first factor
        thief = OrganiserBrowser(campaign, olga.email)
        thief.client.set_cookie("organiser", kept, path="/organise")
        assert thief.client.post("/organise/sign-in/passkey", data=form).headers.get("Location") != "/organise/"
        assert not thief.is_in()


def test_an_answer_after_five_minutes_is_refused(campaign, olga, device):
    with time_machine.travel(utcnow(), tick=False) as clock:
        first = at_second(campaign, olga.email)
        credential = device.signs(options(first.get(SECOND).text))
        clock.shift(timedelta(minutes=5, seconds=1))
        second = at_second(campaign, olga.email)
        assert answers(second, credential).status_code == 422


def test_a_passkey_whose_count_goes_back_is_refused(campaign, olga, device):
    for counter, expected in ((10, 303), (11, 303), (5, 422), (11, 422), (20, 303)):
        with time_machine.travel(utcnow() + timedelta(minutes=counter * 20)):
            browser = at_second(campaign, olga.email)
            device.counter = counter - 1
            answer = answers(browser, device.signs(options(browser.get(SECOND).text)))
            assert answer.status_code == expected, counter


def test_a_challenge_of_another_page_or_organiser_is_refused(campaign, grace, olga, device):
    for foreign in (options(olga.get(ACCOUNT).text), options(grace.get(ACCOUNT).text), {"challenge": "AAAA"}):
        browser = at_second(campaign, olga.email)
        assert answers(browser, device.signs(foreign)).status_code == 422


def test_the_same_passkey_is_not_stored_twice(campaign, olga, grace, device):
    assert adds(olga, device).status_code == 422
    assert adds(grace, device).status_code == 422


def known(campaign, email):
    with campaign.app.app_context():
        return list_passkeys(db.session, by_email(db.session, email).id)


def removes(browser: OrganiserBrowser, passkey_id, password: str = PASSWORD):
    return browser.posts(f"{ACCOUNT}/passkey/remove", **{"removal-passkey": str(passkey_id), "removal-old": password})


@both
def test_a_passkey_is_removed_with_the_password(campaign, olga, device, backend):
    [passkey] = known(campaign, olga.email)
    assert removes(olga, passkey.id, "a guess of mine").status_code == 422
    assert removes(olga, passkey.id, "").status_code == 422
    assert len(known(campaign, olga.email)) == 1
    assert removes(olga, passkey.id).status_code == 303
    assert known(campaign, olga.email) == []
    assert removes(olga, passkey.id).status_code == 303  # twice does no harm
    with campaign.app.app_context():
        done = [entry.action for entry in audit_log.iter_entries(db.session)]
    assert done.count("removed-passkey") == 1


def test_nobody_removes_the_passkey_of_another(campaign, grace, olga, device):
    [passkey] = known(campaign, olga.email)
    removes(grace, passkey.id)
    assert known(campaign, olga.email) == [passkey]


@pytest.fixture
def passkeys_only(campaign, invites):
    """Somebody who came in with a passkey and has added another one, but no app."""
    browser = OrganiserBrowser(campaign, "zoe@example.org")
    invitation = invites(browser.email)
    browser.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    page = browser.get(f"{invitation}/factor").text
    devices = [PasskeyDevice(ORIGIN, "love.example.org") for _ in range(2)]
    credential = devices[0].creates(options(page))
    browser.posts(f"{invitation}/passkey", f"{invitation}/factor", credential=credential)
    browser.posts(f"{invitation}/codes", f"{invitation}/codes")
    assert browser.posts(f"{invitation}/enter", f"{invitation}/codes").status_code == 303
    assert adds(browser, devices[1]).status_code == 303
    return browser


@both
def test_the_last_factor_stays(campaign, passkeys_only, backend):
    first, second = known(campaign, passkeys_only.email)
    assert removes(passkeys_only, first.id).status_code == 303
    answer = removes(passkeys_only, second.id)
    assert (answer.status_code, "for two-step verification" in answer.text) == (409, True)
    assert len(known(campaign, passkeys_only.email)) == 1


@both
def test_the_last_factor_stays_when_both_are_removed_at_once(campaign, passkeys_only, backend):
    token, barrier = passkeys_only.token(ACCOUNT), Barrier(2)
    cookie = passkeys_only.client.get_cookie("organiser", path="/organise").value
    statuses = []

    def remove(passkey):
        client = campaign.app.test_client()
        client.set_cookie("organiser", cookie, path="/organise")
        barrier.wait()
        form = {"csrf_token": token, "removal-passkey": str(passkey.id), "removal-old": PASSWORD}
        statuses.append(client.post(f"{ACCOUNT}/passkey/remove", data=form).status_code)

    threads = [Thread(target=remove, args=(passkey,)) for passkey in known(campaign, passkeys_only.email)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 409]
    assert len(known(campaign, passkeys_only.email)) == 1
