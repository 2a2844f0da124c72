"""The configurations of deploy/ha: complete, refused while unfinished, and accepted by the programs they are for."""

import os
import re
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from redis.exceptions import RedisError

from tests import services
from tests.deploy.cluster_files import SETUP, Addresses, program, redis_at, render, setup, why_not
from tests.live_server import ROOT

pytestmark = pytest.mark.slow

PASSWORD = "a" + secrets.token_hex(10)
UNFINISHED = re.findall(r"^(\w+)=change-me$", (ROOT / "deploy/ha/cluster.env").read_text(), re.MULTILINE)
MACHINES = ("1", "2", "3", "application")


def needs(*names: str) -> pytest.MarkDecorator:
    """Leave a test out where one of these programs is not installed."""
    reason = why_not(*names)
    return pytest.mark.skipif(reason is not None, reason=str(reason))


@pytest.fixture
def addresses() -> Addresses:
    return Addresses.at_random()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's."""
    with TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def finished(addresses: Addresses) -> str:
    """Return the model of cluster.env, filled in."""
    return addresses.fill_in((ROOT / "deploy/ha/cluster.env").read_text(), PASSWORD)


@pytest.mark.parametrize("machine", MACHINES)
def test_everything_is_filled_in(machine, addresses, tmp_path):
    render(machine, tmp_path, addresses, PASSWORD, {})
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written
    for name, text in written.items():
        assert not re.search(r"@[A-Z]|change-me", text), name
        assert (tmp_path / name).stat().st_mode & 0o077 == 0  # passwords are in most


def test_a_machine_gets_its_own_address_and_name(addresses, tmp_path):
    render("2", tmp_path, addresses, PASSWORD, {})
    patroni = (tmp_path / "patroni.yml").read_text()
    assert "name: db2\n" in patroni
    assert f"connect_address: {addresses.node(2)}:5432" in patroni
    assert f"replicaof {addresses.node(1)} 6379" in (tmp_path / "redis.conf").read_text()
    render("1", tmp_path, addresses, PASSWORD, {})
    assert "\nreplicaof" not in (tmp_path / "redis.conf").read_text()


@pytest.mark.parametrize(
    "name", re.findall(r"^(\w+)=change-me$", (ROOT / "deploy/ha/cluster.env").read_text(), re.MULTILINE)
)
def test_a_setting_that_was_not_changed_is_refused(name, addresses, tmp_path):
    settings = re.sub(rf"^{name}=.*$", f"{name}=change-me", finished(addresses), flags=re.MULTILINE)
    result = setup(settings, tmp_path, "render", "1", tmp_path / "out")
    assert (result.returncode, list(tmp_path.glob("out/*"))) == (1, [])
    assert f"{name} is not set" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("NODE2", "db2.example.org", "must be an IPv4 address"),
        ("APPLICATION", "10.0.0.5", "must be a network"),
        ("REDIS_PASSWORD", "short1", "at least 16 characters"),
        ("REWIND_PASSWORD", "a'; DROP TABLE b; --", "letters and digits only"),
        ("PATRONI_PASSWORD", "$(touch /tmp/x)aaaaaaaa", "letters and digits only"),
    ],
)
def test_a_value_that_would_break_a_configuration_is_refused(name, value, told, addresses, tmp_path):
    settings = re.sub(rf"^{name}=.*$", lambda _: f"{name}={value}", finished(addresses), flags=re.MULTILINE)
    result = setup(settings, tmp_path, "render", "3", tmp_path / "out")
    assert result.returncode == 1
    assert name in result.stderr
    assert told in result.stderr


def test_an_unknown_machine_is_refused(addresses, tmp_path):
    result = setup(finished(addresses), tmp_path, "render", "4", tmp_path / "out")
    assert (result.returncode, result.stderr) == (1, "setup: '4' is no machine: 1, 2, 3 or application\n")
    assert SETUP.stat().st_mode & 0o111


def test_the_commands_of_the_run_book_make_passwords_that_are_accepted(addresses, tmp_path):
    run_book = (ROOT / "docs/operations.md").read_text()
    commands = re.search(r"^ +settings=(/etc/campaign/cluster.env)\n.*?^ +done\n", run_book, re.MULTILINE | re.DOTALL)
    script = commands[0].replace(commands[1], str(tmp_path / "cluster.env"))
    subprocess.run(["sh", "-euc", script], check=True, cwd=ROOT)
    settings = (tmp_path / "cluster.env").read_text()
    passwords = re.findall(r"_PASSWORD=(\w{36})$", settings, re.MULTILINE)
    assert len(set(passwords)) == 6
    result = setup(addresses.fill_in(settings, ""), tmp_path, "render", "1", tmp_path / "out")
    assert result.returncode == 0, result.stderr


@needs("haproxy")
def test_haproxy_finds_no_fault(addresses, folder):
    render("application", folder, addresses, PASSWORD, {})
    result = run("haproxy", "-c", "-f", folder / "haproxy.cfg")
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr


@needs("patroni")
def test_patroni_finds_no_fault(addresses, folder):
    """It also looks whether etcd answers, and whether its own ports are free."""
    render("1", folder, addresses, PASSWORD, {"/var/lib/postgresql/15/campaign": f"{folder}/data"})
    with ExitStack() as etcd:
        for node in (1, 2, 3):
            etcd.enter_context(socket.create_server((addresses.node(node), 2379)))
        result = run("patroni", "--validate-config", folder / "patroni.yml")
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_lease_outlives_two_attempts_to_renew_it():
    """Patroni's rule; otherwise one slow answer of etcd would make a primary step back."""
    text = (ROOT / "deploy/ha/patroni.yml").read_text()
    ttl, loop_wait, retry_timeout = (
        int(re.search(rf"^    {name}: (\d+)$", text, re.MULTILINE)[1]) for name in ("ttl", "loop_wait", "retry_timeout")
    )
    assert loop_wait + 2 * retry_timeout <= ttl


@needs("pgbouncer")
@pytest.mark.skipif(services.why_no_postgresql() is not None, reason=str(services.why_no_postgresql()))
def test_pgbouncer_starts_and_asks_for_the_password(addresses, folder):
    moved = {"/etc/pgbouncer": str(folder), "/var/log/postgresql": str(folder), "/var/run/postgresql": str(folder)}
    render("application", folder, addresses, PASSWORD, moved)
    as_postgres = []
    if os.geteuid() == 0:
        as_postgres = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        for path in folder.iterdir():
            path.chmod(0o644)
    local = addresses.local(1)
    command = [*as_postgres, program("pgbouncer"), folder / "pgbouncer.ini"]
    with services.program(command, lambda _: listens(local, 6432)):
        told = {}
        for password in (PASSWORD, "another"):
            with pytest.raises(psycopg.OperationalError) as error:
                psycopg.connect(f"postgresql://campaign:{password}@{local}:6432/campaign", connect_timeout=10)
            told[password] = str(error.value)
    assert "authentication failed" in told["another"]
    assert "authentication failed" not in told[PASSWORD]  # there is no PostgreSQL behind it


@needs("redis-server", "redis-sentinel")
def test_redis_and_sentinel_start_and_know_each_other(addresses, folder):
    moved = {"/var/lib/redis": str(folder)}
    render("1", folder, addresses, PASSWORD, moved)
    with ExitStack() as running:
        for name in ("redis", "sentinel"):
            command = [program("redis-server" if name == "redis" else "redis-sentinel"), folder / f"{name}.conf"]
            port = 6379 if name == "redis" else 26379
            running.enter_context(services.program(command, lambda _, port=port: knows_master(addresses.node(1), port)))
        with redis_at(addresses.node(1), 26379, PASSWORD) as sentinel:
            assert sentinel.sentinel_get_master_addr_by_name("campaign") == (addresses.node(1), 6379)


def knows_master(host: str, port: int) -> bool:
    """Return whether a Redis, or a Sentinel, answers, and only those who know the password."""
    with suppress(RedisError), redis_at(host, port, None) as stranger:
        return not stranger.ping()
    with suppress(RedisError), redis_at(host, port, PASSWORD) as client:
        return bool(client.ping())
    return False


def listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def run(name: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
    command = [str(program(name)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
