"""Runs ffmpeg and ffprobe: never by a shell, never on the network, and never longer than we live ourselves."""

import ctypes
import errno
import os
import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import IO

from campaign.errors import FilmError

# Container formats of films. Playlists, file lists and images are excluded, since they make ffmpeg open other files.
FORMATS = "mov,matroska,avi,mpegts,mpeg,mxf,flv,ogg,asf,dv,gxf,nut,yuv4mpegpipe"
MIN_VERSION = ("libx264", "aac")
DISK_FULL = "the disk is full; make room and give the same command again: it goes on where it stopped"

_QUIET = ("-hide_banner", "-nostdin", "-v", "error")
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), os.strerror(errno.EFBIG))
_PR_SET_PDEATHSIG = 1

Tick = Callable[[float], None]


def ignore(_done: float) -> None:
    """Show no progress."""


def input_options(path: Path) -> list[str]:
    """Return the options that read `path` as a file of films and as nothing else, whatever its name and content."""
    return ["-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS, "-i", f"file:{path.absolute()}"]


def encoders() -> frozenset[str]:
    """Return the names of this ffmpeg's encoders. Raises `FilmError` if it is missing or cannot encode H.264."""
    listed = output(["ffmpeg", "-hide_banner", "-encoders"]).decode(errors="replace")
    names = frozenset(re.findall(r"^ [VAS][A-Z.]{5} (\S+)", listed, re.MULTILINE))
    if missing := [name for name in MIN_VERSION if name not in names]:
        raise FilmError(f"this ffmpeg lacks {' and '.join(missing)}; install the ffmpeg of your distribution")
    if shutil.which("ffprobe") is None:
        raise FilmError("ffprobe is missing; install ffmpeg whole ('apt install ffmpeg' on Debian)")
    return names


def version() -> str:
    """Return the version of ffmpeg."""
    return output(["ffmpeg", "-version"]).decode(errors="replace").split()[2]


def encode(options: Sequence[str], *, seconds: float, folder: Path, tick: Tick = ignore) -> None:
    """Run ffmpeg with `options` in `folder`, and tell `tick` how much of `seconds` is done (0 to 1).

    Raises `FilmError` where it fails or the disk is full. Ends ffmpeg when we are interrupted.
    """
    command = ["ffmpeg", *_QUIET, "-nostats", "-progress", "pipe:1", "-y", *options]

    def read(stdout: IO[bytes]) -> None:
        for line in stdout:
            if (match := re.fullmatch(rb"out_time_us=([0-9]+)\s*", line)) and seconds:
                tick(min(int(match[1]) / 1e6 / seconds, 1))

    _run(command, read, folder=folder)


def decode(options: Sequence[str]) -> bytes:
    """Return the standard output of ffmpeg. Raises `FilmError`."""
    return output(["ffmpeg", *_QUIET, *options, "pipe:1"])


def output(command: Sequence[str]) -> bytes:
    """Return the standard output of one of ffmpeg's programs. Raises `FilmError`."""
    chunks: list[bytes] = []
    _run(command, lambda stdout: chunks.append(stdout.read()), folder=None)
    return chunks[0]


def iter_lines(command: Sequence[str], use: Callable[[bytes], None]) -> None:
    """Call `use` with each line that a program of ffmpeg writes to standard output. Raises `FilmError`."""

    def read(stdout: IO[bytes]) -> None:
        for line in stdout:
            use(line)

    _run(command, read, folder=None)


def _run(command: Sequence[str], read: Callable[[IO[bytes]], None], *, folder: Path | None) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise FilmError(f"{command[0]} is not installed; install it ('apt install ffmpeg' on Debian) and try again")
    process = subprocess.Popen(  # noqa: S603 - no shell, and paths that can be nothing else
        [program, *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,  # Ctrl-C reaches only this process, which then stops ffmpeg
        preexec_fn=_kill_with_parent,  # noqa: PLW1509 - this process has no other threads
    )
    try:
        messages = _communicate(process, read)
    finally:
        process.kill()
        process.wait()
    _require_success(command[0], process.returncode, messages)


def _communicate(process: subprocess.Popen[bytes], read: Callable[[IO[bytes]], None]) -> str:
    """Read the output of `process` until it ends, and return the end of its error output."""
    assert process.stdout is not None  # noqa: S101 - for the type checker
    assert process.stderr is not None  # noqa: S101
    messages: deque[bytes] = deque(maxlen=50)
    with process.stdout, process.stderr:
        listener = Thread(target=messages.extend, args=(process.stderr,), daemon=True)
        listener.start()
        try:
            read(process.stdout)
        except BaseException:
            process.kill()
            raise
        finally:
            listener.join()
        process.wait()
    return b"".join(messages).decode(errors="replace")


def _require_success(program: str, status: int, messages: str) -> None:
    # ffmpeg can end with 0 although a file could not be written to its end.
    if any(words in messages for words in _FULL) or status == -signal.SIGXFSZ:
        raise FilmError(DISK_FULL)
    if status:
        raise FilmError(f"{program} failed: {_last_line(messages) or f'status {status}'}")


def _last_line(messages: str) -> str:
    """Return the last complaint, without addresses in memory and names of files."""
    lines = [re.sub(r"^\[[^]]*\] |file:/\S*/", "", line) for line in messages.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _kill_with_parent() -> None:
    """Request a SIGKILL for this process when its parent is killed (prctl(2), PR_SET_PDEATHSIG)."""
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
