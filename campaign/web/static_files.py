"""Static files: served by WhiteNoise, with content hashes in their URLs, so that caches can keep them permanently.

A client that reads a large file slowly, or pauses a film, keeps it open, so their number is bounded.
"""

import os
import shutil
from collections.abc import Iterator
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp
from threading import Semaphore
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wsgi import ClosingIterator
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from campaign.config.paths import STATIC
from campaign.config.settings import Settings
from campaign.core.capacity import Slot
from campaign.web.negotiation import refuse_busy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from whitenoise.responders import StaticFile

MAX_VERSIONS = 3  # versions: pages that were open or cached when a new one came ask for the files of the old
MAX_BUFFERED = 256 * 1024  # bytes; shorter files are sent whole
MAX_SENDING = 500  # larger files, each an open one
_COMPRESSED = ("css", "icons", "js", "vendor")  # folders with compressible files; films are compressed already
_BLOCK = 64 * 1024  # bytes; a client that pauses a film keeps one in memory
_MEDIA_TYPES = {
    ".avif": "image/avif",
    ".m3u8": "application/vnd.apple.mpegurl",  # RFC 8216, 10
    ".m4s": "video/iso.segment",
    ".mjs": "text/javascript",
    ".vtt": "text/vtt",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def compress_files(settings: Settings) -> None:
    """Create compressed copies of the static files in the instance folder, and keep those of the last few versions."""
    for name in _COMPRESSED:
        target = _compressed_dir(settings) / name / _hashes()[name]
        if not target.exists():
            _compress(STATIC / name, target)
        os.utime(target)
        others = [path for path in target.parent.iterdir() if path != target]
        for old in sorted(others, key=_last_used, reverse=True)[MAX_VERSIONS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)


def init_static(app: Flask, settings: Settings) -> None:
    """Serve each folder of static/ under the hash of its content; `static_url` in templates gives the addresses."""
    files = _files(app)
    for folder, prefix in _places(settings):
        files.add_files(str(folder), prefix=prefix)
    app.wsgi_app = files  # type: ignore[method-assign]
    app.jinja_env.globals["static_url"] = static_url


def serve_folder(app: Flask, folder: Path, *, prefix: str) -> None:
    """Serve the files of `folder`, which never change, below /`prefix`/."""
    files = _files(app)
    files.add_files(str(folder), prefix=prefix)
    app.wsgi_app = files  # type: ignore[method-assign]


def static_url(path: str) -> str:
    """Return the address of a file, given its path under static/. Raises `KeyError` for an unknown folder."""
    folder, _, name = path.partition("/")
    return f"/static/{_hashes()[folder]}/{folder}/{name}"


def _places(settings: Settings) -> Iterator[tuple[Path, str]]:
    """Yield the folders to serve, each with the start of its addresses."""
    for name, content in _hashes().items():
        yield STATIC / name, f"static/{content}/{name}"
    for name in _COMPRESSED:
        for folder in (_compressed_dir(settings) / name).glob("*"):
            yield folder, f"static/{folder.name}/{name}"  # added later, so the compressed ones win


def _compressed_dir(settings: Settings) -> Path:
    return settings.instance / "static"


def _last_used(folder: Path) -> float:
    """Return when a server last started with this folder, in seconds since 1970; 0 if it is gone."""
    return folder.stat().st_mtime if folder.exists() else 0


def _compress(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=target.parent.parent))
    shutil.copytree(source, draft, dirs_exist_ok=True)
    compressor = Compressor(quiet=True)
    for path in [path for path in draft.rglob("*") if path.is_file() and compressor.should_compress(path.name)]:
        compressor.compress(str(path))
    try:
        draft.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(draft)


_sending = Semaphore(MAX_SENDING)


class _Files(WhiteNoise):  # type: ignore[misc]
    """WhiteNoise with at most `MAX_SENDING` concurrent downloads of large files; further requests get 503."""

    @staticmethod
    def serve(
        static_file: "StaticFile", environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Respond with a file, or with the response that conditional and range headers require."""
        answer = static_file.get_response(environ["REQUEST_METHOD"], environ)
        file, headers, status = answer.file, list(answer.headers), f"{answer.status} {answer.status.phrase}"
        if file is None:
            start_response(status, headers)
            return []
        if int(dict(headers)["Content-Length"]) < MAX_BUFFERED:
            start_response(status, headers)
            with file:
                return [file.read()]
        if not _sending.acquire(blocking=False):
            file.close()
            return refuse_busy(start_response, "503 Service Unavailable", "Many people are loading the film just now.")
        start_response(status, headers)
        return ClosingIterator(iter(partial(file.read, _BLOCK), b""), [file.close, Slot(_sending).release])


def _files(app: Flask) -> WhiteNoise:
    return _Files(
        app.wsgi_app,
        mimetypes=_MEDIA_TYPES,
        allow_all_origins=False,
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=_headers,
    )


@cache
def _hashes() -> dict[str, str]:
    """Return the folders of static/, each with the hash of its content."""
    return {path.name: _content_hash(path) for path in sorted(STATIC.iterdir()) if path.is_dir()}


def _content_hash(folder: Path) -> str:
    digest = blake2b(digest_size=8)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _headers(headers: dict[str, str], _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # share previews and embeds show our pictures
