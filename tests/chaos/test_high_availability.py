"""The cluster of deploy/ha under load while its machines fail: every signature that was acknowledged is stored."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.chaos.cluster import NODES, Cluster, cluster, why_no_cluster
from tests.chaos.load import Load, print_table
from tests.live_server import Site, ready_site, wait_for

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.skipif(why_no_cluster() is not None, reason=str(why_no_cluster())),
]

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
    print_table(request, lines)


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
    lost = load.lost()
    world.figures[fault.name] = load.figures(fault.name, gap, lost)
    assert not lost
    assert load.errors.keys() <= {"503"}  # "try again in a minute"; nothing typed is lost
    assert gap < fault.longest
    if fault.of_redis:
        assert load.errors.total() == 0
        assert counts > 0, "the limits are shared again"
