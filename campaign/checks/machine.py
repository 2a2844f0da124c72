"""Checks of the machine: files, disks, clock, limits of the process."""

import ctypes
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from campaign.checks.configuration import is_public
from campaign.checks.finding import Finding
from campaign.config.settings import Settings
from campaign.core.disk_space import disk_status

SLOW_SYNC_SECONDS = 0.02  # a batch of signatures waits for one
OPEN_FILES = 8192
_SYNCS = 11
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "fuse.glusterfs", "fuse.sshfs"}
_OTHERS = 0o077  # the bits of a file's mode for everybody but its owner


def file_modes(settings: Settings) -> Iterator[Finding]:
    """Only their owner can read the files of the campaign."""
    for path in (
        settings.instance,
        settings.instance / "secret.key",
        settings.mail_folder(),
        *_database_files(settings),
    ):
        if path.exists() and path.stat().st_mode & _OTHERS:
            yield Finding(
                "error",
                f"other users of this machine may read {path}",
                "It holds the campaign's secrets or people's data.",
                f"chmod go= {path}",
            )
        if path.exists() and path.stat().st_uid != os.geteuid():
            yield Finding(
                "error",
                f"{path} belongs to another user than the one that runs this command",
                "The server may not be able to write to it.",
                f"chown {os.geteuid()} {path}, or run the command as the user of the server",
            )


def disk_space(settings: Settings) -> Iterator[Finding]:
    """There is room for the data."""
    status = disk_status(settings)
    if status != "enough":
        yield Finding(
            "error" if status == "full" else "warning",
            f"the disk of {settings.instance} is {'full' if status == 'full' else 'nearly full'}",
            "Without space nobody can sign; /readyz then answers 503.",
            f"df -h {settings.instance}; delete what is not needed, or move CAMPAIGN_INSTANCE to a larger disk",
        )


def disk_speed(settings: Settings) -> Iterator[Finding]:
    """The disk confirms quickly that data is stored."""
    seconds = sync_seconds(settings.instance)
    if seconds > SLOW_SYNC_SECONDS:
        yield Finding(
            "warning",
            f"the disk of {settings.instance} takes {seconds * 1000:.0f} ms to store a block (fsync)",
            "Each signature waits for it, so that a power cut loses none.",
            "a local SSD, or a database on another machine",
        )


def sync_seconds(folder: Path) -> float:
    """Return how long `fsync` of a small block takes in `folder`: the median of several."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def network_disk(settings: Settings) -> Iterator[Finding]:
    """SQLite's file is on a disk of this machine."""
    for path in _database_files(settings):
        if (kind := _file_system(path, Path("/proc/self/mounts"))) in _NETWORK_FILE_SYSTEMS:
            yield Finding(
                "error",
                f"the SQLite database {path} is on a network disk ({kind})",
                "SQLite cannot be shared by machines: its locks do not work there, and data is lost.",
                "CAMPAIGN_DATABASE_URL=postgresql://…, or CAMPAIGN_INSTANCE on a local disk",
            )


def clock(_settings: Settings) -> Iterator[Finding]:
    """The clock is synchronised."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # all zero: only reads
    except (OSError, AttributeError):  # elsewhere than on Linux
        return
    if state == _TIME_ERROR:
        yield Finding(
            "warning",
            "the clock of this machine is not synchronised",
            "With a wrong clock, links expire at the wrong time and codes of authenticator apps are refused.",
            "apt install systemd-timesyncd && timedatectl set-ntp true",
        )


def open_files(settings: Settings) -> Iterator[Finding]:
    """The process may open enough files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES and is_public(settings):
        yield Finding(
            "warning",
            f"a process may open only {hard} files",
            "Each visitor's connection is one; further visitors are refused.",
            f"LimitNOFILE={OPEN_FILES} in the systemd unit, or ulimit -n {OPEN_FILES}",
        )


def user(settings: Settings) -> Iterator[Finding]:
    """The server does not run as root."""
    if os.geteuid() == 0 and is_public(settings):
        yield Finding(
            "warning",
            "this command runs as root, and so may the server",
            "A fault in the server would give an attacker the whole machine.",
            "run both as a user of their own (User= in a systemd unit)",
        )


def _database_files(settings: Settings) -> list[Path]:
    url = make_url(settings.database())
    return [Path(url.database or "").absolute()] if url.drivername.startswith("sqlite") else []


def _file_system(path: Path, mounts: Path) -> str:
    """Return the kind of file system that `path` is on, given the system's table of mounts; empty if unknown."""
    lines = mounts.read_text().splitlines() if mounts.exists() else []
    kinds = {Path(mount.replace("\\040", " ")): kind for _, mount, kind, *_ in (line.split() for line in lines)}
    return next((kinds[folder] for folder in [path, *path.parents] if folder in kinds), "")
