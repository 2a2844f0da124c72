"""The export page: permissions, contents, and data that must never be exported."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import openpyxl
import pyrage
import pytest
import time_machine

from campaign.accounts import audit_log
from campaign.core.database import db, utcnow
from campaign.exports.columns import LAYOUTS
from tests.organisers import PASSPHRASE, OrganiserBrowser

pytestmark = pytest.mark.slow

CHOICE = {"purpose": "full", "dialect": "plain", "reason": "to hand in", "passphrase": PASSPHRASE}


@pytest.fixture
def backend() -> str:
    """What the database has a say in is tried on both of them."""
    return "sqlite"


both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"])


@pytest.fixture
def signed(campaign, ada):
    """Two who confirmed, one of them opted in, and one who did not."""
    ada.confirms()
    campaign.persona("Мария", email="maria@example.org", country="RU", lang="ru", updates="1").confirms()
    campaign.persona("Zoe", email="zoe@example.org", country="GR").signs()


def export(browser: OrganiserBrowser, **changed):
    return browser.posts("/organise/export", **CHOICE | changed)


def rows(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def done(campaign) -> list[str]:
    with campaign.app.app_context():
        return [entry.action for entry in audit_log.iter_entries(db.session)]


@both
def test_an_export_contains_the_data_of_supporters(grace, signed):
    assert [row["email"] for row in rows(export(grace))] == ["ada@example.org", "maria@example.org"]


@both
@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"country": "RU"}, ["Мария"]),
        ({"language": "en"}, ["Ada"]),
        ({"unconfirmed": "1"}, ["Ada", "Мария", "Zoe"]),
        ({"since": str((utcnow() + timedelta(days=2)).date())}, []),
        ({"until": str((utcnow() + timedelta(days=2)).date())}, ["Ada", "Мария"]),
    ],
)
def test_only_chosen_rows_are_exported_and_their_number_is_shown_before(grace, signed, changed, names):
    page = grace.client.get("/organise/export", query_string={"purpose": "full", "dialect": "plain", **changed}).text
    assert f"{len(names)} signature" in page.split('id="rows"')[1][:80]
    assert [row["given_name"] for row in rows(export(grace, **changed))] == names


@pytest.mark.parametrize("purpose", list(LAYOUTS))
@pytest.mark.parametrize(("dialect", "use"), [("plain", "import"), ("excel", "spreadsheet")])
def test_each_purpose_has_its_columns_and_a_descriptive_file_name(grace, signed, purpose, dialect, use):
    answer = export(grace, purpose=purpose, dialect=dialect)
    name = f"love-always-wins-{purpose}-{use}-{utcnow().date()}.csv"
    assert f'filename="{name}"' in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"\xef\xbb\xbf") == (dialect == "excel")
    first = answer.data.decode("utf-8-sig").splitlines()[0]
    assert first == ",".join(LAYOUTS[purpose].header)


@both
def test_a_spreadsheet_gets_a_workbook_unless_something_else_is_chosen(campaign, grace, signed):
    campaign.persona("=1+1", email="formula@example.org").confirms()
    assert '<option value="xlsx" selected' in " ".join(grace.get("/organise/export").text.split())
    answer = export(grace, dialect="xlsx")
    name = f"love-always-wins-full-spreadsheet-{utcnow().date()}.xlsx"
    assert f'filename="{name}"' in answer.headers["Content-Disposition"]
    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    header, *lines = openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
    assert header == LAYOUTS["full"].header
    given_name = header.index("given_name")
    assert [line[given_name] for line in lines] == ["Ada", "Мария", "=1+1"]


def test_an_encrypted_workbook_opens_for_its_recipient(grace, signed):
    recipient = pyrage.x25519.Identity.generate()
    answer = export(grace, dialect="xlsx", recipient=str(recipient.to_public()))
    assert '.xlsx.age"' in answer.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(pyrage.decrypt(answer.data, [recipient]))).active
    assert sheet.max_row == 3


@both
def test_a_delivery_names_no_country_with_few_signatures(campaign, grace):
    for number in range(10):
        campaign.persona("Amélie", email=f"a{number}@example.org", country="FR").confirms()
    for number in range(9):
        campaign.persona("Maria", email=f"m{number}@example.org", country="MT").confirms()
    assert [row["country"] for row in rows(export(grace, purpose="delivery"))] == ["FR"] * 10 + ["elsewhere"] * 9
    assert {row["country"] for row in rows(export(grace, purpose="full"))} == {"FR", "MT"}
    campaign.persona("Maria", email="m10@example.org", country="MT").confirms()
    assert {row["country"] for row in rows(export(grace, purpose="delivery"))} == {"FR", "MT"}


def test_actor_rows_and_reason_of_an_export_are_recorded(campaign, grace, signed):
    export(grace, country="RU").close()
    with campaign.app.app_context():
        [entry] = audit_log.entries(db.session, most=5, action="exported")
    assert entry.actor == "grace@example.org"
    wanted = {"purpose": "full", "country": "RU", "rows": 1, "reason": "to hand in"}
    assert wanted.items() <= entry.details.items()
    assert "to hand in" in grace.get("/organise/").text


def test_an_export_that_nobody_waits_for_ends(grace, signed):
    before = children()
    answer = export(grace)
    assert len(children() - before) == 1
    answer.close()
    assert children() == before


def children() -> set[str]:
    return {child for path in Path("/proc/self/task").glob("*/children") for child in path.read_text().split()}


def test_an_encrypted_export_can_be_decrypted_by_its_recipient_only(grace, signed):
    recipient, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    answer = export(grace, recipient=str(recipient.to_public()))
    assert '.csv.age"' in answer.headers["Content-Disposition"]
    assert b"ada@example.org" in pyrage.decrypt(answer.data, [recipient])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(answer.data, [other])


@pytest.mark.parametrize(
    "wrong", [{"recipient": "age1nothing"}, {"reason": ""}, {"passphrase": ""}, {"purpose": "all"}, {"country": "XX"}]
)
def test_errors_are_explained_and_nothing_is_exported(campaign, grace, signed, wrong):
    answer = export(grace, **wrong)
    assert (answer.status_code, "field-error" in answer.text) == (422, True)
    assert b"ada@example.org" not in answer.data
    assert "exported" not in done(campaign)


def test_a_wrong_passphrase_sends_nothing_and_is_noted(campaign, grace, signed):
    answer = export(grace, passphrase="a guess of mine")
    assert (answer.status_code, "Nothing was exported" in answer.text) == (422, True)
    assert b"ada@example.org" not in answer.data
    assert done(campaign)[-1] == "wrong-passphrase"


@both
def test_guessing_passphrases_is_slowed_then_locked(campaign, grace, signed):
    with time_machine.travel(utcnow(), tick=False):
        statuses = [export(grace, passphrase=f"guess {number}").status_code for number in range(6)]
        assert statuses == [422, 422, 422, 422, 429, 429]
        assert export(grace).status_code == 429  # the right one too


def test_a_stolen_session_without_the_passphrase_exports_nothing(campaign, grace, signed):
    thief = OrganiserBrowser(campaign, grace.email)
    stolen = grace.client.get_cookie("organiser", path="/organise").value
    thief.client.set_cookie("organiser", stolen, path="/organise")
    assert thief.is_in()
    assert b"ada@" not in export(thief, passphrase="").data + export(thief, passphrase="a guess").data
    assert "exported" not in done(campaign)


def test_a_forged_form_does_not_give_the_export_right(campaign, grace, olga, reader, signed):
    for browser in (olga, reader):
        answer = export(browser)
        assert (answer.status_code, b"ada@" in answer.data) == (403, False)
    assert "exported" not in done(campaign)


def test_a_passphrase_opens_for_its_owner_only(campaign, grace, invites, signed):
    other = OrganiserBrowser(campaign, "other@example.org")
    other.comes_in(invites(other.email, "--export"))
    new = "eleven kites above the frozen bay"
    fields = {"passphrase-old": PASSPHRASE, "passphrase-chosen": new, "passphrase-again": new}
    other.posts("/organise/account/passphrase", **fields)
    assert export(grace, passphrase=new).status_code == 422
    assert len(rows(export(other, passphrase=new))) == 2


@both
def test_a_key_holder_gets_later_campaign_keys_too(campaign, grace, signed):
    assert campaign.command("keys", "rotate").exit_code == 0
    campaign.app.extensions["campaign"].keys.data._checked = 0.0
    campaign.persona("Later", email="later@example.org").confirms()
    assert len(rows(export(grace))) == 3


def test_rows_that_cannot_be_decrypted_are_reported(campaign, grace, signed):
    from campaign.models import Signature  # noqa: PLC0415

    with campaign.app.app_context():
        for row in db.session.query(Signature).filter(Signature.country == "RU"):
            row.encrypted_person = row.encrypted_person[:-1] + bytes([row.encrypted_person[-1] ^ 1])
        db.session.commit()
    assert len(rows(export(grace))) == 1
    assert done(campaign)[-1] == "export-incomplete"
    assert "couldn’t be decrypted" in grace.get("/organise/export").text
