"""Encryption of exported files to a recipient (age-encryption.org/v1)."""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyrage

from campaign.errors import InvalidAgeKey

_HEADER = b"age-encryption.org/v1\n"


def require_recipient(recipient: str) -> str:
    """Return the age public key ("age1…") in `text`, without surrounding characters. Raises `InvalidAgeKey`."""
    try:
        pyrage.x25519.Recipient.from_str(recipient.strip())
    except pyrage.RecipientError:
        raise InvalidAgeKey("this is no public key of age") from None
    return recipient.strip()


def encrypt_to(chunks: Iterable[bytes], recipient: str, output: BinaryIO) -> None:
    """Write `chunks` to `output`, so that only the owner of the `recipient` key can read them."""
    encrypt_file(io.BufferedReader(_Chunks(iter(chunks))), recipient, output)  # type: ignore[type-var]


def encrypt_file(source: BinaryIO, recipient: str, output: BinaryIO) -> None:
    """Write what `source` holds to `output`, encrypted likewise."""
    pyrage.encrypt_io(source, output, [pyrage.x25519.Recipient.from_str(recipient)])


def is_encrypted(file: BinaryIO) -> bool:
    """Return whether `file` begins as age's files do; it is read from its start afterwards."""
    start = file.read(len(_HEADER))
    file.seek(0)
    return start == _HEADER


class _Chunks(io.RawIOBase):
    """Chunks as something to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._rest = self._rest or next(self._chunks, b"")
        chunk, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)
