"""The campaign's key pair: made once, its public half kept, its private half handed out as the recovery key.

Whoever holds the recovery key can read the signatures; the server cannot. It is the X25519 private key with a checksum,
in the alphabet of RFC 4648 base 32, in groups of four: made to be written down and typed in again.
"""

from base64 import b32decode, b32encode
from binascii import Error as Base32Error
from collections.abc import Callable
from hashlib import blake2b

from nacl.public import PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.db import insert, transaction
from campaign.errors import BadRecoveryKey, WrongRecoveryKey
from campaign.models import CampaignKey

_CHECKSUM_BYTES = 3  # 32 + 3 bytes are 56 characters, without padding
_GROUP = 4


def has_campaign_key(session: Session) -> bool:
    """Tell whether the campaign has a key pair."""
    return session.scalar(select(CampaignKey.id).limit(1)) is not None


def ensure_campaign_key(session: Session, *, hand_over: Callable[[str], None]) -> bool:
    """Make a key pair unless there is one; returns whether it was made.

    The recovery key is handed over before the public half is stored: nothing is ever sealed to a key that nobody has.
    """
    with transaction(session, locks=CampaignKey):  # two that start at the same moment must not make one each
        if has_campaign_key(session):
            return False
        private_key = PrivateKey.generate()
        hand_over(recovery_key_text(private_key))
        session.execute(insert(session, CampaignKey).values(public_key=bytes(private_key.public_key)))
    return True


def private_key_from(session: Session, recovery_key: str) -> PrivateKey:
    """Return the private key in `recovery_key`.

    Raises `BadRecoveryKey` for a text that is none, `WrongRecoveryKey` for that of another campaign.
    """
    private_key = parse_recovery_key(recovery_key)
    ours = select(CampaignKey.id).where(CampaignKey.public_key == bytes(private_key.public_key))
    if session.scalar(ours) is None:
        raise WrongRecoveryKey("this recovery key belongs to another campaign")
    return private_key


def recovery_key_text(private_key: PrivateKey) -> str:
    """Return the recovery key for `private_key`: 14 groups of four letters and digits."""
    raw = bytes(private_key)
    text = b32encode(raw + _checksum(raw)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def parse_recovery_key(text: str) -> PrivateKey:
    """Return the private key for a recovery key, however it is spaced or cased. Raises `BadRecoveryKey`."""
    compact = "".join(text.split()).replace("-", "").upper().translate(_LOOKALIKES)
    try:
        raw = b32decode(compact)
    except (Base32Error, ValueError):
        raise BadRecoveryKey("this is no recovery key: it has 14 groups of four letters and digits") from None
    key, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if len(key) != PrivateKey.SIZE or checksum != _checksum(key):
        raise BadRecoveryKey("this recovery key has a typing error or is not whole")
    return PrivateKey(key)


_LOOKALIKES = str.maketrans("018", "OIB")  # digits that base 32 does not have, for the letters they look like


def _checksum(raw: bytes) -> bytes:
    return blake2b(raw, digest_size=_CHECKSUM_BYTES, person=b"recovery key").digest()
