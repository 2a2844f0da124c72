"""Looking for what a person wrote in places where it must not be."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def found_in(files: Iterable[Path], texts: Iterable[str]) -> list[str]:
    """Return the `files` that contain one of `texts`: as text, escaped, or in base64."""
    needles = [needle for text in texts for needle in _forms(text)]
    contents = ((path, path.read_bytes()) for path in files)
    return [f"{needle!r} in {path}" for path, content in contents for needle in needles if needle in content]


def _forms(text: str) -> Iterator[bytes]:
    yield from (text.encode(), text.encode("utf-16-le"), text.encode("unicode_escape"), quote(text).encode())
    for shift in range(3):  # base64 looks different at each of three places
        encoded = b64encode(bytes(shift) + text.encode())
        yield encoded[4 : len(encoded) - 4]
