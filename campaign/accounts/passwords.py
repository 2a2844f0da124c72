"""Passwords: stored as Argon2id hashes, and rejected if they are easy to guess."""

from threading import Lock

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from campaign.core.capacity import PASSWORDS
from campaign.core.secret_text import normalize_secret, spelling_variants

MIN_LENGTH = 12  # characters; NIST SP 800-63B asks for 8 beside a second factor
_RATED_LENGTH = 40  # characters; the rest only makes it better, and zxcvbn takes seconds for 100 hostile ones
MIN_SCORE = 3  # of zxcvbn's 4: "safely unguessable"

_rating_unavailable: list[str] = []
_hasher = Lock()  # one at a time: each takes 64 MiB
_rating_lock = Lock()  # zxcvbn keeps the words of a call in a dictionary that all threads share


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password (libsodium's interactive limits: 64 MiB, two passes). Raises `Busy`."""
    with PASSWORDS.slot():
        return _hash(password)


def verify(password: str, password_hash: str | None) -> bool:
    """Return whether `kept` is the hash of `password`. This takes equally long if there is no hash to compare with.

    The caller must hold a slot of `capacity.PASSWORDS`.
    """
    compared = (password_hash or _dummy_hash()).encode()
    return any(_verify_hash(compared, variant) for variant in spelling_variants(password)) and password_hash is not None


def is_weak(password: str, *, least: int = MIN_LENGTH, known: tuple[str, ...] = ()) -> bool:
    """Return whether a password is short or easy to guess; `known` lists words related to its owner."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists take memory and are rarely needed

    password = normalize_secret(password)
    words = [*known, "love", "always", "wins", "lovealwayswins", "campaign", "olympic", "sochi", "allout"]
    if len(password) < least:
        return True
    with _rating_lock:
        return bool(zxcvbn(password[:_RATED_LENGTH], words, max_length=_RATED_LENGTH)["score"] < MIN_SCORE)


def _hash(password: str) -> str:
    limits = {"opslimit": argon2id.OPSLIMIT_INTERACTIVE, "memlimit": argon2id.MEMLIMIT_INTERACTIVE}
    with _hasher:
        return argon2id.str(normalize_secret(password).encode(), **limits).decode()


def _verify_hash(hashed: bytes, password: str) -> bool:
    try:
        with _hasher:
            return argon2id.verify(hashed, password.encode("utf-8", "replace"))
    except InvalidkeyError:
        return False


def _dummy_hash() -> str:
    if not _rating_unavailable:
        _rating_unavailable.append(_hash("the password of nobody"))
    return _rating_unavailable[0]
