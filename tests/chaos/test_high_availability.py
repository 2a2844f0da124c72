"""The cluster of deploy/ha under load while its machines fail: every signature that was acknowledged is stored."""

import csv
import io
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError

import pytest

from tests.chaos.cluster import NODES, Cluster, cluster, why_no_cluster
from tests.live_server import Site, ready_site, wait_for

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.skipif(why_no_cluster() is not None, reason=str(why_no_cluster())),
]

CLIENTS = 6
PAUSE_SECONDS = 0.05  # of a client between two signatures, and before it tries again
SECRET_KEY = "the same on all servers of this test"

Undo = Callable[[], object]


@dataclass(frozen=True)
class Fault:
    """What happens to the cluster, and the longest that nobody may be able to sign then, in seconds."""

    name: str
    happen: Callable[[Cluster, int], Undo | None]  # to the machine of the primary, or of Redis's master
    longest: float
    of_redis: bool = False
    of_etcd: bool = False  # nobody takes over


def kill_postmaster(cluster: Cluster, node: int) -> None:
    cluster.kill_postmaster(node)


def switch_over(cluster: Cluster, _node: int) -> None:
    cluster.switch_over()


def kill_node(cluster: Cluster, node: int) -> Undo:
    cluster.kill_node(node)
    return cluster.start_nodes


def freeze_node(cluster: Cluster, node: int) -> Undo:
    return cluster.freeze_node(node)


def kill_redis(cluster: Cluster, node: int) -> Undo:
    cluster.kill("redis", node)
    return cluster.start_nodes


def kill_etcd(cluster: Cluster, _node: int) -> Undo:
    cluster.kill("etcd", *NODES)
    return cluster.start_nodes


# The limits are about three times the measured gaps: other work may slow this machine down.
FAULTS = [
    Fault("postmaster killed", kill_postmaster, 12),
    Fault("switchover", switch_over, 6),
    Fault("machine of the primary killed", kill_node, 30),
    Fault("machine of the primary frozen", freeze_node, 30),
    Fault("etcd killed on all machines", kill_etcd, 6, of_etcd=True),
    Fault("Redis's master killed", kill_redis, 2, of_redis=True),
]


@dataclass
class Load:
    """People who sign, on both servers in turn, and the answers they got."""

    sites: list[Site]
    acknowledged: dict[str, float] = field(default_factory=dict)  # email addresses, and when
    errors: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def signing(self) -> Iterator[None]:
        """Sign within the block, again and again."""
        end = threading.Event()
        clients = [threading.Thread(target=self._sign_until, args=(end, number)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            end.set()
            for client in clients:
                client.join()

    def wait_for_more(self, number: int) -> None:
        """Return when so many more signatures were acknowledged."""
        wanted = len(self.acknowledged) + number
        wait_for(lambda: len(self.acknowledged) >= wanted, f"{number} signatures", seconds=60)

    def longest_gap(self, since: float) -> float:
        """Return the longest time, in seconds, in which no signature was acknowledged."""
        moments = sorted([since, *(moment for moment in self.acknowledged.values() if moment > since)])
        return max(later - earlier for earlier, later in itertools.pairwise(moments))

    def _sign_until(self, end: threading.Event, number: int) -> None:
        for site in itertools.islice(itertools.cycle(self.sites), number, None):
            email = f"ada{next(self.numbers)}.{number}@example.org"
            try:
                site.sign({"given_name": "Ada", "email": email, "country": "GB"})
            except HTTPError as error:
                self.errors[str(error.code)] += 1
            except (OSError, HTTPException) as error:
                self.errors[type(error).__name__] += 1
            else:
                self.acknowledged[email] = time.monotonic()
            if end.wait(PAUSE_SECONDS):
                return


@dataclass
class World:
    """Two servers before a cluster."""

    cluster: Cluster
    sites: list[Site]
    figures: dict[str, str] = field(default_factory=dict)  # of each fault, a line


@pytest.fixture(scope="module")
def world(tmp_path_factory, request) -> Iterator[World]:
    with cluster() as machines:
        settings = {
            "CAMPAIGN_SECRET_KEY": SECRET_KEY,
            "CAMPAIGN_SIGN_LIMIT": "100000 per minute",
            "CAMPAIGN_WORKERS": "1",
        }
        settings |= {"CAMPAIGN_DOMAIN_LIMIT": "0", "CAMPAIGN_MAIL_URL": "file:"}
        first = ready_site(tmp_path_factory.mktemp("first"), **settings, **machines.settings(1))
        second = Site(tmp_path_factory.mktemp("second"), **settings, **machines.settings(2))
        second.flask("init")
        with first.served(), second.served():
            world = World(machines, [first, second])
            yield world
    lines = [world.figures[fault.name] for fault in FAULTS if fault.name in world.figures]
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n\n{'fault':<31}{'gap':>7}{'errors':>8}{'acknowledged':>14}{'lost':>6}", *lines, sep="\n")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_no_acknowledged_signature_is_lost(world, fault):
    machines, load = world.cluster, Load(world.sites)
    leader = machines.redis_master if fault.of_redis else machines.primary
    machines.wait_until_whole()
    with load.signing():
        load.wait_for_more(100)
        former = leader()
        began = time.monotonic()
        undo = fault.happen(machines, former)
        if fault.of_etcd:
            wait_for(machines.runs_without_etcd, "a primary without etcd")
        else:
            wait_for(lambda: leader() not in (None, former), "another leader", seconds=60)
        load.wait_for_more(100)
        if undo:
            undo()
        machines.wait_until_whole()
        load.wait_for_more(100)
        if fault.of_redis:
            counts = machines.redis_keys()
    gap = load.longest_gap(began)
    lost = load.acknowledged.keys() - emails_in(world.sites[0])
    world.figures[fault.name] = (
        f"{fault.name:<31}{gap:>5.1f} s{load.errors.total():>8}{len(load.acknowledged):>14}{len(lost):>6}"
    )
    assert not lost
    assert load.errors.keys() <= {"503"}  # "try again in a minute"; nothing typed is lost
    assert gap < fault.longest
    if fault.of_redis:
        assert load.errors.total() == 0
        assert counts > 0, "the limits are shared again"


def emails_in(site: Site) -> set[str]:
    """Return the email addresses of all signatures that are stored."""
    printed = site.flask("signatures", "export", "--include-unconfirmed", "--key-file", str(site.key_file))
    return {row["email"] for row in csv.DictReader(io.StringIO(printed, newline=""))}
