"""Hostile input under /organise: an answer of 4xx, never a failure of ours, and no counter of wrong guesses forgets."""

import re
from io import BytesIO
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import time_machine

from campaign.accounts.organisers import by_email
from campaign.core.database import db, transaction, utcnow
from campaign.key_worker import client
from campaign.models import Passkey
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser

pytestmark = pytest.mark.slow

FORM = "application/x-www-form-urlencoded"
LOG_IN = "/organise/sign-in"


@pytest.fixture
def backend() -> str:
    """PostgreSQL, which refuses more than SQLite does."""
    return "postgresql"


both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"])

HOSTILE_TEXTS = {
    "NUL": "a\0b@example.org",
    "long": "x" * 30_000,
    "brackets": "[" * 5000,
    "combining marks": "a" + "\u0300\u0327" * 8000,
    "number": "9" * 5000,
    "low number": "-99999999999999999999",
    "last day": "9999-12-31",
    "no day": "2013-02-30",
    "object": '{"id": 5, "rawId": [], "response": {"clientDataJSON": 7}, "type": []}',
    "replacement": "\ufffd\uffff",
    "empty": "",
}
# The fields of every form, and how they are called on the pages that have several forms.
FIELDS = """email password code credential chosen again old recovery_key passphrase role exports reason recipient
purpose dialect since until country language unconfirmed cover day act goals contact of text preview passkey-name
passkey-old removal-old removal-passkey codes-old password-old password-chosen password-again
passphrase-old passphrase-chosen passphrase-again before lang""".split()


def post_routes(app):
    """Yield the path of every form under /organise."""
    values = {"token": "x" * 43, "organiser_id": uuid4(), "signature_id": uuid4(), "job": "x" * 43}
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/organise") and "POST" in rule.methods and rule.endpoint != "login.logout":
            yield adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments}, "POST")


def bodies(token: str):
    """Yield hostile bodies by name: the body and its content type. Each carries the token of the form, where it can."""
    for name, text in HOSTILE_TEXTS.items():
        size = max(1, 60_000 // max(len(text.encode()) * 2, 1))
        fields = FIELDS if size >= len(FIELDS) else FIELDS[:size]
        yield name, (urlencode({"csrf_token": token, **dict.fromkeys(fields, text)}), FORM)
    good = f"csrf_token={token}&"
    yield "no UTF-8", (good + "&".join(f"{name}=%ED%A0%80%FF" for name in FIELDS), FORM)
    yield "twice", (good + "&".join(f"{name}=1&{name}=2" for name in FIELDS), FORM)
    yield "nothing else", (good, FORM)
    yield "a bad token", ("csrf_token=%FF%00é.x.y", FORM)
    yield "JSON", (f'{{"csrf_token": "{token}", "email": "\\ud800", "password": "\\ud800"}}', "application/json")
    yield "a JSON bomb", ("[" * 20_000, "application/json")
    yield "a JSON number", ("7", "application/json; charset=utf-8")
    yield "text", ("email=x", "text/plain")
    yield "a broken multipart", ("--x\r\nContent-Disp", "multipart/form-data; boundary=x")
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="x.txt"\r\n\r\nx\r\n' for name in FIELDS
    )
    parts += f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
    yield "files", (f"{parts}--x--\r\n", "multipart/form-data; boundary=x")


def visitor_inside(campaign, grace, olga):
    return grace


def visitor_outside(campaign, grace, olga):
    return OrganiserBrowser(campaign, "nobody@example.org")


def visitor_at_the_second_factor(campaign, grace, olga):
    browser = OrganiserBrowser(campaign, olga.email)
    browser.gives_password()
    return browser


@pytest.mark.parametrize("visitor", [visitor_inside, visitor_outside, visitor_at_the_second_factor])
def test_no_form_under_organise_fails_on_hostile_input(campaign, grace, olga, visitor, monkeypatch):
    monkeypatch.setitem(campaign.app.config, "PROPAGATE_EXCEPTIONS", False)
    browser = visitor(campaign, grace, olga)
    token = browser.token("/organise/account" if browser is grace else LOG_IN)
    paths, wrong = list(post_routes(campaign.app)), []
    if visitor is visitor_at_the_second_factor:
        paths = [path for path in paths if path.startswith(f"{LOG_IN}/")]
    for path in paths:
        for name, (body, kind) in bodies(token):
            answer = browser.client.post(path, data=body, content_type=kind)
            answer.close()
            refused = name in ("JSON", "a JSON bomb", "a JSON number", "text")
            if answer.status_code >= 500 or (refused and answer.status_code != 415):
                wrong.append((path, name, answer.status_code))
    assert wrong == []


@both
def test_no_page_under_organise_fails_on_a_hostile_query(campaign, grace, monkeypatch):
    monkeypatch.setitem(campaign.app.config, "PROPAGATE_EXCEPTIONS", False)
    wrong = []
    for page in ("", "sign-in", "export", "activity", "settings", "account", "hand-in/%00", "invitation/%00", "%00"):
        for name, text in HOSTILE_TEXTS.items():
            query = {**dict.fromkeys(("lang", "of", "before", "done"), text), "purpose": "full"}
            query |= dict.fromkeys(("since", "until"), text) if len(text) < 20 else {"country": text[:2000]}
            answer = grace.client.get(f"/organise/{page}", query_string=query)
            if answer.status_code >= 500:
                wrong.append((page, name, answer.status_code))
    assert wrong == []


@both
@pytest.mark.parametrize("field", ["email", "password"])
def test_a_nul_at_the_log_in_is_a_bad_request(campaign, backend, field):
    browser = OrganiserBrowser(campaign, "ada@example.org")
    fields = {"email": browser.email, "password": "a guess of mine"}
    assert browser.posts(LOG_IN, LOG_IN, **fields | {field: "a\0b"}).status_code == 400


def test_a_nul_in_any_address_is_no_failure(campaign):
    for path in ("/confirm/%00", "/receipt/%00", "/share/%00", "/en/%00", "/card/%00.png", "/oembed?url=%00"):
        assert campaign.client.get(path).status_code in (302, 303, 308, 400, 404), path


# What an attacker sends between two guesses, hoping that an error makes the counter forget.
def json_password(browser):
    return browser.client.post(
        LOG_IN,
        data=f'{{"csrf_token": "x", "email": "{browser.email}", "password": "\\ud800"}}',
        content_type="application/json",
        headers={"X-CSRFToken": browser.token(LOG_IN)},
    )


def bytes_password(browser):
    body = urlencode({"csrf_token": browser.token(LOG_IN), "email": browser.email}) + "&password=%ED%A0%80%00"
    return browser.client.post(LOG_IN, data=body, content_type=FORM)


def file_password(browser):
    fields = {"csrf_token": browser.token(LOG_IN), "email": browser.email, "password": (BytesIO(b"x"), "x.txt")}
    return browser.client.post(LOG_IN, data=fields, content_type="multipart/form-data")


@both
@pytest.mark.parametrize("trick", [json_password, bytes_password, file_password])
def test_no_error_at_the_log_in_resets_the_counter_of_wrong_passwords(campaign, olga, trick, backend, monkeypatch):
    monkeypatch.setitem(campaign.app.config, "PROPAGATE_EXCEPTIONS", False)
    thief = OrganiserBrowser(campaign, olga.email)
    with time_machine.travel(utcnow(), tick=False):
        statuses = [thief.gives_password("not it at all").status_code for _ in range(3)]
        assert trick(thief).status_code in (400, 415, 422)
        statuses += [thief.gives_password("not it at all").status_code for _ in range(2)]
    assert statuses == [422, 422, 422, 422, 429]


CREDENTIALS = ["[" * 5000, "{" * 5000, '{"id": ' * 3000, "null", '"\\ud800"', '{"id": 1}', "x" * 40_000, "[1e999999]"]


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_no_error_at_a_passkey_resets_the_counter_of_wrong_codes(campaign, olga, credential, monkeypatch):
    monkeypatch.setitem(campaign.app.config, "PROPAGATE_EXCEPTIONS", False)
    with campaign.app.app_context(), transaction(db.session):  # the page asks for a passkey where there is one
        who = by_email(db.session, olga.email).id
        db.session.add(Passkey(organiser_id=who, credential_id=b"x" * 32, public_key=b"y", sign_count=0))
    thief = OrganiserBrowser(campaign, olga.email)
    thief.gives_password()
    with time_machine.travel(utcnow(), tick=False):
        statuses = [thief.gives_code("000000").status_code for _ in range(3)]
        passkey = thief.posts("/organise/sign-in/passkey", "/organise/sign-in/code", credential=credential)
        statuses += [passkey.status_code, thief.gives_code("000000").status_code]
    assert statuses == [422, 422, 422, 422, 429]


@pytest.mark.long
def test_a_crash_of_the_key_process_resets_no_counter_and_logs_no_value(campaign, grace, monkeypatch, capfd):
    monkeypatch.setitem(campaign.app.config, "PROPAGATE_EXCEPTIONS", False)
    form = {"purpose": "full", "dialect": "plain", "reason": "trial"}
    with time_machine.travel(utcnow(), tick=False):
        statuses = [grace.posts("/organise/export", **form, passphrase="a guess").status_code for _ in range(4)]
        with monkeypatch.context() as broken:
            broken.setitem(campaign.app.config, "PROPAGATE_EXCEPTIONS", False)
            statuses.append(grace.posts("/organise/export", **form, passphrase="a guess").status_code)
    assert statuses == [422, 422, 422, 422, 429]
    capfd.readouterr()
    with campaign.app.app_context(), pytest.raises(client.WorkerFailed):
        client.open_keys(
            db.session,
            "show",
            database=campaign.settings.database(),
            organiser_id=uuid4(),
            passphrase=PASSPHRASE,
            signature_id="ada@example.org",
            surprise=PASSWORD,
        )
    printed = capfd.readouterr().err
    assert "TypeError" in printed
    assert "__main__.py" in printed
    for secret in (PASSPHRASE, PASSWORD, "ada@example.org", "Traceback", "surprise"):
        assert secret not in printed


@pytest.mark.long
def test_a_crash_of_the_key_process_counts_as_a_wrong_guess(campaign, grace):
    subject = uuid4()

    def crash():
        database = campaign.settings.database()
        client.open_keys(db.session, "show", database=database, organiser_id=subject, passphrase="x", surprise="x")

    with campaign.app.app_context(), time_machine.travel(utcnow(), tick=False):
        raised = []
        for _ in range(5):
            with pytest.raises(Exception) as failure:  # noqa: PT011 - its type is compared below
                crash()
            raised.append(type(failure.value).__name__)
    assert raised == ["WorkerFailed"] * 4 + ["Throttled"]


def test_the_language_of_the_cookie_is_one_that_we_speak(campaign):
    answer = campaign.client.get(f"/organise/sign-in?lang={'x' * 5000}")
    assert answer.status_code == 200
    assert all(len(cookie) < 2000 for cookie in answer.headers.getlist("Set-Cookie"))


def test_digits_of_another_script_log_in(olga):
    olga.posts("/organise/sign-out")
    olga.gives_password()
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    assert olga.gives_code(f"\u200f{olga.code().translate(arabic)} ").status_code == 303
    assert olga.is_in()


def test_an_email_address_with_an_invisible_character_logs_in(olga):
    olga.posts("/organise/sign-out")
    typed = {"email": f"\u200b{olga.email.upper()}\u200b", "password": PASSWORD}
    assert olga.posts(LOG_IN, LOG_IN, **typed).status_code == 303


def test_every_form_was_found(campaign):
    paths = list(post_routes(campaign.app))
    assert len(paths) >= 25
    fields = set(re.findall(r"\w+", " ".join(FIELDS)))
    assert {"credential", "goals", "passphrase"} <= fields
