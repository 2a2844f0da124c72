"""`campaign check` names what is missing or unsafe, and nothing else."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import dns.message
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest
from sqlalchemy import text

from campaign.app import create_app
from campaign.checks import CHECKS, DNS_CHECKS, configuration, database, email, machine
from campaign.checks.finding import Finding
from campaign.config.settings import Settings
from campaign.core.database import db
from tests.services import free_port
from tests.smtp_sink import sink

PUBLIC = {"public_url": "https://love.example.org", "proxies": 1, "mail_url": "smtp://127.0.0.1:1"}


def found(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.level, finding.what) for finding in findings]


def checked(**settings: object) -> dict[str, list[dict[str, str]]]:
    """Return what `campaign check --json` finds, by check."""
    app = create_app(Settings.load(**settings))
    result = app.test_cli_runner().invoke(args=["check", "--json"])
    report = json.loads(result.output)
    assert result.exit_code == (report["errors"] > 0)
    return {each["check"]: each["findings"] for each in report["checks"]}


@pytest.mark.parametrize(
    ("check", "changed", "level", "part"),
    [
        (configuration.public_address, {"public_url": "http://love.example.org"}, "error", "is not encrypted"),
        (configuration.public_address, {"public_url": ""}, "error", "the public address is http://127.0.0.1:8000"),
        (configuration.proxies, {"proxies": 0}, "error", "CAMPAIGN_PROXIES is 0"),
        (configuration.proxies, {"bind": "0.0.0.0:8000"}, "warning", "believes what X-Forwarded-For says"),
        (configuration.processes, {"workers": 2}, "warning", "2 processes count the limits by themselves"),
        (configuration.mail_server, {"mail_url": "file:"}, "error", "not sent"),
    ],
)
def test_a_setting_that_is_unsafe_is_named(check, changed, level, part):
    assert found(check(Settings.load(**PUBLIC))) == []
    [(its_level, what)] = found(check(Settings.load(**PUBLIC | changed)))
    assert its_level == level
    assert part in what


def test_a_trial_on_this_machine_is_no_fault():
    settings = Settings.load()
    for name in ("public_address", "proxies", "processes", "mail_server", "debug_mode"):
        assert found(getattr(configuration, name)(settings)) == []


def test_debug_mode_is_an_error(monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert found(configuration.debug_mode(Settings.load())) == [("error", "FLASK_DEBUG is set")]


@pytest.fixture
def private(tmp_path: Path) -> Settings:
    """Settings of an instance folder as the server makes it."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    for name in ("secret.key", "campaign.sqlite3"):
        (folder / name).touch(mode=0o600)
    return Settings.load(instance=folder)


@pytest.mark.parametrize("name", ["", "secret.key", "campaign.sqlite3"])
def test_files_that_others_may_read_are_named(private, name):
    assert found(machine.file_modes(private)) == []
    path = private.instance / name
    path.chmod(path.stat().st_mode | 0o040)
    assert found(machine.file_modes(private)) == [("error", f"other users of this machine may read {path}")]


def test_a_slow_disk_is_named(private, monkeypatch):
    assert machine.sync_seconds(private.instance) > 0
    monkeypatch.setattr(machine, "sync_seconds", lambda _folder: 0.035)
    [(level, what)] = found(machine.disk_speed(private))
    assert (level, "takes 35 ms" in what) == ("warning", True)
    monkeypatch.setattr(machine, "sync_seconds", lambda _folder: 0.001)
    assert found(machine.disk_speed(private)) == []


def test_a_network_disk_is_recognised_by_the_nearest_mount(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\nserver:/x /srv/love\\040site nfs4 rw 0 0\n/dev/sdb1 /srv ext4 rw 0 0\n")
    assert machine._file_system(Path("/srv/love site/instance/campaign.sqlite3"), mounts) == "nfs4"
    assert machine._file_system(Path("/srv/other/campaign.sqlite3"), mounts) == "ext4"
    assert machine._file_system(Path("/srv/other"), tmp_path / "missing") == ""


def test_sqlite_on_a_network_disk_is_an_error(private, monkeypatch):
    monkeypatch.setattr(machine, "_file_system", lambda _path, _mounts: "nfs4")
    [(level, what)] = found(machine.network_disk(private))
    assert (level, "network disk (nfs4)" in what) == ("error", True)


def test_a_full_disk_is_an_error_and_a_nearly_full_one_a_warning(private, monkeypatch):
    for status, level in (("full", "error"), ("low", "warning")):
        monkeypatch.setattr(machine, "disk_status", lambda _settings, status=status: status)
        assert [finding.level for finding in machine.disk_space(private)] == [level]


def test_a_database_that_is_ready_has_one_warning_until_the_keys_are_saved(campaign):
    checks = [name for name in CHECKS if name in ("database", "keys", "durability", "connections", "database clock")]
    for expected in (["warning"], []):
        with campaign.app.app_context():
            levels = [finding.level for name in checks for finding in CHECKS[name](campaign.settings)]
        assert [level for level in levels if level != "error"] == expected
        campaign.command("check", "--keys-saved")


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_database_that_loses_acknowledged_signatures_is_an_error(campaign):
    with campaign.app.app_context():  # the server of our tests never syncs
        assert ("error", "PostgreSQL has fsync switched off") in found(database.durability(campaign.settings))


@pytest.mark.parametrize("backend", ["postgresql"])
def test_more_connections_than_postgresql_allows_are_an_error(campaign):
    many = Settings.load(instance=campaign.settings.instance, database_pool=1000)
    with campaign.app.app_context():
        [(level, what)] = found(database.connections(many))
    assert (level, "may open 1000 connections" in what) == ("error", True)


def test_a_database_that_was_not_made_ready_is_an_error(campaign):
    with campaign.app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = '0012'"))
        db.session.commit()
        assert found(database.is_ready(campaign.settings)) == [("error", "the database does not fit this release")]


def test_a_database_that_cannot_be_reached_is_an_error_and_the_other_checks_go_on(tmp_path):
    url = f"postgresql://nobody:hunter2@127.0.0.1:{free_port()}/x"
    result = checked(instance=tmp_path, database_url=url)
    assert result["database"][0]["what"] == "the database cannot be used (OperationalError)"
    assert len(result) == len(CHECKS)
    assert "hunter2" not in json.dumps(result)


def test_a_redis_that_is_down_is_an_error_and_one_that_answers_is_not(redis_server):
    assert found(database.redis(Settings.load(redis_url=redis_server))) == []
    down = Settings.load(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    assert found(database.redis(down)) == [("error", "Redis cannot be used (ConnectionError)")]


def test_a_mail_server_that_refuses_is_an_error_and_one_that_takes_emails_is_not(tmp_path):
    with sink(tmp_path / "sink") as port:
        assert found(email.connection(Settings.load(mail_url=f"smtp://127.0.0.1:{port}"))) == []
    [(level, what)] = found(email.connection(Settings.load(mail_url=f"smtp://127.0.0.1:{free_port()}")))
    assert (level, "takes no emails from" in what) == ("error", True)


@pytest.fixture
def records(monkeypatch) -> Iterator[dict[tuple[str, str], list[str]]]:
    """The records of a DNS server on this machine, by name and type, which the checks ask; one fills them in."""
    records: dict[tuple[str, str], list[str]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        Thread(target=_answer, args=(server, records), daemon=True).start()
        yield records
        server.sendto(b"", server.getsockname())


def _answer(server: socket.socket, records: dict[tuple[str, str], list[str]]) -> None:
    while True:
        data, client = server.recvfrom(4096)
        if not data:
            return
        query = dns.message.from_wire(data)
        question = query.question[0]
        answer = dns.message.make_response(query)
        kind = dns.rdatatype.to_text(question.rdtype)
        if values := records.get((question.name.to_text(omit_final_dot=True), kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
        server.sendto(answer.to_wire(), client)


def _dns_findings() -> dict[str, list[tuple[str, str]]]:
    settings = Settings.load(**PUBLIC)
    return {name: findings for name, check in DNS_CHECKS.items() if (findings := found(check(settings)))}


def test_a_sender_with_all_records_is_trusted(records):
    records["love.example.org", "TXT"] = ['"v=spf1 include:mail.example.org -all"', '"something else"']
    records["mail._domainkey.love.example.org", "TXT"] = ['"v=DKIM1; k=rsa; p=MIIB" "IjAN"']
    records["_dmarc.love.example.org", "TXT"] = ['"v=DMARC1; p=quarantine"']
    records["love.example.org", "MX"] = ["10 mail.example.org."]
    assert _dns_findings() == {}


def test_missing_records_of_the_sender_are_named(records):
    assert _dns_findings() == {
        "SPF": [("warning", "love.example.org has no SPF record")],
        "DKIM": [("warning", "no DKIM key of love.example.org was found under the usual names")],
        "DMARC": [("warning", "love.example.org has no DMARC record")],
        "bounces": [("error", "love.example.org, the domain of the sender, does not exist in the DNS")],
    }


def test_two_spf_records_are_an_error(records):
    records["love.example.org", "TXT"] = ['"v=spf1 -all"', '"v=spf1 +all"']
    assert _dns_findings()["SPF"] == [("error", "love.example.org has 2 SPF records")]


def test_the_exit_status_tells_of_errors_and_each_finding_has_its_remedy(campaign, tmp_path):
    result = campaign.command("check")
    assert (result.exit_code, "0 errors" in result.output) in ((0, True), (1, False))
    assert "warning  keys: nobody has confirmed" in result.output
    assert "         -> save both, then: campaign check --keys-saved" in result.output
    broken = checked(instance=tmp_path / "broken", public_url="http://love.example.org")
    assert {finding["level"] for finding in broken["public address"]} == {"error"}
    assert all(finding["why"] and finding["fix"] for findings in broken.values() for finding in findings)
