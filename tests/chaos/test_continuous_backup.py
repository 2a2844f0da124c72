"""Continuous backups: the disk dies, or somebody deletes the signatures, and the campaign comes back."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import services
from tests.chaos.load import Load, emails_in
from tests.live_server import ROOT, Site, ready_site, wait_for

pytestmark = pytest.mark.chaos

SETTINGS = {"CAMPAIGN_SIGN_LIMIT": "", "CAMPAIGN_DOMAIN_LIMIT": "0"}
SYNC_SECONDS = 1  # Litestream's, between two copies
BIN = Path(sys.executable).parent


class Litestream:
    """Litestream with the configuration that is shipped."""

    def __init__(self, site: Site, folder: Path) -> None:
        database = str(site.instance / "campaign.sqlite3")
        replica = f"file://{folder}/replica"
        self._environment = {**os.environ, "LITESTREAM_DATABASE": database, "LITESTREAM_REPLICA_URL": replica}
        self._database = database

    def _command(self, *arguments: str) -> "subprocess.Popen[bytes]":
        config = str(ROOT / "deploy/litestream/litestream.yml")
        command = [str(BIN / "litestream"), arguments[0], "-config", config, *arguments[1:]]
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def replicate(self) -> "subprocess.Popen[bytes]":
        return self._command("replicate")

    def restore(self) -> None:
        assert self._command("restore", self._database).wait() == 0


def test_a_dead_disk_costs_the_last_second_of_signatures_on_sqlite(tmp_path, capsys):
    site = ready_site(tmp_path, **SETTINGS)
    litestream = Litestream(site, tmp_path)
    server, replicating, load = site.start(), litestream.replicate(), Load([site])
    with load.signing():
        load.wait_for_more(400)
        died = time.monotonic()
        replicating.kill()
        os.killpg(server.pid, signal.SIGKILL)
    replicating.wait()
    server.wait()
    secret = (site.instance / "secret.key").read_text()
    shutil.rmtree(site.instance)
    site.instance.mkdir(mode=0o700)
    (site.instance / "secret.key").write_text(secret)

    began = time.monotonic()
    litestream.restore()
    seconds = time.monotonic() - began
    stored = emails_in(site)
    lost = {email: died - when for email, when in load.acknowledged.items() if email not in stored}
    with capsys.disabled():
        print(
            f"\nLitestream: {len(load.acknowledged)} acknowledged, {len(lost)} lost, all of the last "
            f"{max(lost.values(), default=0):.1f} s; restored in {seconds:.1f} s"
        )
    assert max(lost.values(), default=0) < 2 * SYNC_SECONDS
    assert "FAIL" not in site.flask("signatures", "check")
    with site.served():
        site.sign({"given_name": "Ada", "email": "ada@example.org", "country": "GB"})


class Cluster:
    """A PostgreSQL that archives to pgBackRest, with the configuration that is shipped; it belongs to `postgres`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.port = folder, folder / "data", services.free_port()
        self._programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        secrets = folder / "conf.d"
        secrets.mkdir()
        (secrets / "secret.conf").write_text("[global]\nrepo1-cipher-pass=a passphrase of the tests\n")
        self._environment = {
            **os.environ,
            "PGBACKREST_CONFIG": str(ROOT / "deploy/pgbackrest/pgbackrest.conf"),
            "PGBACKREST_CONFIG_INCLUDE_PATH": str(secrets),
            "PGBACKREST_REPO1_PATH": str(folder / "repository"),
            "PGBACKREST_LOCK_PATH": str(folder / "lock"),
            "PGBACKREST_PG1_PATH": str(self.data),
            "PGBACKREST_PG1_PORT": str(self.port),
            "PGBACKREST_PG1_SOCKET_PATH": str(folder),
        }

    def run(self, *command: object) -> str:
        """Run a program as `postgres` and return its output."""
        result = subprocess.run(
            ["runuser", "-u", "postgres", "--", *map(str, command)],
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def backrest(self, *arguments: str) -> str:
        return self.run("pgbackrest", "--stanza=campaign", *arguments)

    def create(self) -> None:
        self.run(self._programs / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8")
        shipped = (ROOT / "deploy/pgbackrest/postgresql.conf").read_text()
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"{shipped}\nport = {self.port}\nunix_socket_directories = '{self.folder}'\n")

    def start(self) -> None:
        """Start it; returns once it may be written to."""
        self.run(self._programs / "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "start")
        wait_for(lambda: self.execute("SELECT pg_is_in_recovery()") == (False,), "the end of the recovery")

    def stop(self) -> None:
        self.run(self._programs / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def execute(self, statement: str) -> tuple[object, ...] | None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def archive(self) -> None:
        """Return once all that has happened is in the repository."""
        file = self.execute("SELECT pg_walfile_name(pg_switch_wal())")
        wait_for(
            lambda: self.execute(f"SELECT last_archived_wal >= '{file[0]}' FROM pg_stat_archiver") == (True,),
            "the archive",
        )

    def lose_disk(self) -> None:
        self.stop()
        shutil.rmtree(self.data)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if os.geteuid() != 0 or not shutil.which("pgbackrest"):
        pytest.skip("needs root and pgbackrest")
    folder = Path(tempfile.mkdtemp(prefix="pgbackrest-"))  # in a folder of pytest's, `postgres` could reach nothing
    shutil.chown(folder, "postgres", "postgres")
    cluster = Cluster(folder)
    cluster.create()
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


def test_a_dead_disk_and_deleted_signatures_come_back_on_postgresql(cluster, tmp_path, capsys):
    site = ready_site(tmp_path, CAMPAIGN_DATABASE_URL=cluster.url, **SETTINGS)
    cluster.backrest("stanza-create")
    cluster.backrest("check")
    cluster.backrest("--type=full", "backup")
    load = Load([site])
    with site.served(), load.signing():
        load.wait_for_more(200)
    cluster.archive()

    cluster.lose_disk()
    began = time.monotonic()
    cluster.backrest("restore")
    cluster.start()
    seconds = time.monotonic() - began
    assert not load.lost()

    before = cluster.execute("SELECT clock_timestamp()")
    cluster.execute("DELETE FROM signatures")
    cluster.archive()
    cluster.lose_disk()
    cluster.backrest("--type=time", f"--target={before[0]}", "--target-action=promote", "restore")
    cluster.start()
    assert not load.lost()
    assert "FAIL" not in site.flask("signatures", "check")
    with capsys.disabled():
        print(f"\npgBackRest: {len(load.acknowledged)} acknowledged and archived, 0 lost; restored in {seconds:.1f} s")
    files = [path for path in (cluster.folder / "repository").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if re.search(rb"example\.org|CREATE TABLE|base/1/", path.read_bytes())]
