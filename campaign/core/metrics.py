"""Metrics of a server for Prometheus: numbers of events and states, none of them about a person.

Each process counts for itself, in a file that all processes of the server can read: prometheus-client's multi-process
mode. The files are in memory (/dev/shm) where there is such a place: a process that writes to a mapped file on a full
disk is killed.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it is private
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # limits of the histogram
_PREFIX = "campaign-metrics-"
_LOCK = "lock"


class Metrics:
    """The metrics that code counts in. Those that are read when somebody asks are in `web.public.metrics`."""

    def __init__(self, folder: Path | None = None) -> None:
        """Count in `folder`, for all processes of a server; in memory, for this process only, if it is None."""
        self._folder = folder
        self._lock: int | None = None
        if folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = values.MultiProcessValue() if folder else values.MutexValue  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "campaign_requests", "Requests by endpoint and status.", ["endpoint", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "campaign_request_seconds",
            "Seconds from a request, with its body, to the beginning of its response.",
            ["endpoint"],
            buckets=SECONDS,
            registry=registry,
        )
        self.busy_threads = Gauge(
            "campaign_busy_threads", "Threads that work on a request.", multiprocess_mode="livesum", registry=registry
        )
        self.sign_forms = Counter(
            "campaign_sign_forms",
            "Sign forms by result: accepted, refused (the form has errors), limited (too many), failed.",
            ["result"],
            registry=registry,
        )
        self.logins = Counter(
            "campaign_logins",
            "Steps of a log-in by result: succeeded, refused, limited.",
            ["result"],
            registry=registry,
        )
        self.key_tasks = Counter(
            "campaign_key_tasks",
            "Tasks for which an organiser opened the keys: exports and others.",
            ["task"],
            registry=registry,
        )
        self.emails = Counter(
            "campaign_emails",
            "Messages by result: sent, refused (perhaps sent later), given_up, failed (by our fault).",
            ["result"],
            registry=registry,
        )
        self.redis_fallback = Gauge(
            "campaign_redis_fallback",
            "1 while a process counts towards the limits by itself, since Redis failed.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.connections_in_use = Gauge(
            "campaign_database_connections_in_use",
            "Database connections in use.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.maintenance = Gauge(
            "campaign_maintenance_timestamp_seconds",
            "When the task of maintenance last succeeded, in seconds since 1970.",
            ["task"],
            multiprocess_mode="max",
            registry=registry,
        )

    @classmethod
    def of_server(cls, instance: Path) -> Self:
        """Return metrics that this process shares with those that it forks; those of servers that ended are removed."""
        folder, lock = _make_folder(instance)
        metrics = cls(folder)
        metrics._lock = lock  # open as long as this process and its children
        return metrics

    def exposition(self, collectors: Iterable["Collector"] = ()) -> bytes:
        """Return all metrics, and those of `collectors`, in Prometheus's text format 0.0.4."""
        registry = CollectorRegistry()
        if self._folder:
            _forget_ended_processes(self._folder)
            MultiProcessCollector(registry, path=str(self._folder))  # type: ignore[no-untyped-call]
        else:
            registry.register(self._registry)
        for collector in collectors:
            registry.register(collector)
        return generate_latest(registry)


def _make_folder(instance: Path) -> tuple[Path, int]:
    """Make a folder for the metrics of a server. Returns it with its lock, and removes those that nobody locks."""
    parent = MEMORY if os.access(MEMORY, os.W_OK) else instance
    for folder in parent.glob(f"{_PREFIX}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    draft = Path(mkdtemp(prefix=f".{_PREFIX}", dir=parent))
    lock = os.open(draft / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return draft.rename(parent / draft.name.removeprefix(".")), lock


def _is_abandoned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:  # somebody else's, or being made
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _forget_ended_processes(folder: Path) -> None:
    """Drop the states of processes that have ended; what they counted stays."""
    for path in folder.glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        if not Path(f"/proc/{pid}").exists():
            with suppress(FileNotFoundError):  # another process is at the same
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
