"""Data keys: personal data is encrypted on arrival, so that the server cannot read it back.

Each process keeps a data key only in memory, and stores it encrypted to the campaign's public key. A person's fields
are one blob under that data key (XChaCha20-Poly1305), bound to the signature's id. Only recovery keys and key holders
can decrypt data keys.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from threading import Lock
from typing import Any, cast
from uuid import UUID

from nacl._sodium import ffi, lib
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import Aead
from nacl.utils import random
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, new_id, transaction
from campaign.crypto.padding import pad
from campaign.errors import DecryptionFailed, NoCampaignKey
from campaign.models import CampaignKey, DataKey

KEY_SECONDS = 3600
KEY_ROWS = 100_000
CHECK_SECONDS = 60
_BLOCK = 64  # bytes; plaintext is padded to a multiple of it, so that the length says less
ENCRYPTED_KEY_BYTES = 80  # libsodium: crypto_box_SEALBYTES, 48, and the key
_NONCE = Aead.NONCE_SIZE
_VERSION = b"\x01"  # of the plaintext: this byte, then a JSON array of the fields of `Person`, in UTF-8
_UNVERSIONED = b"["  # of the former release: the JSON array without a version before it
_BUFFER_BYTES = 64 * 1024  # more than the longest form that is accepted
MIN_BLOB_BYTES = Aead.NONCE_SIZE + _BLOCK + Aead.MACBYTES

_scan_json: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # ignores the padding after the JSON value
_decrypt = lib.crypto_aead_xchacha20poly1305_ietf_decrypt


@dataclass(frozen=True, slots=True)
class Person:
    """The encrypted fields of a signature."""

    given_name: str
    family_name: str
    email: str
    message: str


@dataclass(frozen=True, slots=True)
class EncryptedPerson:
    """An encrypted `Person`, and the id of its data key."""

    data_key_id: UUID
    blob: bytes


class DataKeys:
    """The data key of this process, in memory only; a new one after an hour or 100,000 rows. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows_left = 0
        self._expires = self._checked = 0.0
        self._key: Aead | None = None

    def encrypt(self, session: Session, person: Person, *, identity: UUID) -> EncryptedPerson:
        """Encrypt `person` for the row `identity`. Raises `NoCampaignKey`.

        A new data key is committed first, in a transaction of its own: call this outside of any other.
        """
        with self._lock:
            if self._rows_left == 0 or time.monotonic() > self._expires or self._is_superseded(session):
                self._renew(session)
            self._rows_left -= 1
            key, key_id = cast("Aead", self._key), self._key_id
        blob = key.encrypt(_serialize(person), aad=identity.bytes)
        return EncryptedPerson(key_id, bytes(blob))

    def discard_expired(self) -> None:
        """Discard an expired key, even if nobody signs for a long time."""
        with self._lock:
            if time.monotonic() > self._expires:
                self._rows_left, self._key = 0, None

    def _is_superseded(self, session: Session) -> bool:
        """Return, checking once a minute, whether there is a newer campaign key than the one used for the data key."""
        now = time.monotonic()
        if now < self._checked + CHECK_SECONDS:
            return False
        self._checked = now
        return bool(_newest_campaign_key(session).id != self._campaign_key_id)

    def _renew(self, session: Session) -> None:
        raw, key_id = random(Aead.KEY_SIZE), new_id()
        campaign_key = _newest_campaign_key(session)
        encrypted_key = SealedBox(PublicKey(campaign_key.public_key)).encrypt(raw)
        with transaction(session):
            row = {"id": key_id, "campaign_key_id": campaign_key.id, "encrypted_key": encrypted_key}
            session.execute(insert(session, DataKey).values(**row))
        self._key, self._key_id, self._campaign_key_id = Aead(raw), key_id, campaign_key.id
        self._checked = time.monotonic()
        self._rows_left, self._expires = KEY_ROWS, self._checked + KEY_SECONDS


class Decryptor:
    """Decrypts signatures with the private halves of one or more campaign keys."""

    def __init__(self, session: Session, private_keys: Iterable[PrivateKey]) -> None:
        """Read the data keys for `private_keys`; each is decrypted when its first row arrives."""
        boxes = {bytes(key.public_key): SealedBox(key) for key in private_keys}
        columns = (DataKey.id, DataKey.encrypted_key, CampaignKey.public_key)
        rows = session.execute(select(*columns).join(CampaignKey).where(CampaignKey.public_key.in_(list(boxes))))
        self._encrypted_keys = {row.id.hex: (boxes[row.public_key], row.encrypted_key) for row in rows}
        self._keys: dict[str, bytes] = {}
        self._plaintext, self._length = ffi.new("unsigned char[]", _BUFFER_BYTES), ffi.new("unsigned long long *")
        self._buffer = ffi.buffer(self._plaintext)

    def decrypt(self, encrypted: EncryptedPerson, *, identity: UUID) -> Person:
        """Return the person.

        Raises `DecryptionFailed` if the row is damaged, swapped, of an unknown version, or encrypted to another key.
        """
        return Person(*self.decrypt_fields(encrypted.data_key_id.hex, encrypted.blob, identity.bytes))

    def decrypt_fields(self, key_id: str, blob: bytes, identity: bytes) -> list[str]:
        """Return the fields of the person in their order; for exports, which have no time to make objects of rows.

        libsodium is called directly: PyNaCl's own function takes three times as long. Not for several threads.
        """
        try:
            key = self._keys.get(key_id) or self._decrypt_key(key_id)
            given_name, family_name, email, message = _deserialize(self._decrypt(blob, identity, key))
        except (CryptoError, KeyError, StopIteration, TypeError, ValueError):
            raise DecryptionFailed("a signature cannot be decrypted") from None
        return [given_name, family_name, email, message]

    def _decrypt(self, blob: bytes, identity: bytes, key: bytes) -> bytes:
        """Return the plaintext of `blob`. Raises `ValueError` if it is damaged or of another row or key."""
        encrypted = blob[_NONCE:]
        size = len(encrypted) - Aead.MACBYTES
        if not 0 <= size <= _BUFFER_BYTES:
            raise ValueError(len(blob))
        buffer, length, none = self._plaintext, self._length, ffi.NULL
        if _decrypt(buffer, length, none, encrypted, len(encrypted), identity, len(identity), blob[:_NONCE], key):
            raise ValueError("authentication failed")
        plaintext: bytes = self._buffer[:size]
        return plaintext

    def _decrypt_key(self, key_id: str) -> bytes:
        box, encrypted_key = self._encrypted_keys[key_id]
        self._keys[key_id] = box.decrypt(encrypted_key)
        return self._keys[key_id]


def _serialize(person: Person) -> bytes:
    fields = json.dumps(astuple(person), ensure_ascii=False, separators=(",", ":")).encode()
    return pad(_VERSION + fields)


def _deserialize(plaintext: bytes) -> Any:
    """Return the fields in `plaintext`. Raises `ValueError` for an unknown version."""
    version = plaintext[:1]
    if version not in (_VERSION, _UNVERSIONED):
        raise ValueError(version)
    return _scan_json(plaintext.decode(), len(version) if version == _VERSION else 0)[0]


def _newest_campaign_key(session: Session) -> Row[UUID, bytes]:
    newest = session.execute(
        select(CampaignKey.id, CampaignKey.public_key).order_by(CampaignKey.created_at.desc()).limit(1)
    ).first()
    if newest is None:
        raise NoCampaignKey
    return newest
