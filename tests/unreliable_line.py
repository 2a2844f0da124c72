"""A line to a server that a test can cut, freeze and mend: what a database does when it dies, hangs or comes back."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from urllib.parse import urlsplit


class Line:
    """Passes on what connections to `port` send to `target`, and back."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._flows = Event()
        self._flows.set()
        self._lock = Lock()
        self._ends: list[socket.socket] = []
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        # Shut down first: a thread that waits in accept() would keep the port open.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for end in self._ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)  # the threads that use it close it
            self._ends.clear()
        self._flows.set()

    def freeze(self) -> None:
        """Pass nothing on, and keep all connections: new ones are accepted too."""
        self._flows.clear()

    def mend(self) -> None:
        """Pass everything on again, and accept connections."""
        self._flows.set()
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            self._keep(near)
            self._flows.wait()
            with socket.create_connection(self._target) as far:
                self._keep(far)
                back = Thread(target=self._pass_on, args=(far, near), daemon=True)
                back.start()
                self._pass_on(near, far)
                back.join()

    def _keep(self, end: socket.socket) -> None:
        with self._lock:
            self._ends.append(end)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(url: str) -> Iterator[tuple[Line, str]]:
    """Yield a line to the server at `url`, and the URL that uses it."""
    parts = urlsplit(url)
    line = Line((parts.hostname or "", parts.port or 0))
    try:
        yield line, parts._replace(netloc=f"{parts.username}@127.0.0.1:{line.port}").geturl()
    finally:
        line.cut()
