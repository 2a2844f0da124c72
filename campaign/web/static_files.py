"""Static files: served by WhiteNoise, with content hashes in their URLs, so that caches can keep them permanently.

A client that reads a large file slowly, or pauses a film, keeps it open, so their number is bounded.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp
from threading import Semaphore
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.wsgi import ClosingIterator
from whitenoise import WhiteNoise
from whitenoise.base import decode_path_info
from whitenoise.compress import Compressor

from campaign.config.paths import STATIC
from campaign.config.settings import Settings
from campaign.core.capacity import Slot
from campaign.web.negotiation import refuse_busy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from whitenoise.responders import StaticFile

MAX_VERSIONS = 3  # versions: pages that were open or cached when a new one came ask for the files of the old
MAX_BUFFERED = 256 * 1024  # bytes; shorter files are sent whole
BRIEF_SECONDS = 60  # for caches, of a file that answers for another version
MAX_SENDING = 500  # larger files, each an open one
_COMPRESSED = ("css", "icons", "js", "vendor")  # folders with compressible files; films are compressed already
_VERSION = "[0-9a-f]{16}"
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
            _copy(STATIC / name, target)
        _keep_newest(target)


def export_files(folder: Path) -> int:
    """Add the static files to `folder`, as a proxy or a CDN can serve them, beside those of the last releases.

    Below it, each file has the path of its address, with compressed copies beside it. Returns the number of folders
    that were not there yet. Raises `OSError`.
    """
    added = 0
    for name, content in _hashes().items():
        # As addresses have it, the version comes first. By name, the versions of one folder can be told apart.
        target = folder / "static" / content / name
        if not target.exists():
            _copy(STATIC / name, target)
            added += 1
        _keep_newest(target, others=[path for path in folder.glob(f"static/*/{name}") if path != target])
    for version in (folder / "static").iterdir():
        with suppress(OSError):  # not empty
            version.rmdir()
    return added


def init_static(app: Flask, settings: Settings) -> None:
    """Serve each folder of static/ under the hash of its content; `static_url` in templates gives the addresses."""
    files = _files(app)
    for folder, prefix in _places(settings):
        files.add_files(str(folder), prefix=prefix)
    for name, content in _hashes().items():
        files.replace_unknown_versions(f"/static/{{}}/{name}/", content)
    app.wsgi_app = files  # type: ignore[method-assign]
    app.jinja_env.globals["static_url"] = static_url


def serve_folder(app: Flask, folder: Path, *, prefix: str) -> None:
    """Serve the files of `folder`, a version that never changes, below /`prefix`/NAME OF THE FOLDER/."""
    files = _files(app)
    files.add_files(str(folder), prefix=f"{prefix}/{folder.name}")
    files.replace_unknown_versions(f"/{prefix}/{{}}/", folder.name)
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


def _keep_newest(target: Path, others: Iterable[Path] | None = None) -> None:
    """Keep `target` and those of the `others`, its neighbours by default, that were used last."""
    os.utime(target)
    others = [path for path in target.parent.iterdir() if path != target] if others is None else others
    for old in sorted(others, key=_last_used, reverse=True)[MAX_VERSIONS - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder, with compressed copies of what can be compressed; `target` appears only when it is complete."""
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
    """WhiteNoise with at most `MAX_SENDING` concurrent downloads of large files; further requests get 503.

    Pages of another version, of an open tab, a cache or another server, ask for files under a version that is not here.
    They get the file that is here instead, for a minute only.
    """

    def __init__(self, app: "WSGIApplication", **options: Any) -> None:
        super().__init__(app, **options)
        self._versions: list[tuple[re.Pattern[str], str]] = []

    def replace_unknown_versions(self, path: str, version: str) -> None:
        """Answer with `version` if another one is asked for below `path`, in which {} stands for a version."""
        self._versions.append((re.compile(path.format(_VERSION)), path.format(version)))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Answer with a file, or pass the request on."""
        path = decode_path_info(environ.get("PATH_INFO", ""))
        if file := self.files.get(path):
            return self.serve(file, environ, start_response)
        for pattern, prefix in self._versions:
            if (match := pattern.match(path)) and (file := self.files.get(prefix + path[match.end() :])):
                return self.serve(file, environ, partial(_start_briefly, start_response))
        answer: Iterable[bytes] = self.application(environ, start_response)
        return answer

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


def _files(app: Flask) -> _Files:
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


def _start_briefly(start_response: "StartResponse", status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
    kept = [(name, value) for name, value in headers if name != "Cache-Control"]
    return start_response(status, [*kept, ("Cache-Control", f"public, max-age={BRIEF_SECONDS}")], *rest)


def _headers(headers: dict[str, str], _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # share previews and embeds show our pictures
