"""Static files: served by WhiteNoise, under addresses that change with their content and so may be cached for ever."""

import os
import shutil
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from campaign.config import ROOT, Settings

STATIC = ROOT / "static"
KEPT = 3  # versions: pages that were open or cached when a new one came ask for the files of the old
_PACKED = ("css", "icons", "js", "vendor")  # what a server sends compressed; films are so already
_MEDIA_TYPES = {
    ".avif": "image/avif",
    ".m3u8": "application/vnd.apple.mpegurl",  # RFC 8216, 10
    ".m4s": "video/iso.segment",
    ".mjs": "text/javascript",
    ".vtt": "text/vtt",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def prepare(settings: Settings) -> None:
    """Lay compressed copies of the static files into the instance folder; those of the last versions stay there."""
    for name in _PACKED:
        target = _packed(settings) / name / _hashes()[name]
        if not target.exists():
            _pack(STATIC / name, target)
        os.utime(target)
        others = [path for path in target.parent.iterdir() if path != target]
        for old in sorted(others, key=_last_used, reverse=True)[KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)


def serve(app: Flask, settings: Settings) -> None:
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
    for name in _PACKED:
        for folder in (_packed(settings) / name).glob("*"):
            yield folder, f"static/{folder.name}/{name}"  # added later, so the compressed ones win


def _packed(settings: Settings) -> Path:
    return settings.instance / "static"


def _last_used(folder: Path) -> float:
    """When a server last began with this folder, in seconds since 1970; what is gone is old."""
    return folder.stat().st_mtime if folder.exists() else 0


def _pack(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(mkdtemp(dir=target.parent.parent))
    shutil.copytree(source, made, dirs_exist_ok=True)
    compressor = Compressor(quiet=True)
    for path in [path for path in made.rglob("*") if path.is_file() and compressor.should_compress(path.name)]:
        compressor.compress(str(path))
    try:
        made.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(made)


def _files(app: Flask) -> WhiteNoise:
    return WhiteNoise(
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
