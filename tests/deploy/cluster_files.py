"""The configurations of deploy/ha, written by its own script for addresses of the loopback network."""

import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.live_server import ROOT

SETUP = ROOT / "deploy/ha/setup.sh"
PROGRAMS = "haproxy patroni pgbouncer redis-sentinel redis-server".split()  # with which `make test` checks the files


@dataclass(frozen=True, slots=True)
class Addresses:
    """A network of its own for each cluster, so that the ports may be the usual ones: 127.0.0.0/8 is all loopback."""

    prefix: str
    application: int = 1

    @classmethod
    def at_random(cls) -> "Addresses":
        """Return a network that nobody else is likely to use."""
        return cls(f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}")

    def node(self, number: int) -> str:
        """Return the address of a database machine."""
        return f"{self.prefix}.{10 + number}"

    def local(self, number: int) -> str:
        """Return where HAProxy and PgBouncer of an application's machine listen."""
        return f"{self.prefix}.{20 + number}"

    def fill_in(self, settings: str, password: str) -> str:
        """Return `settings`, the model of cluster.env, with these addresses and this password everywhere."""
        for node in (1, 2, 3):
            settings = settings.replace(f"NODE{node}=change-me", f"NODE{node}={self.node(node)}")
        settings = settings.replace("LOCAL=127.0.0.1", f"LOCAL={self.local(self.application)}")
        settings = settings.replace("APPLICATION=change-me", "APPLICATION=127.0.0.0/8")
        return settings.replace("_PASSWORD=change-me", f"_PASSWORD={password}")

    def with_local(self, number: int) -> "Addresses":
        """Return the same cluster as one of the application's machines sees it."""
        return replace(self, application=number)


def setup(settings: str, folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run setup.sh with these settings, which are in `folder` for that time."""
    file = folder / "cluster.env"
    file.write_text(settings)
    environment = {"CLUSTER_ENV": str(file), "PATH": "/usr/bin:/bin"}
    command = [str(SETUP), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    file.unlink()
    return result


def render(machine: str, folder: Path, addresses: Addresses, password: str, replaced: Mapping[str, str]) -> None:
    """Write the configurations of a machine to `folder`, as setup.sh does it, with other paths."""
    folder.mkdir(exist_ok=True)
    model = (ROOT / "deploy/ha/cluster.env").read_text()
    result = setup(addresses.fill_in(model, password), folder, "render", machine, folder)
    assert result.returncode == 0, result.stderr
    texts = {path: path.read_text() for path in folder.glob("*.*")}
    for shipped, ours in replaced.items():
        assert any(shipped in text for text in texts.values()), shipped
        texts = {path: text.replace(shipped, ours) for path, text in texts.items()}
    for path, text in texts.items():
        # All connections within the loopback network come from 127.0.0.1.
        path.write_text(re.sub(rf"{re.escape(addresses.prefix)}\.\d+/32", "127.0.0.0/8", text))


def redis_at(host: str, port: int, password: str | None) -> Redis:
    """Return a client that does not wait for a Redis that is away."""
    retry = Retry(NoBackoff(), 0)
    return Redis(host, port, password=password, socket_timeout=1, retry=retry, decode_responses=True)


def program(name: str) -> str | None:
    """Return the path of a program, also of those that only root usually calls, or None."""
    return shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin")


def why_not(*names: str) -> str | None:
    """Return which of these programs are not installed, or None where all are."""
    absent = [name for name in names if program(name) is None]
    return f"{', '.join(absent)} not installed" if absent else None


def why_no_cluster_programs() -> str | None:
    """Return why not all of the files can be checked, or None where they can."""
    return why_not(*PROGRAMS)
