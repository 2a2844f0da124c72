"""The cluster of deploy/ha on one machine: three database machines and two of the application, each an address."""

import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from redis.exceptions import RedisError

from tests.deploy.cluster_files import PROGRAMS, Addresses, program, redis_at, render, why_not
from tests.live_server import wait_for

NODES = (1, 2, 3)
PASSWORD = "a" + secrets.token_hex(10)

# Waits until standard input closes, as it does when we are done and also when we are killed; then ends every process
# that works in the cluster's folder, twice, since a Patroni may just have started another.
REAPER = """
read -r _
for _ in 1 2; do
    for process in /proc/[0-9]*; do
        case $(readlink "$process/cwd") in "$1" | "$1"/*) kill -s KILL "${process#/proc/}" ;; esac
    done
    sleep 0.5
done
rm -rf "$1"
"""


class Cluster:
    """Real programs under the shipped configurations; a machine is its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.addresses = Addresses.at_random()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "logs").mkdir()
        for node in NODES:
            self._write_database(node)
        for number in (1, 2):
            self._write_application(number)

    def start(self) -> None:
        """Start all machines; returns when the cluster is whole."""
        self.start_nodes()
        self.wait_until_whole()
        for number in (1, 2):
            home = self.folder / f"app{number}"
            self._start(f"haproxy{number}", None, "haproxy", "-db", "-f", home / "haproxy.cfg")
            self._start(f"pgbouncer{number}", "postgres", "pgbouncer", home / "pgbouncer.ini")

    def start_nodes(self) -> None:
        """Start the programs of all database machines that are not running."""
        for node in NODES:
            self.start_node(node)

    def start_node(self, node: int) -> None:
        """Start the programs of a database machine that are not running."""
        home = self.folder / f"db{node}"
        lines = (home / "etcd.env").read_text().splitlines()
        environment = dict(line.split("=", 1) for line in lines if line.startswith("ETCD_"))
        self._start(f"etcd{node}", "etcd", "etcd", **environment)
        self._start(f"patroni{node}", "postgres", "patroni", home / "patroni.yml")
        self._start(f"redis{node}", "redis", "redis-server", home / "redis/redis.conf")
        self._start(f"sentinel{node}", "redis", "redis-sentinel", home / "redis/sentinel.conf")

    def wait(self) -> None:
        """Return when all processes have ended."""
        for process in self._running.values():
            process.wait()

    def settings(self, number: int) -> dict[str, str]:
        """Return the settings of an application on one of the two machines."""
        local = self.addresses.local(number)
        return {
            "CAMPAIGN_DATABASE_URL": f"postgresql://campaign:{PASSWORD}@{local}:6432/campaign",
            "CAMPAIGN_PGBOUNCER": "yes",
            "CAMPAIGN_REDIS_URL": f"redis://:{PASSWORD}@{local}:6380/0",
        }

    def primary(self) -> int | None:
        """Return the machine whose Patroni says that it has the primary, or None."""
        return next((node for node in NODES if self._ask(node, "primary") is not None), None)

    def redis_master(self) -> int | None:
        """Return the machine whose Redis is the master, or None."""
        return next((node for node in NODES if self._replication(node).get("role") == "master"), None)

    def redis_keys(self) -> int:
        """Return how many counts Redis has, asked by way of HAProxy as the application does it."""
        with redis_at(self.addresses.local(1), 6380, PASSWORD) as client:
            return client.dbsize()

    def wait_until_whole(self) -> None:
        """Return when there are a primary, a synchronous standby and another that streams, and a master of Redis."""
        wait_for(self._is_whole, "a whole cluster", seconds=120)

    def switch_over(self) -> None:
        """Make a standby the primary, as an operator does it."""
        command = [program("patronictl"), "-c", self.folder / "db1/patroni.yml", "switchover", "campaign", "--force"]
        subprocess.run([*map(str, command)], check=True, capture_output=True, env=_environment())

    def kill_postmaster(self, node: int) -> None:
        """Kill the first process of PostgreSQL, whose others then end themselves."""
        os.kill(self._postmaster(node), signal.SIGKILL)

    def kill_node(self, node: int) -> None:
        """Kill everything on a database machine."""
        processes = self._processes(node)
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
        for name in self._names(node):
            self._running.pop(name).wait()

    def freeze_node(self, node: int) -> Callable[[], None]:
        """Stop everything on a database machine, whose kernel still answers; return what lets it go on."""
        processes = self._processes(node)
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)

        def thaw() -> None:
            for pid in processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

        return thaw

    def kill(self, name: str, *nodes: int) -> None:
        """Kill one of the programs on database machines."""
        for node in nodes:
            process = self._running.pop(f"{name}{node}")
            process.kill()
            process.wait()

    def runs_without_etcd(self) -> bool:
        """Return whether the primary goes on although there is no etcd that could prolong its lease."""
        primary = self.primary()
        answer = self._ask(primary, "patroni") if primary else None
        return answer is not None and json.loads(answer).get("failsafe_mode_is_active", False)

    def log(self, name: str) -> str:
        """Return what a program has printed."""
        return (self.folder / "logs" / name).read_text()

    def _is_whole(self) -> bool:
        primary, master = self.primary(), self.redis_master()
        answer = self._ask(primary, "cluster") if primary else None
        if answer is None or master is None or self._replication(master).get("connected_slaves") != 2:
            return False
        members = json.loads(answer)["members"]
        running = [member["role"] for member in members if member["state"] in ("running", "streaming")]
        return sorted(running) == ["leader", "replica", "sync_standby"]

    def _ask(self, node: int, path: str) -> str | None:
        request = Request(f"http://{self.addresses.node(node)}:8008/{path}")
        with suppress(URLError, ConnectionError, TimeoutError), urlopen(request, timeout=1) as response:
            return response.read().decode()
        return None

    def _replication(self, node: int) -> dict[str, Any]:
        with suppress(RedisError), redis_at(self.addresses.node(node), 6379, PASSWORD) as client:
            return client.info("replication")
        return {}

    def _postmaster(self, node: int) -> int:
        return int((self.folder / f"db{node}/data/postmaster.pid").read_text().split()[0])

    def _names(self, node: int) -> list[str]:
        return [
            name
            for name in (f"{kind}{node}" for kind in ("patroni", "etcd", "redis", "sentinel"))
            if name in self._running
        ]

    def _processes(self, node: int) -> list[int]:
        """Return the ids of all processes on a database machine; those first that start others."""
        postmaster = self._postmaster(node)
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [*(self._running[name].pid for name in self._names(node)), postmaster, *map(int, children)]

    def _start(self, name: str, user: str | None, command: str, *arguments: object, **environment: str) -> None:
        if name in self._running:
            return
        with (self.folder / "logs" / name).open("ab") as log:
            process = subprocess.Popen(
                [program(command), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment() | environment,
                start_new_session=True,
                **_as(user),
            )
        self._running[name] = process

    def _write_database(self, node: int) -> None:
        home = self.folder / f"db{node}"
        render(
            str(node),
            home,
            self.addresses,
            PASSWORD,
            {
                "/var/lib/etcd/campaign": f"{home}/etcd",
                "/etc/patroni/post_bootstrap.sh": f"{home}/post_bootstrap.sh",
                "/var/lib/postgresql/15/campaign": f"{home}/data",
                "/var/lib/postgresql/.pgpass-campaign": f"{home}/pgpass",
                "/var/run/postgresql": str(home),
                "/var/lib/redis": str(home / "redis"),
            },
        )
        for folder, user in (("etcd", "etcd"), ("redis", "redis")):
            (home / folder).mkdir(mode=0o700)
            _give(home / folder, user)
        for path in (home, home / "patroni.yml", home / "post_bootstrap.sh"):
            _give(path, "postgres")
        for name in ("redis.conf", "sentinel.conf"):
            # Sentinel writes new files beside them.
            (home / name).rename(home / "redis" / name)
            _give(home / "redis" / name, "redis")
        home.chmod(0o755)
        (home / "post_bootstrap.sh").chmod(0o700)

    def _write_application(self, number: int) -> None:
        home = self.folder / f"app{number}"
        render(
            "application",
            home,
            self.addresses.with_local(number),
            PASSWORD,
            {
                "/run/haproxy": str(home),
                "/etc/pgbouncer": str(home),
                "/var/log/postgresql": str(home),
                "/var/run/postgresql": str(home),
            },
        )
        for path in (home, *home.glob("*")):
            _give(path, "postgres")
        if os.geteuid() != 0:
            text = (home / "haproxy.cfg").read_text()
            (home / "haproxy.cfg").write_text(text.replace("    user haproxy\n    group haproxy\n", ""))


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make and start a cluster; its processes live no longer than the block, however that ends."""
    # Not pytest's folder, which other users may not enter.
    folder = Path(tempfile.mkdtemp(prefix="cluster-", dir="/tmp"))
    folder.chmod(0o755)
    reaper = subprocess.Popen(
        ["sh", "-c", REAPER, "reaper", str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        reaper.communicate()
        made.wait()


def why_no_cluster() -> str | None:
    """Return why no cluster can be started here, or None where it can."""
    return why_not(*PROGRAMS, "etcd", "patronictl")


def _environment() -> dict[str, str]:
    """Without ours: Debian's Patroni is written in Python, and must not see our packages."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}


def _as(user: str | None) -> dict[str, Any]:
    """Return what makes `subprocess` run a program as the user that its package makes, if we may."""
    if user is None or os.geteuid() != 0:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _give(path: Path, user: str) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
