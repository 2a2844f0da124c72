"""`flask init`: makes ready once, and shows the recovery key once."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import delete, func, select

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.context import require_ready
from campaign.core.database import db
from campaign.crypto.campaign_keys import ensure_campaign_key, parse_recovery_keys, unknown_keys
from campaign.errors import ConfigError
from campaign.models import CampaignKey
from tests.live_server import Site

KEY = re.compile(r"Recovery key: ((?:[A-Z2-7]{4}-){13}[A-Z2-7]{4})\n")


@pytest.fixture
def app(tmp_path):
    app = create_app(Settings.load(instance=tmp_path / "new"))
    yield app
    with app.app_context():
        db.engine.dispose()


def init(app, *options):
    return app.test_cli_runner().invoke(args=["init", *options])


def test_the_first_start_shows_a_key_that_opens_the_campaign(app):
    output = init(app).output
    with app.app_context():
        assert unknown_keys(db.session, parse_recovery_keys(KEY.search(output)[1])) == []
    assert "only it decrypts the signatures" in output
    assert output.endswith("The campaign is ready: http://127.0.0.1:8000/\n")


def test_a_second_start_changes_and_shows_nothing(app):
    init(app)
    assert init(app).output == "The campaign is ready: http://127.0.0.1:8000/\n"
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(CampaignKey)) == 1


def test_the_key_can_go_to_a_file_that_only_its_owner_reads(app, tmp_path):
    path = tmp_path / "recovery.key"
    assert "Recovery key:" not in init(app, "--recovery-key-out", str(path)).output
    with app.app_context():
        assert unknown_keys(db.session, parse_recovery_keys(path.read_text())) == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_written_down_is_not_used(app, tmp_path):
    path = tmp_path / "taken"
    path.write_text("something else")
    assert init(app, "--recovery-key-out", str(path)).exit_code == 1
    assert path.read_text() == "something else"
    assert KEY.search(init(app).output)


def test_a_key_file_is_not_written_for_a_key_that_is_there(app, tmp_path):
    init(app)
    result = init(app, "--recovery-key-out", str(tmp_path / "recovery.key"))
    assert (result.exit_code, "nothing was written" in result.output) == (0, True)
    assert not (tmp_path / "recovery.key").exists()


def test_two_that_start_at_the_same_moment_make_one_key(campaign):
    with campaign.app.app_context():
        db.session.execute(delete(CampaignKey))
        db.session.commit()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: _ensure_key(campaign.app), range(4)))
    assert sorted(made) == [False, False, False, True]


def _wait_a_moment(_recovery_key: str) -> None:
    Event().wait(0.1)


def _ensure_key(app) -> bool:
    with app.app_context():
        return ensure_campaign_key(db.session, hand_over=_wait_a_moment)


def test_the_database_file_is_private(app, tmp_path):
    init(app)
    assert (tmp_path / "new" / "campaign.sqlite3").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("servers", [8])
def test_several_servers_may_be_made_ready_at_the_same_moment(tmp_path, database_url, servers):
    folders = [tmp_path / ("one" if not database_url else f"server{number}") for number in range(servers)]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    settings = {"CAMPAIGN_DATABASE_URL": database_url, "CAMPAIGN_SECRET_KEY": "s" * 40}
    commands = [Site(folder, **settings).command("init", with_errors=True) for folder in folders]
    printed = [command.communicate(timeout=60)[0].decode() for command in commands]
    assert [command.returncode for command in commands] == [0] * servers, printed
    assert sum(KEY.search(text) is not None for text in printed) == 1
    assert sum("to become the first one" in text for text in printed) == 1


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_small_pool_is_large_enough(tmp_path, database_url):
    app = create_app(Settings.load(instance=tmp_path, database_url=database_url, database_pool=1))
    assert init(app).exit_code == 0
    with app.app_context():
        db.engine.dispose()


def test_a_server_with_another_secret_key_refuses_to_work_until_it_is_told(campaign, tmp_path):
    other = create_app(Settings.load(instance=tmp_path, secret_key="t" * 40, database_url=campaign.settings.database()))
    for command in (["init"], ["signatures", "count"]):
        result = other.test_cli_runner().invoke(args=command)
        assert result.exit_code == 1
        assert "CAMPAIGN_SECRET_KEY: this secret key (" in result.output
        assert "copy it from another server" in result.output
        assert "t" * 40 not in result.output
    with pytest.raises(ConfigError, match="is not the campaign's"):
        require_ready(other)
    assert init(other, "--new-secret-key").exit_code == 0
    assert other.test_cli_runner().invoke(args=["signatures", "count"]).exit_code == 0
    assert init(campaign.app).exit_code == 1
    with other.app_context():
        db.engine.dispose()
