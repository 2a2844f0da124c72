"""Passwords: kept as Argon2id hashes, and refused where they could be guessed."""

from threading import Lock

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from campaign.core.capacity import PASSWORDS
from campaign.core.secret_text import normalised, secret_variants

LEAST = 12  # characters; NIST SP 800-63B asks for 8 beside a second factor
_LOOKED_AT = 40  # characters; the rest only makes it better, and zxcvbn takes seconds for 100 hostile ones
STRONG = 3  # of zxcvbn's 4: "safely unguessable"

_nobody: list[str] = []
_hashing = Lock()  # one at a time: each takes 64 MiB
_rating = Lock()  # zxcvbn keeps the words of a call in a dictionary that all threads share


def hashed(password: str) -> str:
    """Return the Argon2id hash of a password (libsodium's interactive limits: 64 MiB, two passes). Raises `Busy`."""
    with PASSWORDS.slot():
        return _hash(password)


def is_right(password: str, kept: str | None) -> bool:
    """Return whether `kept` was made of `password`; takes as long where there is nothing to compare with.

    The caller holds one of `capacity.PASSWORDS`.
    """
    compared = (kept or _anybodys()).encode()
    return any(_matches(compared, variant) for variant in secret_variants(password)) and kept is not None


def is_weak(password: str, *, least: int = LEAST, known: tuple[str, ...] = ()) -> bool:
    """Tell whether a password is short or easily guessed, by who knows the words of `known` about its owner too."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists of words take memory, and are seldom needed

    password = normalised(password)
    words = [*known, "love", "always", "wins", "lovealwayswins", "campaign", "olympic", "sochi", "allout"]
    if len(password) < least:
        return True
    with _rating:
        return bool(zxcvbn(password[:_LOOKED_AT], words, max_length=_LOOKED_AT)["score"] < STRONG)


def _hash(password: str) -> str:
    limits = {"opslimit": argon2id.OPSLIMIT_INTERACTIVE, "memlimit": argon2id.MEMLIMIT_INTERACTIVE}
    with _hashing:
        return argon2id.str(normalised(password).encode(), **limits).decode()


def _matches(hashed: bytes, password: str) -> bool:
    try:
        with _hashing:
            return argon2id.verify(hashed, password.encode("utf-8", "replace"))
    except InvalidkeyError:
        return False


def _anybodys() -> str:
    if not _nobody:
        _nobody.append(_hash("the password of nobody"))
    return _nobody[0]
