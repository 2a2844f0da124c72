"""Encryption of exported files to a recipient (age-encryption.org/v1)."""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyrage

from campaign.errors import InvalidAgeKey


def require_recipient(recipient: str) -> str:
    """Return the age public key ("age1…") in `text`, without surrounding characters. Raises `InvalidAgeKey`."""
    try:
        pyrage.x25519.Recipient.from_str(recipient.strip())
    except pyrage.RecipientError:
        raise InvalidAgeKey("this is no public key of age") from None
    return recipient.strip()


def encrypt_to(chunks: Iterable[bytes], recipient: str, output: BinaryIO) -> None:
    """Write `chunks` to `output`, so that only the owner of the `recipient` key can read them."""
    source = io.BufferedReader(_Chunks(iter(chunks)))  # type: ignore[type-var]
    pyrage.encrypt_io(source, output, [pyrage.x25519.Recipient.from_str(recipient)])


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
