"""Clients that are slow on purpose, in a process of their own:  python -m tests.chaos.slow_clients PORT KIND NUMBER.

It prints "ready" once so many connections are open, keeps as many open until standard input closes, and then prints how
many it opened in all.
"""

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.live_server import ROOT

KINDS = ("idle", "headers", "bodies", "page", "film")
PER_ADDRESS = 50  # below the limit of the shipped nginx configuration
HOST = "love.example.org"
_SLOW_HEADERS = f"GET /en/ HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: {'a' * 4000}\r\n\r\n".encode()
_FORM_HEAD = (
    f"POST /sign HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 4000\r\n\r\n"
).encode()


class Crowd:
    """Slow clients of one kind."""

    def __init__(self, port: int, kind: str, number: int, film: str) -> None:
        self._port, self._kind, self._number = port, kind, number
        self._paths = {"page": "/en/", "film": film}
        self._open, self.opened = 0, 0
        self.is_complete = asyncio.Event()
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    async def stay(self, index: int) -> None:
        """Keep one connection open, a new one whenever it is closed."""
        address = f"127.1.{index // PER_ADDRESS // 250}.{index // PER_ADDRESS % 250 + 1}"
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                client = socket.socket()
                client.setblocking(False)
                # A client that reads slowly takes little; the usual buffer would take megabytes at once.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.bind((address, 0))
                await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self._port))
                reader, writer = await asyncio.open_connection(
                    sock=client, ssl=self._tls, server_hostname=HOST, limit=1024
                )
                self._open += 1
                self.opened += 1
                if self._open >= self._number * 0.95:
                    self.is_complete.set()
                try:
                    await self._dawdle(reader, writer)
                finally:
                    self._open -= 1
                    writer.transport.abort()
            await asyncio.sleep(0.2)

    async def _dawdle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Return when the server has closed the connection."""
        if self._kind == "idle":
            await reader.read(1)
        elif self._kind in self._paths:
            writer.write(f"GET {self._paths[self._kind]} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            while await reader.read(1):
                await asyncio.sleep(1)
        else:
            writer.write(_FORM_HEAD if self._kind == "bodies" else b"")
            text = b"a" * 4000 if self._kind == "bodies" else _SLOW_HEADERS
            for position in range(len(text)):
                writer.write(text[position : position + 1])
                await writer.drain()
                with suppress(TimeoutError):
                    if not await asyncio.wait_for(reader.read(1), 1):
                        return


async def _main(port: int, kind: str, number: int, film: str) -> None:
    crowd = Crowd(port, kind, number, film)
    clients = [asyncio.ensure_future(crowd.stay(index)) for index in range(number)]
    await crowd.is_complete.wait()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for client in clients:
        client.cancel()
    print(crowd.opened, flush=True)


@contextmanager
def slow_clients(port: int, kind: str, number: int, film: str) -> Iterator[None]:
    """Keep slow clients connected within the block."""
    command = [sys.executable, "-m", "tests.chaos.slow_clients", str(port), kind, str(number), film]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.communicate(timeout=60)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
