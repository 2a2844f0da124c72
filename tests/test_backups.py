"""Backups: made while people sign, checked, restored elsewhere, and refused where they would do harm."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pyrage
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import inspect

from campaign import backups
from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.core.database import db
from campaign.crypto import age
from tests.conftest import Campaign, Ready, dispose

COLUMNS = "id,signed_at,confirmed_at,given_name,family_name,email"


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest) -> str:
    """What depends on the database is tested on both where it is said."""
    return request.param


@pytest.fixture
def empty(campaign: Campaign, database_url: str, ready: Ready, tmp_path: Path) -> Iterator[Flask]:
    """A server with an empty database of the same kind, and the campaign's secret key."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    ready.copy_secret(folder)
    with server(Settings.load(instance=folder, database_url=database_url, sign_limit="")) as app:
        yield app


@contextmanager
def server(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    try:
        yield app
    finally:
        dispose(app)


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[*map(str, arguments)])


def exported(app: Flask, recovery_key: str) -> str:
    arguments = ["signatures", "export", "--include-unconfirmed"]
    result = app.test_cli_runner().invoke(args=arguments, input=f"{recovery_key}\n")
    assert result.exit_code == 0, result.output
    return result.stdout[result.stdout.index(COLUMNS) :]


BOTH = pytest.mark.parametrize("backend", ["sqlite", "postgresql"])


@BOTH
def test_a_restored_campaign_is_the_one_that_was_saved(campaign, empty, ada, mallory, tmp_path):
    ada.signs()
    ada.confirms()
    mallory.signs()
    saved = run(campaign.app, "backup", tmp_path / "backup")
    assert (saved.exit_code, "2 signatures, 1 of them confirmed" in saved.output) == (0, True), saved.output
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    before = exported(campaign.app, campaign.recovery_key)
    restored = run(empty, "restore", tmp_path / "backup")
    assert (restored.exit_code, "FAIL" in restored.output) == (0, False), restored.output
    assert "2 signatures, 1 of them confirmed" in restored.output
    assert exported(empty, campaign.recovery_key) == before
    assert empty.test_client().get("/count.json").json["count"] == 1
    assert run(empty, "check", "--json").exit_code in (0, 1)
    assert run(empty, "signatures", "check").exit_code == 0


@BOTH
def test_a_backup_of_a_campaign_under_load_is_of_one_moment(campaign, empty, tmp_path):
    over, signed = Event(), Event()

    def sign() -> None:
        number = 0
        while not over.is_set():
            persona = campaign.persona("Ada", email=f"ada{number}@example.org")
            persona.signs()
            signed.set()
            number += 1

    signing = Thread(target=sign)
    signing.start()
    signed.wait(20)
    saved = run(campaign.app, "backup", tmp_path / "backup")
    over.set()
    signing.join()
    assert saved.exit_code == 0, saved.output
    restored = run(empty, "restore", tmp_path / "backup")
    assert (restored.exit_code, restored.output.splitlines()[:2]) == (0, saved.output.splitlines()[:2])


def test_a_backup_for_an_age_key_opens_with_that_key_only(campaign, empty, ada, tmp_path):
    ada.signs()
    owner, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    for name, identity in (("owner", owner), ("other", other)):
        (tmp_path / name).write_text(f"# created: 2013-11-22\n{identity}\n")
    run(campaign.app, "backup", tmp_path / "backup", "--recipient", owner.to_public())
    assert b"SQLite" not in (tmp_path / "backup").read_bytes()
    unreadable = run(empty, "restore", tmp_path / "backup", "--identity", tmp_path / "nowhere")
    assert (unreadable.exit_code, "nowhere cannot be read" in unreadable.output) == (1, True)
    assert "give the age secret key with --identity" in run(empty, "restore", tmp_path / "backup").output
    refused = run(empty, "restore", tmp_path / "backup", "--identity", tmp_path / "other")
    assert (refused.exit_code, "does not open the backup" in refused.output) == (1, True)
    assert run(empty, "restore", tmp_path / "backup", "--identity", tmp_path / "owner").exit_code == 0


def test_the_place_of_an_encrypted_backup_sees_nothing_in_plain(campaign, ada, tmp_path, monkeypatch):
    ada.signs()
    (tmp_path / "elsewhere").mkdir()
    seen = []

    def encrypt_file(*arguments) -> None:
        seen.append(list((tmp_path / "elsewhere").rglob("*")))
        age.encrypt_file(*arguments)

    monkeypatch.setattr(backups, "encrypt_file", encrypt_file)
    recipient = pyrage.x25519.Identity.generate().to_public()
    assert run(campaign.app, "backup", tmp_path / "elsewhere" / "backup", "--recipient", recipient).exit_code == 0
    assert seen == [[]]
    assert not list(campaign.settings.instance.glob("tmp*"))


def test_nothing_is_overwritten(campaign, tmp_path):
    run(campaign.app, "backup", tmp_path / "backup")
    again = run(campaign.app, "backup", tmp_path / "backup")
    assert (again.exit_code, "File exists" in again.output) == (1, True), again.output
    refused = run(campaign.app, "restore", tmp_path / "backup")
    assert (refused.exit_code, "the database is not empty" in refused.output) == (1, True)


def unpacked(content: bytes) -> bytes | None:
    """Return the content of a gzip file, None if it is damaged."""
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error):
        return None


def test_a_damaged_backup_is_refused_and_leaves_nothing(campaign, empty, tmp_path):
    run(campaign.app, "backup", tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    with tarfile.open(tmp_path / "backup") as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    database = tmp_path / "unpacked" / "database"
    database.write_bytes(database.read_bytes()[:-1] + b"!")
    with gzip.open(tmp_path / "changed", "wb") as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        for name in ("manifest.json", "database"):
            tar.add(tmp_path / "unpacked" / name, name)
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "other").write_text("something else")
    faults = {"changed": "checksum is wrong", "half": "is damaged", "other": "is not a backup", "no": "No such file"}
    for name, why in faults.items():
        refused = run(empty, "restore", tmp_path / name)
        assert (refused.exit_code, why in refused.output) == (1, True), refused.output
    for position in range(20, len(whole), len(whole) // 25):
        changed = bytearray(whole)
        changed[position] ^= 1
        if unpacked(bytes(changed)) == unpacked(whole):
            continue  # a copy of zeros from another place, for instance
        (tmp_path / "changed").write_bytes(changed)
        refused = run(empty, "restore", tmp_path / "changed")
        assert (refused.exit_code, refused.output.startswith("Error: ")) == (1, True), refused.output
    with empty.app_context():
        assert inspect(db.engine).get_table_names() == []
    assert run(empty, "restore", tmp_path / "backup").exit_code == 0


def test_a_backup_of_another_secret_key_is_refused(campaign, tmp_path):
    run(campaign.app, "backup", tmp_path / "backup")
    (tmp_path / "elsewhere").mkdir()
    with server(Settings.load(instance=tmp_path / "elsewhere")) as app:
        refused = run(app, "restore", tmp_path / "backup")
    assert (refused.exit_code, "belongs to another secret key" in refused.output) == (1, True)
