"""The commands of organisers: exporting, counting, seeding."""

import csv
import hashlib
import io
import json
import os
import re
import signal
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import openpyxl
import pytest
import time_machine
from nacl.public import PrivateKey
from sqlalchemy import select, update

from campaign.core.database import db, utcnow
from campaign.crypto.campaign_keys import recovery_key_text
from campaign.exports.columns import LAYOUTS
from campaign.models import CampaignKey, DataKey, Signature
from tests.live_server import wait_for
from tests.matrix import DATABASES

MARIA = {
    "given_name": "Мария ليلى",
    "family_name": "O'Hara-Nguyễn 🌈",
    "email": "maria@example.org",
    "country": "RU",
    "message": '=1+1\nTwo lines, a comma, and "quotes"',
    "updates": "1",
    "via": "telegram",
}


@pytest.fixture
def key_file(campaign, tmp_path):
    path = tmp_path / "recovery.key"
    path.write_text(campaign.recovery_key)
    return str(path)


@pytest.fixture
def export(campaign, key_file):
    def run(*options: str) -> list[dict[str, str]]:
        result = campaign.command("signatures", "export", "--key-file", key_file, *options)
        assert result.exit_code == 0, result.stderr
        return list(csv.DictReader(io.StringIO(result.stdout_bytes.decode("utf-8-sig"), newline="")))

    return run


@pytest.fixture
def maria(campaign):
    maria = campaign.persona(**MARIA)
    maria.confirms()
    return maria


def test_full_holds_everything(campaign, maria, export):
    [row] = export()
    with campaign.app.app_context():
        stored = db.session.execute(select(Signature.id, Signature.signed_at, Signature.confirmed_at)).one()
    assert row == {
        "id": str(stored.id),
        "signed_at": f"{stored.signed_at.isoformat()[:19]}Z",
        "confirmed_at": f"{stored.confirmed_at.isoformat()[:19]}Z",
        **{name: MARIA[name] for name in ("given_name", "family_name", "email", "country", "message", "via")},
        "language": "en",
        "updates": "true",
        "consent_version": "2013-11d",
        "show_name": "false",
        "referred_by": "",
    }


@pytest.mark.parametrize(
    ("purpose", "header"),
    [
        (
            "full",
            (
                "id,signed_at,confirmed_at,given_name,family_name,email,country,language,updates,consent_version,show_name,"
                "message,via,referred_by"
            ),
        ),
        ("delivery", "number,given_name,family_name,country,signed_at"),
        (
            "crm",
            (
                "email,first_name,last_name,country,language,source,referrer,action_date,confirmed_at,email_opt_in,"
                "consent_version,comments,identifier"
            ),
        ),
    ],
)
def test_the_columns_are_those_of_the_contract_even_when_nobody_signed(campaign, key_file, purpose, header):
    result = campaign.command("signatures", "export", "--key-file", key_file, "--purpose", purpose)
    assert result.stdout_bytes == header.encode() + b"\r\n"


def test_delivery_names_no_address(maria, export):
    [row] = export("--purpose", "delivery")
    assert (row["number"], row["given_name"], row["country"]) == ("1", MARIA["given_name"], "elsewhere")
    assert MARIA["email"] not in row.values()


def test_crm_contains_only_supporters_who_opted_in(campaign, maria, export):
    campaign.persona("Olga", email="olga@example.org").confirms()
    [row] = export("--purpose", "crm")
    assert (row["email"], row["email_opt_in"], row["source"]) == (MARIA["email"], "true", "telegram")
    assert row["identifier"].startswith("love_always_wins:")


def test_excel_makes_the_message_inert_and_plain_leaves_it(maria, export):
    assert export("--dialect", "excel")[0]["message"] == f"'{MARIA['message']}"
    assert export("--dialect", "plain")[0]["message"] == MARIA["message"]


def test_filters_choose(campaign, maria, export):
    campaign.persona("Olga", email="olga@example.org").signs()
    assert [row["email"] for row in export()] == ["maria@example.org"]
    assert len(export("--include-unconfirmed")) == 2
    assert export("--country", "de") == []
    assert len(export("--country", "ru")) == 1


def test_a_period_goes_by_the_confirmation(campaign, export):
    yesterday = utcnow() - timedelta(days=1)
    maria = campaign.persona(**MARIA)
    with time_machine.travel(yesterday, tick=False):
        maria.signs()
        link = maria.link()
    campaign.client.post(link)
    border = (yesterday + timedelta(hours=1)).isoformat()
    assert len(export("--since", border)) == 1
    assert export("--until", border) == []


def test_two_periods_that_meet_share_nobody(campaign, maria, export):
    with campaign.app.app_context():
        confirmed_at = db.session.scalar(select(Signature.confirmed_at)).isoformat()
    assert len(export("--since", confirmed_at)) == 1
    assert export("--until", confirmed_at) == []


def test_a_file_comes_with_its_manifest_and_is_private(campaign, maria, key_file, tmp_path):
    output = tmp_path / "signatures.csv"
    options = ("--key-file", key_file, "--output", str(output), "--country", "RU", "--since", "2013-11-22T00:00+02:00")
    result = campaign.command("signatures", "export", *options)
    manifest = json.loads((tmp_path / "signatures.csv.json").read_text())
    assert (result.exit_code, result.output) == (0, "")
    assert (manifest["rows"], manifest["purpose"], manifest["filters"]["country"]) == (1, "full", "RU")
    assert manifest["filters"]["since"] == "2013-11-21T22:00:00Z"
    assert manifest["sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()
    assert output.stat().st_mode & 0o777 == 0o600


def test_a_workbook_comes_with_its_manifest(campaign, maria, key_file, tmp_path):
    output = tmp_path / "signatures.xlsx"
    options = ("--key-file", key_file, "--output", str(output), "--dialect", "xlsx")
    assert campaign.command("signatures", "export", *options).exit_code == 0
    manifest = json.loads((tmp_path / "signatures.xlsx.json").read_text())
    assert (manifest["rows"], manifest["dialect"]) == (1, "xlsx")
    assert manifest["sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()
    header, line = openpyxl.load_workbook(output).active.iter_rows(values_only=True)
    assert dict(zip(header, line, strict=True))["message"] == MARIA["message"]


@pytest.mark.slow
def test_the_key_is_asked_for_without_showing_it(campaign, maria):
    result = campaign.command("signatures", "export", input=f"{campaign.recovery_key}\n")
    assert MARIA["email"] in result.stdout
    assert campaign.recovery_key not in result.output


def test_an_invalid_key_exports_nothing(campaign, maria, tmp_path):
    (tmp_path / "key").write_text("no key")
    options = ("--key-file", str(tmp_path / "key"), "--output", str(tmp_path / "out.csv"))
    result = campaign.command("signatures", "export", *options)
    assert (result.exit_code, "this is no recovery key" in result.stderr) == (1, True)
    assert not (tmp_path / "out.csv").exists()


def test_the_key_of_another_campaign_names_every_row_and_replaces_no_file(campaign, maria, tmp_path):
    (tmp_path / "key").write_text(recovery_key_text(PrivateKey(bytes(32))))
    (tmp_path / "out.csv").write_text("yesterday's")
    result = campaign.command(
        "signatures", "export", "--key-file", str(tmp_path / "key"), "--output", str(tmp_path / "out.csv")
    )
    assert (result.exit_code, "belongs to another campaign" in result.stderr) == (3, True)
    assert ids(campaign) == named(result)
    assert (tmp_path / "out.csv").read_text() == "yesterday's"


def test_a_damaged_row_and_one_without_data_key_are_named_and_all_others_are_written(campaign, maria, key_file):
    for name in ("olga", "grace"):
        campaign.persona("Ada", email=f"{name}@example.org").confirms()
    damaged, lost, _ = ids(campaign)
    with campaign.app.app_context():
        ours = db.session.scalar(select(CampaignKey.id))
        db.session.add(DataKey(id=uuid4(), campaign_key_id=ours, encrypted_key=bytes(80)))
        db.session.flush()
        unopenable = db.session.scalar(select(DataKey.id).where(DataKey.encrypted_key == bytes(80)))
        db.session.execute(update(Signature).where(Signature.id == damaged).values(encrypted_person=bytes(200)))
        db.session.execute(update(Signature).where(Signature.id == lost).values(data_key_id=unopenable))
        db.session.commit()
    result = campaign.command("signatures", "export", "--key-file", key_file)
    assert (result.exit_code, named(result)) == (3, [damaged, lost])
    assert [row["email"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["grace@example.org"]


@pytest.fixture
def rotated(campaign, maria, tmp_path, monkeypatch):
    """Maria's signature is sealed to the first key, Olga's to the one after it, whose recovery key this returns."""
    monkeypatch.setattr("campaign.crypto.data_keys.CHECK_SECONDS", 0)
    path = tmp_path / "second.key"
    assert campaign.command("keys", "rotate", "--recovery-key-out", str(path)).exit_code == 0
    campaign.persona("Olga", email="olga@example.org").confirms()
    return path


def test_each_recovery_key_decrypts_the_rows_encrypted_to_it(campaign, rotated, key_file):
    for path, email in ((key_file, MARIA["email"]), (rotated, "olga@example.org")):
        result = campaign.command("signatures", "export", "--key-file", str(path))
        assert (result.exit_code, len(named(result))) == (3, 1)
        assert [row["email"] for row in csv.DictReader(io.StringIO(result.stdout))] == [email]


def test_all_recovery_keys_together_open_everything(campaign, rotated, export, tmp_path):
    both = tmp_path / "both.key"
    both.write_text(f"{campaign.recovery_key}\n{rotated.read_text()}")
    assert {row["email"] for row in export("--key-file", str(both))} == {MARIA["email"], "olga@example.org"}


def test_keys_are_listed_with_the_number_of_their_rows(campaign, rotated):
    listed = campaign.command("keys", "list").output
    assert re.fullmatch(r"(created \S+Z: 1 signatures\n){2}", listed)
    assert campaign.command("signatures", "check").exit_code == 0


def test_a_second_key_is_shown_once(campaign):
    assert re.search(r"Recovery key: (?:[A-Z2-7]{4}-){13}[A-Z2-7]{4}\n", campaign.command("keys", "rotate").output)


def ids(campaign) -> list[UUID]:
    with campaign.app.app_context():
        return list(db.session.scalars(select(Signature.id).order_by(Signature.id)))


def named(result) -> list[UUID]:
    """The rows that an export said it could not open."""
    return [UUID(found) for found in re.findall(r"cannot be decrypted, skipped: (\S+)", result.stderr)]


def test_a_missing_folder_is_reported_in_one_line(campaign, key_file, tmp_path):
    result = campaign.command(
        "signatures", "export", "--key-file", key_file, "--output", str(tmp_path / "no" / "x.csv")
    )
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_an_irregular_file_is_not_replaced(campaign, key_file, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    result = campaign.command("signatures", "export", "--key-file", key_file, "--output", str(pipe))
    assert (result.exit_code, "not a regular file" in result.stderr, pipe.is_fifo()) == (1, True, True)


@pytest.mark.parametrize(
    "option",
    [("--since", "yesterday"), ("--since", "0001-01-01T00:00+14:00"), ("--country", "XX"), ("--purpose", "fun")],
)
def test_a_wrong_option_is_explained(campaign, key_file, option):
    assert campaign.command("signatures", "export", "--key-file", key_file, *option).exit_code == 2


def test_seeds_are_counted_and_exported_like_real_ones(campaign, export):
    assert campaign.command("signatures", "seed", "25").exit_code == 0
    assert campaign.count() == len(export()) == 25
    assert campaign.command("signatures", "count").output == "confirmed: 25\nunconfirmed: 0\n"
    assert campaign.command("signatures", "check").exit_code == 0


def test_seeding_is_refused_where_people_signed(campaign, maria):
    result = campaign.command("signatures", "seed", "1")
    assert (result.exit_code, campaign.count()) == (1, 1)
    assert "real signatures exist" in result.stderr


@pytest.mark.slow
def test_every_purpose_keeps_its_layout_in_both_dialects(campaign, maria, export):
    for purpose, layout in LAYOUTS.items():
        for dialect in ("plain", "excel"):
            assert tuple(export("--purpose", purpose, "--dialect", dialect)[0]) == layout.header


@pytest.fixture(scope="module", params=DATABASES)
def large_site(request, ready, tmp_path_factory):
    """A campaign with so many signatures that an export takes seconds."""
    site = ready.site(tmp_path_factory.mktemp("large"), request.param)
    site.flask("signatures", "seed", "40000")
    return site


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dialect", "number"), [("plain", signal.SIGHUP), ("plain", signal.SIGKILL), ("xlsx", signal.SIGKILL)]
)
def test_a_killed_export_leaves_nobodys_data_behind(large_site, tmp_path, dialect, number):
    output = tmp_path / "out" / "signatures"
    output.parent.mkdir()
    options = ("--key-file", str(large_site.key_file), "--output", str(output), "--dialect", dialect)
    command = large_site.command("signatures", "export", *options)
    wait_for(lambda: is_writing(command.pid, output.parent), "the first rows")
    command.send_signal(number)
    command.communicate()
    assert list(output.parent.iterdir()) == []


def is_writing(process: int, folder: Path) -> bool:
    """Whether a process has written anything to a file in `folder`, with a name or without."""
    try:
        files = [path for path in Path(f"/proc/{process}/fd").iterdir() if str(folder) in str(path.readlink())]
        return any(path.stat().st_size for path in files)
    except FileNotFoundError:  # just closed
        return False
