"""The production server: where it listens, what it says, and that it stops when it is told to."""

import gc
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from granian.constants import Interfaces
from granian.server.mp import MPServer

from campaign import server as production
from campaign.app import load_for_server
from campaign.config.settings import Settings
from campaign.config.validators import parse_bind
from tests.live_server import READY_SECONDS, Site, ready_site
from tests.services import free_port


@pytest.fixture
def handlers():
    """The signal handlers of this process, put back at the end."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_arrives_while_a_worker_is_replaced_is_not_forgotten(number):
    server = MPServer("campaign", interface=Interfaces.RSGI)
    production._begin(server, parse_bind(str(free_port())))
    os.kill(os.getpid(), number)
    assert server.main_loop_interrupt.wait(5)
    server.main_loop_interrupt.clear()  # as granian does before it replaces a worker
    assert server.main_loop_interrupt.wait(5)
    assert server.interrupt_signal


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A campaign that is not served yet, and may be on a Unix socket."""
    return ready_site(tmp_path, CAMPAIGN_BIND=f"unix:{tmp_path}/app.sock", CAMPAIGN_PROXIES="1")


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """Serve with `campaign serve` within the block, from what it prints first; it must end in order."""
    server = site.command("serve")
    try:
        yield server.stdout.readline().decode()
    finally:
        server.terminate()
        server.stdout.close()
    assert server.wait(timeout=READY_SECONDS) == 0


def ask(path: Path) -> str:
    """Return the first line that the server on the socket `path` answers with."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /en/ HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n")
        return client.recv(1024).decode().partition("\r\n")[0]


def test_it_serves_a_socket_for_a_proxy_and_says_so_when_it_answers(site, tmp_path):
    path = tmp_path / "app.sock"
    for _ in range(2):
        with serving(site) as said:
            assert said == f"Serving on unix:{path} (Ctrl-C stops)\n"
            assert ask(path) == "HTTP/1.1 200 OK"
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert not path.exists()


def test_a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not(site, tmp_path):
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with serving(site):
        assert ask(path) == "HTTP/1.1 200 OK"
        assert f"Error: CAMPAIGN_BIND: unix:{path} cannot be served (Address already in use)" in refused(site)
        assert ask(path) == "HTTP/1.1 200 OK"


def test_a_file_is_not_replaced_by_a_socket(site, tmp_path):
    (tmp_path / "app.sock").write_text("precious")
    assert "cannot be served (a file is there)" in refused(site)
    assert (tmp_path / "app.sock").read_text() == "precious"


def test_a_socket_without_a_proxy_is_refused(tmp_path):
    site = ready_site(tmp_path, CAMPAIGN_BIND=f"unix:{tmp_path}/app.sock")
    assert "Error: CAMPAIGN_PROXIES: a Unix socket is reached through a proxy" in refused(site)


def test_no_connection_to_the_database_is_shared_by_processes(ready, tmp_path):
    ready.sqlite(tmp_path)
    ready.copy_secret(tmp_path)
    app = load_for_server(Settings.load(instance=tmp_path))
    gc.collect()
    files = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert not [file for file in files if file.startswith(str(tmp_path))]
    assert app.extensions["campaign"].settings.instance == tmp_path


def test_a_port_in_use_is_refused_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        printed = refused(ready_site(tmp_path, CAMPAIGN_BIND=bind))
    assert printed == f"Error: CAMPAIGN_BIND: {bind} cannot be served (Address already in use); choose another\n"


def refused(site: Site) -> str:
    """Return what `campaign serve` prints, which must end with an error."""
    server = site.command("serve", with_errors=True)
    printed = server.communicate(timeout=READY_SECONDS)[0].decode()
    assert server.returncode == 1
    return printed
