"""Static files: served by WhiteNoise, under addresses that change with their content and so may be cached for ever."""

from hashlib import blake2b
from pathlib import Path

from flask import Flask
from whitenoise import WhiteNoise

from campaign.config import ROOT

STATIC = ROOT / "static"
_MEDIA_TYPES = {
    ".avif": "image/avif",
    ".m3u8": "application/vnd.apple.mpegurl",  # RFC 8216, 10
    ".m4s": "video/iso.segment",
    ".mjs": "text/javascript",
    ".vtt": "text/vtt",
    ".webp": "image/webp",
}


def serve(app: Flask) -> None:
    """Serve each folder of static/ under the hash of its content; `static_url` in templates gives the addresses."""
    files = _files(app)
    prefixes = {folder.name: f"static/{_content_hash(folder)}/{folder.name}" for folder in _folders()}
    for name, prefix in prefixes.items():
        files.add_files(str(STATIC / name), prefix=prefix)
    app.wsgi_app = files  # type: ignore[method-assign]

    def static_url(path: str) -> str:
        """Return the address of a file, given its path under static/. Raises `KeyError` for an unknown folder."""
        folder, _, name = path.partition("/")
        return f"/{prefixes[folder]}/{name}"

    app.jinja_env.globals["static_url"] = static_url


def serve_folder(app: Flask, folder: Path, *, prefix: str) -> None:
    """Serve the files of `folder`, which never change, below /`prefix`/."""
    files = _files(app)
    files.add_files(str(folder), prefix=prefix)
    app.wsgi_app = files  # type: ignore[method-assign]


def _files(app: Flask) -> WhiteNoise:
    return WhiteNoise(
        app.wsgi_app,
        mimetypes=_MEDIA_TYPES,
        allow_all_origins=False,
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=_headers,
    )


def _folders() -> list[Path]:
    return sorted(path for path in STATIC.iterdir() if path.is_dir())


def _content_hash(folder: Path) -> str:
    digest = blake2b(digest_size=8)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _headers(headers: dict[str, str], _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # share previews and embeds show our pictures
