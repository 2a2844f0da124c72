"""Load on a server of this machine: as much as it takes (wrk), or so many requests a second (open loop)."""

import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

FORMS = Path(__file__).parent / "sign.lua"


@dataclass(frozen=True, slots=True)
class Load:
    """Answers a second, and latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float


def require_wrk() -> None:
    """Exit with the remedy unless the load generator is there."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing; tools/test-services bench installs it")


def wrk(
    url: str,
    *,
    connections: int = 32,
    seconds: float = 4,
    script: Path | None = None,
    coding: str = "",
    environment: dict[str, str] | None = None,
) -> Load:
    """Request `url` over and over, or send what the Lua `script` says; every answer must be a success."""
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency", "--timeout", "20s"]
    command += ["-H", f"Accept-Encoding: {coding}"] if coding else []
    command += ["-s", str(script)] if script else []
    printed = subprocess.run([*command, url], check=True, capture_output=True, text=True, env=environment).stdout
    if wrong := re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", printed):
        raise RuntimeError(f"{url}: {wrong[0]}")
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert per_second, printed
    return Load(float(per_second[1]), _latency(printed, "50%"), _latency(printed, "99%"))


def offered(url: str, request: bytes, *, per_second: float, seconds: float, connections: int) -> Load:
    """Send the same request at fixed times over `connections`; latencies count from when each was to be sent."""
    return asyncio.run(_offered(url, request, per_second, seconds, connections))


def get(path: str, *, coding: str) -> bytes:
    """Return a request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {coding}\r\n\r\n".encode()


async def _offered(url: str, request: bytes, per_second: float, seconds: float, connections: int) -> Load:
    address = urlsplit(url)
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(connections):
        idle.put_nowait(await asyncio.open_connection(address.hostname, address.port))
    began, times = time.perf_counter() + 0.1, []

    async def send(number: int) -> None:
        due = began + number / per_second
        await asyncio.sleep(max(0, due - time.perf_counter()))
        reader, writer = await idle.get()
        writer.write(request.replace(b"@NUMBER", str(number).encode().rjust(7, b"0")))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head[9:10] in b"23", head
        length = re.search(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        times.append((time.perf_counter() - due) * 1000)
        idle.put_nowait((reader, writer))

    await asyncio.gather(*map(send, range(int(per_second * seconds))))
    took = time.perf_counter() - began
    return Load(len(times) / took, statistics.median(times), statistics.quantiles(times, n=100)[-1])


def _latency(printed: str, quantile: str) -> float:
    match = re.search(rf"\s{quantile}\s+([\d.]+)(us|ms|s|m)\s*\n", printed)
    assert match, printed
    return float(match[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[match[2]]
