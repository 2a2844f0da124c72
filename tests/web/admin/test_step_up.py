"""A stolen session changes nothing: the password or second factor is asked for again, and nothing typed is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html.parser import HTMLParser

import pytest
import time_machine

from campaign.accounts import audit_log
from campaign.accounts.organisers import MAX_LOOKUPS, members
from campaign.core.database import db, utcnow
from campaign.web.admin import step_up
from campaign.web.admin.access import DEFAULT_ROLE, EVERYONE, SAFE_METHODS, StepUp
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser, confirm_form
from tests.web.admin.test_access import every_address

pytestmark = pytest.mark.slow

LETTER = 'Dear "IOC",\r\n\r\n  speak <out> & stand by it.\r\n\tПишем иначе. 𠮷野 ليلى'
ORGANISERS, SETTINGS, SIGNATURES = "/organise/organisers", "/organise/settings", "/organise/signatures"
both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"])


@pytest.fixture
def backend() -> str:
    """What the database has a say in is tried on both of them."""
    return "sqlite"


def entries(campaign) -> list[audit_log.Entry]:
    with campaign.app.app_context():
        return list(audit_log.iter_entries(db.session))


def actions(campaign) -> list[str]:
    return [entry.action for entry in entries(campaign)]


def emails(campaign) -> list[str]:
    with campaign.app.app_context():
        return [one.email for one in members(db.session)]


def member_id(campaign, email: str):
    with campaign.app.app_context():
        return next(one.id for one in members(db.session) if one.email == email)


def copy_of(browser: OrganiserBrowser) -> OrganiserBrowser:
    """Return a thief with the cookie that `browser` has now."""
    thief = OrganiserBrowser(browser.campaign, browser.email)
    thief.password = "a guess of mine"
    cookie = browser.client.get_cookie("organiser", path="/organise")
    thief.client.set_cookie("organiser", cookie.value, path="/organise")
    return thief


def test_every_form_declares_its_step_up_requirement(campaign):
    for method, path, view in every_address(campaign.app):
        if method not in SAFE_METHODS and getattr(view, "needs", DEFAULT_ROLE) != EVERYONE:
            assert isinstance(getattr(view, "step_up", None), StepUp), (
                f"{path}: mark its view with step_up, own_secret or no_step_up of campaign.web.admin.access"
            )


def test_a_form_that_declares_nothing_asks_for_the_secret(campaign, grace):
    view = campaign.app.view_functions["login.logout"]

    def silent():
        return view()

    silent.needs = "reader"
    campaign.app.view_functions["login.logout"] = silent
    assert grace.posts_once("/organise/sign-out").status_code == 403
    assert grace.is_in()


def test_no_form_acts_without_the_secret_in_a_session_that_was_just_begun(campaign, grace):
    asked = 0
    for method, path, view in every_address(campaign.app):
        declared = getattr(view, "step_up", StepUp.REQUIRED)
        if method in SAFE_METHODS or getattr(view, "needs", DEFAULT_ROLE) == EVERYONE or declared is StepUp.NONE:
            continue
        before = actions(campaign)
        answer = grace.posts_once(path, email="ada@example.org", act="close")
        assert answer.status_code == (403 if declared is StepUp.REQUIRED else 422), path
        assert actions(campaign) == before, path
        asked += declared is StepUp.REQUIRED
    assert asked > 12


ATTACKS = {
    "invites an owner": (ORGANISERS, {"email": "mallory@example.org", "role": "owner"}),
    "removes the owner": (f"{ORGANISERS}/GRACE/remove", {"confirm-sure": "1"}),
    "takes the right to export": (f"{ORGANISERS}/GRACE/stop-export", {"confirm-sure": "1"}),
    "makes a reader an owner": (f"{ORGANISERS}/OLGA/role", {"role": "owner", "confirm-sure": "1"}),
    "replaces the letter": (f"{SETTINGS}/letter", {"of": "en", "text": "Nothing is wrong."}),
    "sets the contact": (f"{SETTINGS}/goals", {"goals": "", "contact": "mallory@example.org"}),
    "switches the bot check": (f"{SETTINGS}/bot-check", {"act": "on"}),
    "closes": (f"{SETTINGS}/stage", {"act": "close", "confirm-sure": "1"}),
    "delivers": ("/organise/hand-in/delivered", {"day": "2013-12-10", "confirm-sure": "1"}),
    "looks up": (SIGNATURES, {"email": "ada@example.org"}),
    "erases": (f"{SIGNATURES}/erase", {"email": "ada@example.org", "confirm-sure": "1"}),
}


@pytest.mark.parametrize("guess", [{}, {"confirm-secret": "a guess of mine"}, {"confirm-credential": "{}"}])
def test_a_stolen_session_does_none_of_this(campaign, grace, olga, ada, guess):
    ada.confirms()
    page = campaign.client.get("/en/").data
    for name, (path, fields) in ATTACKS.items():
        address = path.replace("GRACE", str(member_id(campaign, grace.email)))
        address = address.replace("OLGA", str(member_id(campaign, olga.email)))
        answer = copy_of(grace).posts_once(address, **fields, **guess)
        assert answer.status_code in (403, 422, 429), name
        assert "United Kingdom" not in answer.text, name
    done = {"signed-in", "wrong-code", "refused"}
    assert set(actions(campaign)) <= done
    assert emails(campaign) == [grace.email, olga.email]
    assert campaign.client.get("/en/").data == page


def test_signing_in_is_not_enough_and_the_password_is(campaign, grace):
    fields = {"email": "x@example.org", "role": "reader"}
    assert grace.posts_once(ORGANISERS, **fields).status_code == 403
    assert "/organise/invitation/" in grace.posts_once(ORGANISERS, **fields, **{"confirm-secret": PASSWORD}).text
    assert grace.posts_once(f"{SETTINGS}/bot-check", act="on").status_code == 303  # asks once in five minutes


@pytest.mark.parametrize("written", ["{}", " {} ", "٠"])
def test_the_digits_of_an_app_are_enough_once(campaign, grace, written):
    code = grace.code()
    if written == "٠":
        code = code.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})
    secret = {"confirm-secret": written.format(code) if "{}" in written else code}
    assert grace.posts_once(f"{SETTINGS}/bot-check", act="on", **secret).status_code == 303
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        assert grace.posts_once(f"{SETTINGS}/bot-check", act="off", **secret).status_code == 422


def test_a_password_of_six_digits_is_not_mistaken_for_a_code(campaign, grace):
    grace.password = "%4 $9 :2 )7 =1 ?8"
    fields = {"old": PASSWORD, "chosen": grace.password, "again": grace.password}
    changed = grace.posts_once("/organise/account/password", **{f"password-{name}": fields[name] for name in fields})
    assert changed.status_code == 303
    secret = {"confirm-secret": grace.password}
    assert grace.posts_once(f"{SETTINGS}/bot-check", act="on", **secret).status_code == 303


def test_a_recovery_code_is_not_used_up_here(campaign, grace):
    secret = {"confirm-secret": grace.codes[0]}
    assert grace.posts_once(f"{SETTINGS}/bot-check", act="on", **secret).status_code == 422
    browser = OrganiserBrowser(campaign, grace.email)
    browser.gives_password()
    assert browser.gives_code(grace.codes[0]).status_code == 303


@both
def test_it_is_valid_for_five_minutes(campaign, grace):
    with time_machine.travel(utcnow(), tick=False) as clock:
        grace.posts(f"{SETTINGS}/bot-check", act="on")
        clock.shift(299)
        assert grace.posts_once(f"{SETTINGS}/bot-check", act="off").status_code == 303
        clock.shift(2)
        assert grace.posts_once(f"{SETTINGS}/bot-check", act="on").status_code == 403


def test_a_cookie_that_was_copied_earlier_gains_nothing(campaign, grace):
    thief = copy_of(grace)
    grace.posts(f"{SETTINGS}/bot-check", act="on")
    assert thief.posts_once(f"{SETTINGS}/bot-check", act="off").status_code == 403


def test_another_session_of_the_same_person_gains_nothing(campaign, grace):
    other = OrganiserBrowser(campaign, grace.email)
    other.totp, other._used = grace.totp, grace._used
    other.signs_in()
    grace.posts(f"{SETTINGS}/bot-check", act="on")
    assert other.posts_once(f"{SETTINGS}/bot-check", act="off").status_code == 403


def test_typed_values_are_carried_through_the_confirmation_page(campaign, grace):
    asked = grace.posts_once(f"{SETTINGS}/letter", of="fr", text=LETTER)
    form = confirm_form(asked)
    assert form.action == f"{SETTINGS}/letter"
    assert form.fields.keys() == {"csrf_token", "of", "text"}
    wrong = grace.client.post(form.action, data=form.fields | {"confirm-secret": "a guess of mine"})
    assert (wrong.status_code, "Wrong password or code" in wrong.text) == (422, True)
    assert "a guess of mine" not in wrong.text
    answer = grace.client.post(form.action, data=form.fields | {"confirm-secret": PASSWORD})
    assert answer.status_code == 303
    [entry] = [entry for entry in entries(campaign) if entry.action == "changed-setting"]
    assert entry.details["to"].splitlines() == LETTER.splitlines()


def test_a_field_of_many_values_is_carried_whole(campaign, grace):
    fields = {"csrf_token": grace.token(SETTINGS), "of": ["fr", "de"], "text": "x"}
    page = grace.client.post(f"{SETTINGS}/letter", data=fields).text
    assert page.count('name="of" value=') == 2


class PasswordFields(HTMLParser):
    """The names of fields for something secret on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input" and (given.get("type") == "password" or given.get("autocomplete") == "one-time-code"):
            self.names.add(given["name"])


def test_no_secret_is_ever_written_into_a_page(campaign, grace, ada):
    ada.confirms()
    pages = [grace.get(f"/organise/{room}").text for room in ("hand-in", "organisers", "account")]
    pages += [grace.get("/organise/export?purpose=full&dialect=plain").text]
    names = set().union(*(PasswordFields(page).names for page in pages))
    names |= PasswordFields(grace.posts(SIGNATURES, email="ada@example.org").text).names | {"recovery_key"}
    assert len(names) > 8
    thief = OrganiserBrowser(campaign, grace.email)
    thief.totp, thief._used = grace.totp, grace._used
    thief.signs_in()
    answer = thief.posts_once(ORGANISERS, **dict.fromkeys(names, "drums behind a velvet door"), email="kept@x.org")
    assert (answer.status_code, "kept@x.org" in answer.text) == (422, True)
    assert "drums behind" not in answer.text


def test_a_passphrase_goes_along_where_the_secret_stands_in_the_same_form(campaign, grace):
    assert 'name="confirm-secret"' in grace.get(ORGANISERS).text
    fields = {"email": "x@example.org", "role": "organiser", "exports": "1", "passphrase": PASSPHRASE}
    answer = grace.posts_once(ORGANISERS, **fields, **{"confirm-secret": PASSWORD})
    assert "/organise/invitation/" in answer.text
    assert 'name="confirm-secret"' not in grace.get(ORGANISERS).text


@both
def test_wrong_guesses_are_slowed_and_recorded_as_refused(campaign, grace):
    thief = copy_of(grace)
    with time_machine.travel(utcnow(), tick=False):
        guesses = [
            thief.posts_once(f"{SETTINGS}/bot-check", act="on", **{"confirm-secret": f"guess {number}"})
            for number in range(6)
        ]
        assert [answer.status_code for answer in guesses] == [422, 422, 422, 422, 429, 429]
        right = thief.posts_once(f"{SETTINGS}/bot-check", act="on", **{"confirm-secret": PASSWORD})
        assert right.status_code == 429
    refused = [entry for entry in entries(campaign) if entry.action == "refused"]
    assert [entry.details for entry in refused] == [{"attempt": "settings.set_bot_check", "why": "wrong-secret"}] * 4


def test_a_wrong_password_on_the_account_page_is_recorded_as_refused(campaign, grace):
    grace.posts("/organise/account/codes", **{"codes-old": "a guess of mine"})
    newest = entries(campaign)[-1]
    assert (newest.action, newest.details["attempt"]) == ("refused", "account.make_codes")


def test_an_action_above_ones_role_is_recorded_as_refused(campaign, grace, olga):
    olga.posts(f"{ORGANISERS}/{member_id(campaign, grace.email)}/remove")
    newest = entries(campaign)[-1]
    assert (newest.actor, newest.action) == (olga.email, "refused")
    assert newest.details["attempt"] == "organisers.remove"


def test_marking_as_delivered_without_the_right_is_recorded_as_refused(campaign, olga):
    assert olga.posts("/organise/hand-in/delivered", day="2013-12-10").status_code == 403
    [refused] = [entry for entry in entries(campaign) if entry.action == "refused"]
    assert (refused.details["attempt"], refused.details["why"]) == ("delivered", "may-not-export")


def test_a_session_without_the_secret_does_not_learn_whom_it_would_erase(campaign, grace, ada):
    ada.confirms()
    pages = [grace.posts_once(f"{SIGNATURES}/erase", email=f"{name}@example.org").text for name in ("ada", "zoe")]
    assert pages[0].replace("ada@", "zoe@") == pages[1]


@both
def test_look_ups_are_limited_counted_together_and_recorded_without_the_address(campaign, olga, ada):
    ada.signs()
    olga.posts(SIGNATURES, email="none@example.org")
    token, cookie = olga.token(SIGNATURES), olga.client.get_cookie("organiser", path="/organise").value

    def look_up(number: int) -> int:
        client = campaign.app.test_client()
        client.set_cookie("organiser", cookie, path="/organise")
        act = ("", "/send", "/open", "/erase")[number % 4]
        fields = {"csrf_token": token, "email": f"target{number}@example.org", "passphrase": "x", "confirm-sure": "1"}
        return client.post(f"{SIGNATURES}{act}", data=fields).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(look_up, range(MAX_LOOKUPS + 12)))
    assert statuses.count(429) == 13  # one look-up came before
    assert set(statuses) == {200, 422, 429}
    noted = [entry for entry in entries(campaign) if entry.action != "signed-in"]
    assert [entry.action for entry in noted].count("looked-up") == MAX_LOOKUPS
    assert [entry.details["attempt"] for entry in noted if entry.action == "refused"] == ["looked-up"] * 13
    assert "target" not in str([entry.details for entry in noted])
    answer = olga.posts(SIGNATURES, email="ada@example.org")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert "Try again in 60 minutes" in answer.text
    with time_machine.travel(utcnow() + timedelta(minutes=20), tick=False) as clock:
        for _ in range(3):  # and the session goes on
            olga.get("/organise/")
            clock.shift(20 * 60)
        assert "United Kingdom" in olga.posts(SIGNATURES, email="ada@example.org").text


def test_names_of_secret_fields_are_known_with_and_without_a_prefix():
    assert all(step_up._is_secret(name) for name in ("passphrase", "password-old", "codes-old", "recovery_key"))
    assert not any(step_up._is_secret(name) for name in ("email", "cover", "text", "confirm-secret", "csrf_token"))
