"""Settings: where they come from, and that a wrong one stops the start with setting, fault and remedy."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from campaign.app import create_app
from campaign.config.settings import Settings, unknown_settings
from campaign.core.database import db
from campaign.crypto.secret_key import server_key
from campaign.errors import ConfigError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("CAMPAIGN_MAIL_URL", "stmp://host", "use file:, smtp:// or smtps://"),
        ("CAMPAIGN_MAIL_URL", "smtp://", "use smtp://user:password@host:587"),
        ("CAMPAIGN_MAIL_URL", "smtp://host:notaport", "use for example smtp://"),
        ("CAMPAIGN_DATABASE_URL", "mysql://root:hunter2@host/x", "use postgresql://"),
        ("CAMPAIGN_DATABASE_URL", "nonsense", "use postgresql://"),
        ("CAMPAIGN_REDIS_URL", "http://localhost", "use redis://"),
        ("CAMPAIGN_REDIS_URL", "redis://host:hunter2/0", "use for example redis://"),
        ("CAMPAIGN_DATABASE_URL", "postgresql+asyncpg://host/x", "use postgresql://"),
        ("CAMPAIGN_DATABASE_URL", "postgresql://user:hunter2@host:port/x", "use postgresql://"),
        ("CAMPAIGN_DATABASE_URL", "sqlite://", "use sqlite:///file"),
        ("CAMPAIGN_MAIL_URL", "smtp://host:0", "use for example smtp://"),
        ("CAMPAIGN_MAIL_URL", "file:///var/spool", "use only file:"),
        ("CAMPAIGN_MAIL_URL", "smtp://host?from=nonsense", "use ?from=name@example.org"),
        ("CAMPAIGN_MAIL_URL", "smtp://host?from=a@example.org%0d%0aBcc:b@example.org", "use ?from=name@example.org"),
        ("CAMPAIGN_MAIL_URL", "smtp://user:hun/ter2@host", "use for example smtp://"),
        ("CAMPAIGN_INSTANCE", "", "choose one"),
        ("CAMPAIGN_PUBLIC_URL", "example.org", "use for example https://example.org"),
        ("CAMPAIGN_PUBLIC_URL", "https://example.org/path", "use for example https://example.org"),
        ("CAMPAIGN_PUBLIC_URL", "https://[example.org", "use for example https://example.org"),
        ("CAMPAIGN_SECRET_KEY", "hunter2", "use at least 32 random characters"),
        ("CAMPAIGN_PROXIES", "one", "from 0 to 9"),
        ("CAMPAIGN_PROXIES", "-1", "from 0 to 9"),
        ("CAMPAIGN_BIND", "localhost", "use 127.0.0.1:8000"),
        ("CAMPAIGN_BIND", "example.org:80", "use 127.0.0.1:8000"),
        ("CAMPAIGN_BIND", "127.0.0.1:0", "use 127.0.0.1:8000"),
        ("CAMPAIGN_BIND", "127.0.0.1:65536", "use 127.0.0.1:8000"),
        ("CAMPAIGN_BIND", "unix:app.sock", "use for example unix:/run"),
        ("PORT", "web", "use 127.0.0.1:8000"),
        ("CAMPAIGN_WORKERS", "65", "from 0 to 64"),
        ("CAMPAIGN_DATABASE_URL", "postgresql://user:hunter2@a:x,b/name", "use postgresql://user:password@host:5432"),
        ("CAMPAIGN_DATABASE_TIMEOUT", "0", "from 1 to 600"),
        ("CAMPAIGN_PGBOUNCER", "true", "use yes or no"),
        ("CAMPAIGN_THREADS", "0", "from 1 to 128"),
        ("CAMPAIGN_SECRET_KEY", " " * 40, "use at least 32 random characters"),
        ("CAMPAIGN_REMINDER_HOURS", "-1", "from 0 to 600"),
        ("CAMPAIGN_REMINDER_HOURS", "601", "from 0 to 600"),
        ("CAMPAIGN_SIGN_LIMIT", "0 per minute", "use '5 per minute;50 per day'"),
        ("CAMPAIGN_SIGN_LIMIT", "few", "use '5 per minute;50 per day'"),
        ("CAMPAIGN_TRUSTED_NETWORKS", "203.0.113.7/24=500 per hour", "use for example 203.0.113.0/24"),
        ("CAMPAIGN_TRUSTED_NETWORKS", "school=500 per hour", "use for example 203.0.113.0/24"),
        ("CAMPAIGN_TRUSTED_NETWORKS", "203.0.113.0/24", "has no limit; use for example 203.0.113.0/24=500 per hour"),
        ("CAMPAIGN_TRUSTED_NETWORKS", "203.0.113.0/24=many", "use '500 per hour'"),
        ("CAMPAIGN_TRUSTED_NETWORKS", "203.0.113.0/24=0 per hour", "use '500 per hour'"),
        ("CAMPAIGN_TRUSTED_NETWORKS", "203.0.113.1=9 per hour;203.0.113.1/32=1 per day", "use it once"),
        ("CAMPAIGN_MAIL_WORKER", "postman", "use embedded or external"),
        ("CAMPAIGN_METRICS_TOKEN", "hunter2 hunter2 hunter2", "use 16 to 200 letters"),
        ("CAMPAIGN_FILMS_URL", "http://films.example.org", "use the URL of a folder, with https"),
        ("CAMPAIGN_FILMS_URL", "https://user:hunter2@films.example.org", "use the URL of a folder, with https"),
        ("CAMPAIGN_FILMS_URL", "https://films.example.org/a b;", "may only have letters"),
        ("CAMPAIGN_METRICS_TOKEN", "hunter2", "use 16 to 200 letters"),
        ("CAMPAIGN_ACCESS_LOG", "maybe", "use yes or no"),
        ("CAMPAIGN_LOG_FORMAT", "xml", "use console or json"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy_and_without_secrets(monkeypatch, name, value, remedy):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        Settings.load()
    message = str(raised.value)
    assert message.startswith(f"{name}: ")
    assert remedy in message
    assert "\n" not in message
    assert "hunter2" not in message


def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path):
    result = _python("-m", "flask", "init", CAMPAIGN_MAIL_URL="stmp://host", CAMPAIGN_INSTANCE=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr == "Error: CAMPAIGN_MAIL_URL: unknown scheme 'stmp'; use file:, smtp:// or smtps://\n"


def test_a_database_that_does_not_answer_stops_the_start_with_one_line(tmp_path):
    url = "postgresql://user:hunter2@127.0.0.1:1/none"
    result = _python("-m", "flask", "init", CAMPAIGN_DATABASE_URL=url, CAMPAIGN_INSTANCE=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.startswith("Error: CAMPAIGN_DATABASE_URL: ")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize("command", [("signatures", "count"), ("signatures", "seed", "1"), ("mail", "status")])
def test_commands_before_init_say_so_in_one_line(tmp_path, command):
    result = _python("-m", "flask", *command, CAMPAIGN_INSTANCE=str(tmp_path))
    assert (result.returncode, result.stderr) == (1, "Error: the database is not ready; run 'flask init'\n")


def test_help_needs_no_database(tmp_path):
    result = _python("-m", "flask", "signatures", "export", "--help", CAMPAIGN_INSTANCE=str(tmp_path))
    assert (result.returncode, "--key-file" in result.stdout) == (0, True)


def test_the_server_does_not_start_before_init(tmp_path):
    result = _python("-c", "import wsgi", CAMPAIGN_INSTANCE=str(tmp_path))
    assert (result.returncode, result.stderr) == (1, "Error: the database is not ready; run 'flask init'\n")


def test_each_setting_can_stand_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "mail").write_text("smtp://user:hunter2@mail.example.org:25\n")
    monkeypatch.setenv("CAMPAIGN_MAIL_URL_FILE", str(tmp_path / "mail"))
    assert Settings.load().mail_url == "smtp://user:hunter2@mail.example.org:25"


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("HTTPS://Example.ORG/", "https://example.org"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_address_is_put_in_its_plain_form(value, becomes):
    assert Settings.load(public_url=value).public_url == becomes


def test_an_empty_secret_file_is_no_secret(tmp_path):
    (tmp_path / "secret.key").touch()
    with pytest.raises(ConfigError, match="is no secret key"):
        server_key(Settings.load(instance=tmp_path), "a purpose")


def test_a_file_that_cannot_be_read_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match=r"^DATABASE_URL_FILE: .*missing cannot be read"):
        Settings.load()


def test_the_campaigns_own_name_wins_over_the_common_one(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://common/one")
    monkeypatch.setenv("CAMPAIGN_DATABASE_URL", "postgresql://own/one")
    assert Settings.load().database() == "postgresql://own/one"


def test_a_misspelt_setting_is_noticed():
    assert unknown_settings(["CAMPAIGN_PROXYS", "CAMPAIGN_PROXIES", "CAMPAIGN_SECRET_KEY_FILE", "PATH"]) == [
        "CAMPAIGN_PROXYS"
    ]


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path):
    settings = Settings.load(instance=tmp_path)
    assert server_key(settings, "a purpose") == server_key(settings, "a purpose")
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert server_key(settings, "a purpose") != server_key(settings, "another purpose")


def test_an_instance_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^CAMPAIGN_INSTANCE: .* choose another folder$"):
        create_app(Settings.load(instance=tmp_path / "file" / "instance"))


def test_a_given_secret_starts_as_well_as_one_of_our_own(tmp_path):
    settings = Settings.load(instance=tmp_path / "new", secret_key="s" * 32)
    app = create_app(settings)
    assert app.test_cli_runner().invoke(args=["init"]).exit_code == 0
    assert not (tmp_path / "new" / "secret.key").exists()
    with app.app_context():
        db.engine.dispose()


def test_the_readme_lists_every_setting_with_its_default_and_help():
    rows = re.findall(r"^\| `(CAMPAIGN_\w+)`(.*)\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [(name, _cells(rest)) for name, rest in rows] == [
        (f"CAMPAIGN_{name.upper()}", [f"`{field.default}`" if field.default != "" else "", field.description])
        for name, field in Settings.model_fields.items()
    ]


def _cells(rest: str) -> list[str]:
    return [cell.strip() for cell in rest.split("|")[1:]]


def _python(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("value", "bind", "url"),
    [
        ("", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("8080", "127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:8080", "0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080", "http://127.0.0.1:8080"),
        ("unix:/run/campaign/app.sock", "unix:/run/campaign/app.sock", "http://127.0.0.1:8000"),
    ],
)
def test_the_server_listens_at_a_port_or_on_a_socket(monkeypatch, value, bind, url):
    monkeypatch.setenv("CAMPAIGN_BIND", value)
    settings = Settings.load()
    assert (settings.bind, settings.public_url) == (bind, url)


@pytest.mark.parametrize(
    ("address", "hosts", "ports"),
    [
        ("postgresql://u:p@a:5433,b/name?target_session_attrs=read-write", "a,b", "5433,5432"),
        (
            "postgres://u@[2001:db8::1]:5433,[2001:db8::2]/name?target_session_attrs=read-write",
            "2001:db8::1,2001:db8::2",
            "5433,5432",
        ),
        ("postgresql+psycopg://a,b,c/name?target_session_attrs=read-write", "a,b,c", "5432,5432,5432"),
    ],
)
def test_a_database_with_several_hosts_is_named_as_people_write_it(address, hosts, ports):
    url = make_url(Settings.load(database_url=address).database())
    assert url.database == "name"
    assert url.query == {"host": hosts, "port": ports, "target_session_attrs": "read-write"}


def test_two_servers_leave_connections_to_the_operator_of_the_database():
    url = "postgresql://host/name"
    for workers in range(1, 9):
        settings = Settings.load(database_url=url, workers=workers)
        assert 2 * workers * settings.connection_count() < 80
    assert Settings.load(database_url=url, workers=8, database_pool=30).connection_count() == 30
    assert Settings.load(workers=8).connection_count() == 24


def test_there_is_one_process_for_each_processor_where_they_can_share_their_limits():
    assert Settings.load().worker_count() == 1
    assert Settings.load(redis_url="redis://127.0.0.1:6379/0").worker_count() == len(os.sched_getaffinity(0))
    assert Settings.load(workers=3).worker_count() == 3
