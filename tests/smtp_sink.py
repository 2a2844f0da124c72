"""An SMTP server as a process of its own that notes to whom each message went:  python -m tests.smtp_sink PORT FILE."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOBase
from pathlib import Path

from aiosmtpd.smtp import SMTP

from tests.services import free_port

ROOT = Path(__file__).parent.parent


class Noting:
    """Takes every message and writes a line with its recipient."""

    def __init__(self, file: TextIOBase) -> None:
        self._file = file

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self._file.write(f"{envelope.rcpt_tos[0]}\n")
        self._file.flush()
        return "250 OK"


async def serve(port: int, file: TextIOBase) -> None:
    """Serve until this process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Noting(file), loop=loop), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


@contextmanager
def sink(path: Path) -> Iterator[int]:
    """Run a sink that notes recipients in `path`; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "tests.smtp_sink", str(port), str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        try:
            yield port
        finally:
            process.terminate()


if __name__ == "__main__":
    with open(sys.argv[2], "a") as noted:  # noqa: PTH123
        asyncio.run(serve(int(sys.argv[1]), noted))
