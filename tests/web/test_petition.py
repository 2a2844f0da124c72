"""The public pages: the same for everyone, strict in their headers, and leading where they should."""

import re
from io import StringIO

import pytest
from sqlalchemy import delete

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.core.database import db
from campaign.core.logging import configure_logging
from campaign.models import CampaignKey
from tests.conftest import campaign_on
from tests.personas import WANTS_JSON

PAGES = ("/en/", "/en/thanks", "/en/privacy", "/en/link-sent")


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/count.json", "/healthz"])
def test_every_answer_is_strict_and_sets_no_cookie(campaign, path):
    headers = campaign.client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers
    assert "Cookie" not in headers.get("Vary", "")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_same_bytes_for_everyone_and_may_be_cached(campaign, path):
    one = campaign.client.get(path)
    other = campaign.client.get(
        f"{path}?ref=abcdefghijk&via=x", headers={"Accept-Language": "ru", "Cookie": "a=b", "User-Agent": "other"}
    )
    assert one.data == other.data
    assert one.headers["Cache-Control"].startswith("public")
    assert campaign.client.get(path, headers={"If-None-Match": one.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(campaign, path):
    page = campaign.client.get(path).text
    data = r'<script type="application/ld\+json">[^<]*</script>'  # which no browser runs
    assert not re.search(r'<style|\sstyle="|<script(?![^>]* src=)|\son\w+=', re.sub(data, "", page))
    loaded = r'<(?:script|link|img|video|source|track|iframe)[^>]+(?:src|href|poster)="((?:https?:)?//[^"]+)'
    assert [url for url in re.findall(loaded, page) if not url.startswith("http://127.0.0.1:8000/")] == []


def test_everything_the_page_names_is_there(campaign):
    page = campaign.client.get("/en/").text
    named = set(re.findall(r'[" ](/static/[^" ]+)', page))
    answers = {path: campaign.client.get(path, buffered=True) for path in named}
    assert {path for path, answer in answers.items() if answer.status_code != 200} == set()
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers.values())
    assert {answer.mimetype for path, answer in answers.items() if path.endswith(".vtt")} == {"text/vtt"}


def test_the_front_door_leads_to_a_language_and_keeps_the_referral(campaign):
    response = campaign.client.get("/?ref=abc&via=x", headers={"Accept-Language": "tlh, en;q=0.5"})
    assert (response.status_code, response.headers["Location"]) == (302, "/en/?ref=abc&via=x")
    assert response.headers["Vary"] == "Accept-Language"


def test_the_count_is_for_everybody(campaign, ada):
    ada.confirms()
    response = campaign.client.get("/count.json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", response.json["as_of"])
    assert (response.json["count"], response.json["goal"]) == (1, 100)


@pytest.mark.parametrize("action", ["", "/not-me"])
def test_pages_behind_a_token_stay_private(campaign, ada, action):
    ada.signs()
    link = ada.link()
    for response in (campaign.client.get(link), campaign.client.post(link + action)):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response.headers["X-Robots-Tag"]


@pytest.mark.parametrize(
    "damage", [lambda t: ("B" if t[0] == "A" else "A") + t[1:], lambda t: t[:20], lambda t: "A" * 43]
)
def test_a_damaged_link_is_explained(campaign, ada, damage):
    ada.signs()
    start, _, token = ada.link().rpartition("/")
    response = campaign.client.get(f"{start}/{damage(token)}")
    assert (response.status_code, "no longer works" in response.text) == (404, True)


def test_search_engines_are_told_where_the_privacy_page_stands(campaign):
    page = campaign.client.get("/ru/privacy?via=x").text
    assert re.search(r'<link rel="canonical"\s+href="http://127.0.0.1:8000/ru/privacy">', page)


def test_withdrawing_needs_the_button(campaign, ada):
    receipt = ada.confirms()
    page = campaign.client.get(f"{receipt}/withdraw")
    assert (page.status_code, "We’ll delete everything we hold about you straight away" in page.text) == (200, True)
    assert campaign.count() == 1


def test_the_receipt_shares_the_supporters_own_link(campaign, ada):
    page = campaign.client.get(ada.confirms()).text
    [code] = set(re.findall(r"ref=([\w-]{11})", page))
    assert f"http://127.0.0.1:8000/en/?ref={code}&amp;via=copy" in page


def test_ready_when_migrated_and_with_a_key(campaign, ada):
    ada.signs()
    response = campaign.client.get("/readyz")
    assert response.status_code == 200
    assert response.json["mail"]["waiting"] == 1


def test_not_ready_before_it_is_migrated_or_without_a_key(tmp_path, campaign):
    app = create_app(Settings.load(instance=tmp_path / "empty"))
    response = app.test_client().get("/readyz")
    assert (response.status_code, response.json["migrations"]) == (503, False)
    with campaign.app.app_context():
        db.session.execute(delete(CampaignKey))
        db.session.commit()
    assert campaign.client.get("/readyz").status_code == 503
    with app.app_context():
        db.engine.dispose()


def test_not_ready_while_the_database_is_down(tmp_path):
    url = "postgresql://nobody@127.0.0.1:1/none"
    response = create_app(Settings.load(instance=tmp_path, database_url=url)).test_client().get("/readyz")
    assert (response.status_code, response.json["database"]) == (503, False)


def test_encryption_is_asked_for_where_the_address_has_it(backend, ready, tmp_path):
    with campaign_on(ready, backend, tmp_path, public_url="https://example.org") as campaign:
        assert "max-age" in campaign.client.get("/en/").headers["Strict-Transport-Security"]


def test_the_forms_own_address_leads_to_the_page(campaign):
    assert campaign.client.get("/sign").headers["Location"] == "/en/"


def test_a_strange_referer_is_ignored(campaign, ada):
    assert ada.posts(headers={"Sec-Fetch-Site": "same-origin", "Referer": "http://[::1"}).status_code == 303


def test_a_form_may_come_with_its_letters_as_they_are(campaign, ada):
    body = "&".join(f"{name}={value}" for name, value in {**ada.fields, "given_name": "Зоя"}.items())
    sent = {"data": body.encode(), "content_type": "application/x-www-form-urlencoded", "headers": WANTS_JSON}
    assert campaign.client.post("/sign", **sent).json == {"status": "check-email"}


def test_after_a_mistake_the_form_still_knows_how_the_signer_came(campaign, ada):
    headers = {"Sec-Fetch-Site": "same-origin", "Referer": "http://localhost/en/?via=telegram&ref=abcdefghijk"}
    page = ada.posts(headers=headers, email="typo").text
    assert re.search(r'name="via" value="telegram"', page)
    assert re.search(r'name="ref" value="abcdefghijk"', page)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_failure_of_ours_is_explained_and_logs_no_data(campaign, ada, monkeypatch, log_format):
    logged = StringIO()
    ada.signs()
    link = ada.link()
    monkeypatch.setattr("sys.stderr", logged)
    configure_logging(log_format)
    monkeypatch.setattr("campaign.petition.signatures.confirm", _fail)
    response = campaign.client.post(link)
    assert (response.status_code, "Sorry, something went wrong" in response.text) == (500, True)
    assert "RuntimeError" in logged.getvalue()
    assert "signature.confirm_now" in logged.getvalue()
    assert "ada@example.org" not in logged.getvalue()
    assert link.rpartition("/")[2] not in logged.getvalue()


def _fail(*_arguments, **_named):
    raise RuntimeError("ada@example.org")


def test_behind_a_proxy_the_client_address_comes_from_the_proxy(backend, ready, tmp_path):
    with campaign_on(ready, backend, tmp_path, proxies=1, sign_limit="1 per day") as campaign:
        answers = []
        for number, client in enumerate(("203.0.113.1", "203.0.113.2", "203.0.113.2")):
            data = campaign.persona("Ada", email=f"ada{number}@example.org").fields
            headers = {"X-Forwarded-For": f"198.51.100.{number}, {client}", "Accept": "application/json"}
            answers.append(campaign.client.post("/sign", data=data, headers=headers).status_code)
        assert answers == [202, 202, 429]


@pytest.mark.parametrize(("address", "told"), [("127.0.0.1", True), ("10.0.0.7", True), ("8.8.8.8", False)])
def test_the_backlog_is_reported_to_operators(campaign, ada, address, told):
    ada.signs()
    mail = campaign.client.get("/readyz", environ_base={"REMOTE_ADDR": address}).json["mail"]
    assert ("waiting" in mail, mail["late"]) == (told, False)
