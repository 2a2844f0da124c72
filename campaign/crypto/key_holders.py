"""Key holders: organisers who may export. Each has a key pair, to which the campaign's private keys are encrypted.

Its private half is wrapped with a key derived from the organiser's export passphrase (Argon2id). So key holders can
receive a new campaign key without their passphrases, and the server cannot decrypt anything on its own.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from unicodedata import normalize
from uuid import UUID

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.pwhash import argon2id
from nacl.secret import Aead
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from campaign.core.database import insert, transaction
from campaign.core.secret_text import normalize_secret
from campaign.errors import NoKeyHolder, WrongPassphrase
from campaign.models import CampaignKey, KeyCopy, KeyHolder, Organiser

# The second recommended option of RFC 9106 (64 MiB, three passes), except for the lanes: libsodium supports only one.
ARGON2_MEMORY = 64 * 1024 * 1024
ARGON2_PASSES = 3

_derivation_lock = Lock()  # one at a time: concurrent derivations would use up the memory


def grant_keys(session: Session, organiser_id: UUID, passphrase: str, private_keys: Sequence[PrivateKey]) -> None:
    """Encrypt the campaign's `private_keys` to an organiser, and wrap the organiser's own key with `passphrase`."""
    own = PrivateKey.generate()
    holder = {
        "organiser_id": organiser_id,
        "public_key": bytes(own.public_key),
        **_wrap(own, passphrase, organiser_id),
    }
    key_ids = {key.public_key: key.id for key in session.scalars(select(CampaignKey))}
    copies = [
        {
            "organiser_id": organiser_id,
            "campaign_key_id": key_ids[bytes(key.public_key)],
            "encrypted_key": SealedBox(own.public_key).encrypt(bytes(key)),
        }
        for key in private_keys
    ]
    with transaction(session):
        # A second click waits here; both would insert otherwise.
        session.execute(select(Organiser.id).where(Organiser.id == organiser_id).with_for_update())
        session.execute(delete(KeyHolder).where(KeyHolder.organiser_id == organiser_id))
        session.execute(insert(session, KeyHolder).values(**holder))
        session.execute(insert(session, KeyCopy), copies)


def unlock_keys(session: Session, organiser_id: UUID, passphrase: str) -> list[PrivateKey]:
    """Return the campaign's private keys that an organiser holds. Raises `NoKeyHolder`, `WrongPassphrase`."""
    box = SealedBox(_own_key(session, organiser_id, passphrase))
    copies = session.scalars(select(KeyCopy.encrypted_key).where(KeyCopy.organiser_id == organiser_id))
    return [PrivateKey(box.decrypt(copy)) for copy in copies]


def change_passphrase(session: Session, organiser_id: UUID, *, old: str, new: str) -> None:
    """Wrap an organiser's own key by another passphrase. Raises `NoKeyHolder`, `WrongPassphrase`."""
    own = _own_key(session, organiser_id, old)
    holder = update(KeyHolder).where(KeyHolder.organiser_id == organiser_id).values(**_wrap(own, new, organiser_id))
    with transaction(session):
        session.execute(holder)


def seal_to_holders(session: Session, campaign_key_id: UUID, private_key: PrivateKey) -> None:
    """Seal a further campaign key to all key holders, within the caller's transaction."""
    for holder in session.scalars(select(KeyHolder)).all():
        encrypted_key = SealedBox(PublicKey(holder.public_key)).encrypt(bytes(private_key))
        row = {"organiser_id": holder.organiser_id, "campaign_key_id": campaign_key_id, "encrypted_key": encrypted_key}
        session.execute(insert(session, KeyCopy).values(**row))


def _own_key(session: Session, organiser_id: UUID, passphrase: str) -> PrivateKey:
    holder = session.get(KeyHolder, organiser_id)
    if holder is None:
        raise NoKeyHolder("this organiser may not export")
    for variant in dict.fromkeys((normalize_secret(passphrase), normalize("NFKC", passphrase))):
        with suppress(CryptoError):
            return PrivateKey(_key(variant, holder.salt).decrypt(holder.wrapped_private_key, aad=organiser_id.bytes))
    raise WrongPassphrase("this is not the passphrase")


def _wrap(own: PrivateKey, passphrase: str, organiser_id: UUID) -> dict[str, bytes]:
    salt = os.urandom(argon2id.SALTBYTES)
    key = _key(normalize_secret(passphrase), salt)
    return {"salt": salt, "wrapped_private_key": bytes(key.encrypt(bytes(own), aad=organiser_id.bytes))}


def _key(passphrase: str, salt: bytes) -> Aead:
    with _derivation_lock:
        return Aead(
            argon2id.kdf(Aead.KEY_SIZE, passphrase.encode(), salt, opslimit=ARGON2_PASSES, memlimit=ARGON2_MEMORY)
        )
