"""The production server: granian, with the campaign loaded once and shared by its worker processes."""

import errno
import gc
import multiprocessing
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from campaign.config.validators import Bind
from campaign.errors import ConfigError

CONNECTIONS = 4096  # open ones, idle or busy; a further one waits
OPEN_FILES = CONNECTIONS + 1024  # a connection is a file, and so are databases, films and pipes
HEADER_MILLISECONDS = 5000  # a connection that has sent no whole request for so long is closed, kept alive or new
HEADER_BYTES = 128 * 1024  # of one connection, at most: they are kept in memory
DRAIN_SECONDS = 3  # a request that takes longer than this to finish is cut off
SOCKET_MODE = 0o660  # of a Unix socket: for the user of the server, and for a proxy in its group
WATCH_SECONDS = 0.25

_wait = threading.Event().wait
_PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def run(load: Callable[[], Any], bind: Bind, workers: int = 1, *, stops_when: Callable[[], bool] | None = None) -> None:
    """Serve what `load` returns in each of `workers` processes, until told to stop; finish requests under way.

    It is told by SIGTERM, SIGINT or SIGHUP, or when `stops_when`, called four times a second, returns true. Once the
    server answers, its address is printed. Raises `ConfigError` if `bind` cannot be used.
    """
    _require_free(bind)
    server = MPServer(
        "campaign",
        address=bind.host,
        port=bind.port,
        uds=bind.socket,
        uds_permissions=SOCKET_MODE,
        workers=workers,
        interface=Interfaces.RSGI,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,  # HTTP/2 has no header time-out, and no browser speaks it without TLS
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=HEADER_BYTES),
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=DRAIN_SECONDS,
        respawn_failed_workers=True,
    )
    _allow_open_files()
    _give_workers_their_own_signals()
    gc.collect()
    gc.freeze()  # the workers share all memory of now, as long as nothing touches it
    if stops_when:
        _once(stops_when, partial(_stop, server))
    server.on_startup(partial(_begin, server, bind))
    server.serve(target_loader=partial(_in_worker, load), wrap_loader=False)


def _begin(server: MPServer, bind: Bind) -> None:
    # To granian, SIGHUP means fresh workers; here it means that the terminal is gone.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: _stop(server))
    threading.Thread(target=_announce, args=(server, bind), daemon=True).start()


def _announce(server: MPServer, bind: Bind) -> None:
    """Print the address once a request is answered there."""
    while not _answers(bind):
        if server.interrupt_signal:
            return
        _wait(WATCH_SECONDS / 10)
    where = bind if bind.socket else f"http://{bind}/"
    print(f"Serving on {where} (Ctrl-C stops)", flush=True)


def _answers(bind: Bind) -> bool:
    try:
        with _connected(bind) as client:
            client.sendall(_PROBE)
            return client.recv(1024).startswith(b"HTTP/1.1 200 ")
    except OSError:  # no worker yet, or one that ended
        return False


def _connected(bind: Bind) -> socket.socket:
    """Return a connection to the server from this machine. Raises `OSError`."""
    if not bind.socket:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host)  # noqa: S104 - all addresses
        return socket.create_connection((host, bind.port))
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(str(bind.socket))
    except OSError:
        client.close()
        raise
    return client


def _stop(server: MPServer) -> None:
    """Request a stop from granian repeatedly, since it loses a request that arrives while it replaces a worker.

    This happens when a whole process group or control group gets SIGTERM: a worker may end before the main process.
    """

    def insist() -> None:
        while True:
            server.signal_handler_interrupt()  # type: ignore[no-untyped-call]
            _wait(WATCH_SECONDS)

    # In a thread: a signal handler must not wait for a lock that the interrupted code may hold.
    threading.Thread(target=insist, daemon=True).start()


def _in_worker(load: Callable[[], Any]) -> Any:
    """Load the application, in the worker, which ends when the main process is gone."""
    parent = os.getppid()
    _once(lambda: os.getppid() != parent, lambda: os.kill(os.getpid(), signal.SIGTERM))
    return load()


def _allow_open_files() -> None:
    """Raise the limit on open files, often 1,024, as far as this process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _give_workers_their_own_signals() -> None:
    """Restore the default SIGTERM in workers: a worker that is still starting would ignore it otherwise.

    SIGINT stays blocked there. Ctrl-C reaches the whole group, and only the main process decides to stop.
    """
    signals = {signal.SIGTERM, signal.SIGINT}

    def in_worker() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signals),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, signals),
        after_in_child=in_worker,
    )
    multiprocessing.set_start_method("fork")


def _once(happened: Callable[[], bool], act: Callable[[], None]) -> None:
    def watch() -> None:
        while not happened():
            _wait(WATCH_SECONDS)
        act()

    threading.Thread(target=watch, daemon=True).start()


def _require_free(bind: Bind) -> None:
    """Raise `ConfigError` if `bind` cannot be listened on; granian would share a port that is in use."""
    try:
        if bind.socket:
            _require_free_socket(bind)
            return
        family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bind.host, bind.port))
    except OSError as error:
        raise ConfigError(f"CAMPAIGN_BIND: {bind} cannot be served ({error.strerror}); choose another") from None


def _require_free_socket(bind: Bind) -> None:
    """Raise `OSError` if somebody listens on the socket; remove one that was left behind."""
    path = Path(str(bind.socket))
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, f"{path.parent} is not a folder that this user may write to")
    if not path.exists():
        return
    if not path.is_socket():
        raise FileExistsError(errno.EEXIST, "a file is there")
    try:
        _connected(bind).close()
    except ConnectionRefusedError:
        path.unlink()
    else:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
