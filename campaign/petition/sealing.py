"""Sealing: what a person wrote is encrypted at once, so that the server cannot read it back.

Each process has a data key in memory only, which it stores sealed to the campaign's public key. A person's fields are
one blob under that data key (XChaCha20-Poly1305), bound to the signature's id. Only the recovery key opens data keys.
"""

import json
import time
from dataclasses import astuple, dataclass
from threading import Lock
from uuid import UUID

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import Aead
from nacl.utils import random
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.db import insert, new_id, transaction
from campaign.errors import NoCampaignKey, Unreadable
from campaign.models import CampaignKey, DataKey

KEY_SECONDS = 3600
KEY_ROWS = 100_000
_BLOCK = 64  # what is sealed is padded to a multiple of this many bytes, so that its length tells less
SHORTEST_BLOB = Aead.NONCE_SIZE + _BLOCK + Aead.MACBYTES


@dataclass(frozen=True, slots=True)
class Person:
    """What is sealed of a signature."""

    given_name: str
    family_name: str
    email: str
    message: str


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """A sealed `Person` and the data key that it is under."""

    data_key_id: UUID
    blob: bytes


class DataKeys:
    """The data key of this process, in memory only; a new one after an hour or 100,000 rows. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows_left = 0
        self._expires = 0.0

    def seal(self, session: Session, person: Person, *, identity: UUID) -> SealedPerson:
        """Seal `person` for the row `identity`. Raises `NoCampaignKey`.

        A new data key is committed first, in a transaction of its own: call this outside of any other.
        """
        with self._lock:
            if self._rows_left == 0 or time.monotonic() > self._expires:
                self._renew(session)
            self._rows_left -= 1
            key, key_id = self._key, self._key_id
        blob = key.encrypt(_packed(person), aad=identity.bytes)
        return SealedPerson(key_id, bytes(blob))

    def _renew(self, session: Session) -> None:
        raw, key_id = random(Aead.KEY_SIZE), new_id()
        _store(session, raw, key_id)
        self._key, self._key_id = Aead(raw), key_id
        self._rows_left, self._expires = KEY_ROWS, time.monotonic() + KEY_SECONDS


class Opener:
    """Opens what was sealed to one campaign key, with its private half."""

    def __init__(self, session: Session, private_key: PrivateKey) -> None:
        """Read the data keys sealed to `private_key`; each is opened once, when the first of its rows comes."""
        ours = CampaignKey.public_key == bytes(private_key.public_key)
        rows = session.execute(select(DataKey.id, DataKey.sealed).join(CampaignKey).where(ours))
        self._sealed = {row.id: row.sealed for row in rows}
        self._box = SealedBox(private_key)
        self._keys: dict[UUID, Aead] = {}

    def open(self, sealed: SealedPerson, *, identity: UUID) -> Person:
        """Return the person. Raises `Unreadable` when the row is damaged, exchanged, or sealed to another key."""
        try:
            packed = self._key(sealed.data_key_id).decrypt(sealed.blob, aad=identity.bytes)
            return Person(*json.loads(packed))
        except (CryptoError, KeyError, TypeError, ValueError):
            raise Unreadable(f"signature {identity} cannot be opened") from None

    def _key(self, key_id: UUID) -> Aead:
        if key_id not in self._keys:
            self._keys[key_id] = Aead(self._box.decrypt(self._sealed[key_id]))
        return self._keys[key_id]


def _packed(person: Person) -> bytes:
    packed = json.dumps(astuple(person), ensure_ascii=False, separators=(",", ":")).encode()
    return packed.ljust(-(-len(packed) // _BLOCK) * _BLOCK)


def _store(session: Session, raw: bytes, key_id: UUID) -> None:
    newest = session.execute(
        select(CampaignKey.id, CampaignKey.public_key).order_by(CampaignKey.created_at.desc()).limit(1)
    ).first()
    if newest is None:
        raise NoCampaignKey
    sealed = SealedBox(PublicKey(newest.public_key)).encrypt(raw)
    with transaction(session):
        session.execute(insert(session, DataKey).values(id=key_id, campaign_key_id=newest.id, sealed=sealed))
