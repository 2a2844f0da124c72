"""Serves the app in the foreground for `make run`: python -m tools.serve FILE

It stops on SIGTERM and SIGINT, when FILE is deleted (make deletes its target when it is interrupted, but does not
forward SIGINT), and when its parent process ends.
"""

import gc
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from campaign.config.settings import Settings
from campaign.errors import ConfigError
from campaign.web.event_loop import EventLoopApp
from campaign.web.kept_pages import page_cache

HOST = "127.0.0.1"
CONNECTIONS = 4096  # open ones, idle or busy; a further one waits
OPEN_FILES = CONNECTIONS + 1024  # a connection is a file, and so are databases, films and pipes
HEADER_MILLISECONDS = 5000  # a connection that has sent no whole request for so long is closed, kept alive or new
HEADER_BYTES = 128 * 1024  # of one connection, at most: they are kept in memory
DRAIN_SECONDS = 3  # a request that takes longer than this to finish is cut off
WATCH_SECONDS = 0.25


def main(flag: Path, load: Callable[[], Any] | None = None) -> None:
    """Serve what `load` returns in each worker, the app if not given, until told to stop; finish requests under way."""
    port = _free_port(os.environ.get("PORT") or "8000")
    try:
        workers = Settings.load().workers or len(os.sched_getaffinity(0))
    except ConfigError as error:
        sys.exit(f"Error: {error}")
    server = MPServer(
        "wsgi:app",
        address=HOST,
        port=port,
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
    gc.freeze()  # the workers share the modules imported so far, as long as nothing touches them
    parent = os.getppid()
    _once(lambda: not flag.exists() or os.getppid() != parent, partial(_stop, server))
    server.on_startup(partial(_announce, server))
    try:
        server.serve(target_loader=load or _load, wrap_loader=False)
    finally:
        flag.unlink(missing_ok=True)


def _announce(server: MPServer) -> None:
    # To granian, SIGHUP means fresh workers; here it means that the terminal is gone.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: _stop(server))
    print(f"Serving on http://{server.bind_addr}:{server.bind_port}/ (Ctrl-C stops)", flush=True)


def _stop(server: MPServer) -> None:
    """Request a stop from granian repeatedly, since it loses a request that arrives while it replaces a worker.

    This happens when a whole process group or control group gets SIGTERM: a worker may end before the main process.
    """

    def insist() -> None:
        while True:
            server.signal_handler_interrupt()
            time.sleep(WATCH_SECONDS)

    # In a thread: a signal handler must not wait for a lock that the interrupted code may hold.
    threading.Thread(target=insist, daemon=True).start()


def _load() -> Any:
    """Import the app, in the worker, which ends when the main process is gone."""
    parent = os.getppid()
    _once(lambda: os.getppid() != parent, lambda: os.kill(os.getpid(), signal.SIGTERM))
    from wsgi import app

    return EventLoopApp(app, page_cache(app))


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
            time.sleep(WATCH_SECONDS)
        act()

    threading.Thread(target=watch, daemon=True).start()


def _free_port(text: str) -> int:
    """Return the port as a number. It is checked here, since granian would share a port that is in use."""
    try:
        port = int(text)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except (ValueError, OverflowError):
        sys.exit(f"PORT: '{text}' is no port number")
    except OSError as error:
        sys.exit(f"{HOST}:{text} cannot be served ({error.strerror}); choose another with PORT=…")
    return port


if __name__ == "__main__":
    main(Path(sys.argv[1]))
