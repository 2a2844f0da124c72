"""Everything beside the server fails in turn, while people sign: no acknowledged signature and no email is lost."""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from sqlalchemy import create_engine, text

from tests import services
from tests.chaos.load import Load, print_table
from tests.live_server import Site, ready_site, wait_for
from tests.postgresql_pool import database_on, execute
from tests.smtp_sink import sink
from tests.unreliable_line import Line

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SETTINGS = {"CAMPAIGN_SIGN_LIMIT": "", "CAMPAIGN_DOMAIN_LIMIT": "0", "CAMPAIGN_DATABASE_TIMEOUT": "2"}
MEGABYTE = 1024 * 1024
BURST_CLIENTS, BURST_SECONDS = 64, 20


@dataclass
class World:
    """A server with two processes and a mail worker of its own; lines that tests can cut lead to all it needs."""

    site: Site
    database_url: str  # not by way of the line
    database: Line
    redis: Line
    mail: Line
    delivered: Path
    server: "subprocess.Popen[bytes]"
    mail_worker: "subprocess.Popen[bytes]"
    figures: list[str] = field(default_factory=list)

    def start_mail_worker(self) -> None:
        self.mail_worker = self.site.command("mail", "work", own_group=True)

    def sends_to(self, wanted: set[str]) -> Counter[str]:
        """Return how many emails each address got, once all that are `wanted` got one."""
        engine = create_engine(self.database_url)
        with engine.begin() as connection:  # no pauses: those of a worker that was killed, and between attempts
            connection.execute(text("UPDATE outbox SET due_at = created_at WHERE due_at IS NOT NULL"))
            connection.execute(text("DELETE FROM mail_server"))
        engine.dispose()
        wait_for(lambda: wanted <= set(self.delivered.read_text().split()), "all emails", seconds=120)
        return Counter(address for address in self.delivered.read_text().split() if address in wanted)


@contextmanager
def line_to(url: str) -> Iterator[tuple[Line, str]]:
    """Yield a line to the server at `url`, and the URL by way of it."""
    parts = urlsplit(url)
    line = Line((str(parts.hostname), int(parts.port or 0)))
    yield line, parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{line.port}")).geturl()
    line.cut()


@pytest.fixture(scope="module")
def world(tmp_path_factory, request) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("faults")
    with (
        services.postgresql(durable=True) as server_url,
        services.redis() as redis_url,
        sink(folder / "delivered") as mail_port,
        line_to(server_url) as (database, by_line),
        line_to(redis_url) as (redis, redis_by_line),
        line_to(f"smtp://127.0.0.1:{mail_port}") as (mail, mail_by_line),
    ):
        execute(server_url, "CREATE DATABASE faults")
        settings = {
            "CAMPAIGN_DATABASE_URL": database_on(by_line, "faults"),
            "CAMPAIGN_REDIS_URL": redis_by_line,
            "CAMPAIGN_MAIL_URL": mail_by_line,
            "CAMPAIGN_MAIL_WORKER": "external",
            "CAMPAIGN_WORKERS": "2",
        }
        site = ready_site(folder, **SETTINGS | settings)
        (folder / "delivered").touch()
        server, mail_worker = site.start(), site.command("mail", "work", own_group=True)
        direct = database_on(server_url, "faults")
        world = World(site, direct, database, redis, mail, folder / "delivered", server, mail_worker)
        yield world
        for process in (world.server, world.mail_worker):
            process.terminate()
            process.communicate(timeout=60)
    print_table(request, world.figures)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def kill_server(world: World, _load: Load) -> None:
    kill_group(world.server)
    world.server = world.site.start()


def kill_worker(world: World, _load: Load) -> None:
    pid = world.site.worker_pids()[0]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid not in world.site.worker_pids() and len(world.site.worker_pids()) == 2, "a new process")


def kill_mail_worker(world: World, load: Load) -> None:
    kill_group(world.mail_worker)
    load.wait_for_more(50)
    world.start_mail_worker()


def crash_database(world: World, _load: Load) -> None:
    """Kill one process of PostgreSQL, which then ends all connections and recovers as after a power cut."""
    engine = create_engine(world.database_url)
    with engine.connect() as connection:
        pids = list(
            connection.scalars(
                text("SELECT pid FROM pg_stat_activity WHERE datname = 'faults' AND pid <> pg_backend_pid()")
            )
        )
    engine.dispose()
    os.kill(pids[0], signal.SIGKILL)


def lasting(fault: Callable[[World], Callable[[], None]], seconds: float) -> Callable[[World, Load], None]:
    """Return a fault that lasts some seconds; `fault` begins it and returns what ends it."""

    def act(world: World, _load: Load) -> None:
        end = fault(world)
        threading.Event().wait(seconds)
        end()

    return act


def freeze_database(world: World) -> Callable[[], None]:
    world.database.freeze()
    return world.database.mend


def cut_database(world: World) -> Callable[[], None]:
    world.database.cut()
    return world.database.mend


def cut_redis(world: World) -> Callable[[], None]:
    world.redis.cut()
    return world.redis.mend


def freeze_redis(world: World) -> Callable[[], None]:
    world.redis.freeze()
    return world.redis.mend


def cut_mail(world: World) -> Callable[[], None]:
    world.mail.cut()
    return world.mail.mend


def freeze_mail(world: World) -> Callable[[], None]:
    world.mail.freeze()
    return world.mail.mend


@dataclass(frozen=True)
class Fault:
    """What happens, the longest that nobody may be able to sign, in seconds, and which errors people may see."""

    name: str
    happen: Callable[[World, Load], None]
    longest: float
    errors: frozenset[str] = frozenset()


REFUSED = frozenset({"503"})  # "try again in a minute", with the form filled in
BROKEN = frozenset({"503", "URLError", "RemoteDisconnected", "ConnectionResetError", "IncompleteRead", "BadStatusLine"})
FAULTS = [
    Fault("server killed", kill_server, 40, BROKEN),
    Fault("one of two processes killed", kill_worker, 15, BROKEN),
    Fault("mail worker killed", kill_mail_worker, 5),
    Fault("database crashed", crash_database, 30, REFUSED),
    Fault("database frozen for 15 s", lasting(freeze_database, 15), 30, REFUSED),
    Fault("database away for 20 s", lasting(cut_database, 20), 35, REFUSED),
    Fault("Redis away for 10 s", lasting(cut_redis, 10), 5),
    Fault("Redis frozen for 10 s", lasting(freeze_redis, 10), 5),
    Fault("mail server away for 10 s", lasting(cut_mail, 10), 5),
    Fault("mail server frozen for 10 s", lasting(freeze_mail, 10), 5),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_nothing_acknowledged_is_lost(world, fault):
    load = Load([world.site], domain=f"{fault.name.replace(' ', '-').lower()}.example.org")
    with load.signing():
        load.wait_for_more(50)
        began = time.monotonic()
        fault.happen(world, load)
        load.wait_for_more(100)
    gap, lost = load.longest_gap(began), load.lost()
    assert not lost
    emails = world.sends_to(set(load.acknowledged))
    twice = emails.total() - len(emails)
    world.figures.append(load.figures(fault.name, gap, lost) + (f"  ({twice} emails twice)" if twice else ""))
    assert load.errors.keys() <= fault.errors
    assert gap < fault.longest


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 160 MB."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0700", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(small_disk, request):
    site = ready_site(small_disk, **SETTINGS)
    load = Load([site])
    with site.served():
        with load.signing():
            load.wait_for_more(50)
            began = time.monotonic()
            fill(small_disk / "filler")
            wait_for(lambda: load.errors["503"] >= 10, "refusals")
            (small_disk / "filler").unlink()
            load.wait_for_more(50)
        gap, lost = load.longest_gap(began), load.lost()
    print_table(request, [load.figures("disk full", gap, lost)])
    assert not lost
    assert load.errors.keys() <= REFUSED
    assert "FAIL" not in site.flask("signatures", "check")


def fill(path: Path) -> None:
    """Write a file until the disk is full."""
    with path.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue


def test_after_a_burst_the_page_is_quick_again(tmp_path, request):
    site = ready_site(tmp_path, **SETTINGS)
    load = Load([site], clients=BURST_CLIENTS)
    with site.served():
        began = time.monotonic()
        with load.signing():
            threading.Event().wait(BURST_SECONDS)
        seconds = time.monotonic() - began
        asked = time.monotonic()
        with urlopen(f"{site.url}/en/", timeout=10) as response:
            response.read()
        page_seconds = time.monotonic() - asked
        lost = load.lost()
    rate = len(load.acknowledged) / seconds
    print_table(request, [load.figures(f"burst ({rate:.0f} a second)", load.longest_gap(began), lost)])
    assert page_seconds < 1
    assert not lost
    assert load.errors.keys() <= REFUSED
    assert load.longest_gap(began) < 5
