"""The campaign's key pairs. The public half is stored; the private half is issued once, as the recovery key.

Copies of the private half are encrypted to each organiser who may export (`crypto.key_holders`). There is one pair at
first; after a rotation, new signatures use the newest one.

The holder of a recovery key can read the signatures; the server cannot. It is the X25519 private key with a checksum,
in base 32 (RFC 4648) in groups of four characters, to be written down and typed in again.
"""

import re
from base64 import b32decode, b32encode
from binascii import Error as Base32Error
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from nacl.public import PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.core.database import insert, new_id, transaction, utcnow
from campaign.core.secret_text import compact_code
from campaign.crypto.key_holders import seal_to_holders
from campaign.errors import InvalidRecoveryKey
from campaign.models import CampaignKey, DataKey, Signature

_CHECKSUM_BYTES = 3  # 32 + 3 bytes are 56 characters, without padding
_GROUP = 4
_LENGTH = 56
_LABEL = re.compile(r"\brecovery\s+keys?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """The creation time of a campaign key, and the number of signatures encrypted to it."""

    created_at: datetime
    signatures: int


def has_campaign_key(session: Session) -> bool:
    """Return whether the campaign has a key pair."""
    return session.scalar(select(CampaignKey.id).limit(1)) is not None


def ensure_campaign_key(session: Session, *, hand_over: Callable[[str], None]) -> bool:
    """Create a key pair unless there is one. Returns whether it was created.

    The recovery key is issued before the public half is stored: nothing is ever encrypted to a key that nobody has.
    """
    with transaction(session, locks=CampaignKey):  # two that start at the same moment must not make one each
        if has_campaign_key(session):
            return False
        _store(session, _new_private_key(hand_over))
    return True


def make_campaign_key(session: Session, *, hand_over: Callable[[str], None]) -> None:
    """Create a further key pair for new signatures. Its recovery key is issued before it is used."""
    private_key = _new_private_key(hand_over)  # before the transaction, which would block others
    with transaction(session, locks=CampaignKey):
        _store(session, private_key)


def campaign_keys(session: Session) -> list[KeyUsage]:
    """Return all key pairs, oldest first, with the number of signatures encrypted to each."""
    counts = select(CampaignKey.created_at, func.count(Signature.id)).group_by(CampaignKey.id, CampaignKey.created_at)
    uses = counts.select_from(CampaignKey).outerjoin(DataKey).outerjoin(Signature)
    rows = session.execute(uses.order_by(CampaignKey.created_at))
    return [KeyUsage(*row) for row in rows]


def unknown_keys(session: Session, private_keys: Iterable[PrivateKey]) -> list[PrivateKey]:
    """Return those of `private_keys` that this campaign never had: they open nothing here."""
    ours = set(session.scalars(select(CampaignKey.public_key)))
    return [key for key in private_keys if bytes(key.public_key) not in ours]


def recovery_key_text(private_key: PrivateKey) -> str:
    """Return the recovery key for `private_key`: 14 groups of four letters and digits."""
    raw = bytes(private_key)
    text = b32encode(raw + _checksum(raw)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def parse_recovery_keys(text: str) -> list[PrivateKey]:
    """Return the private keys for recovery keys that follow each other, however they are spaced, cased or punctuated.

    Word processors put dashes in place of hyphens and add quotes, and a copied line may begin with "Recovery key:".
    Raises `InvalidRecoveryKey` unless each of them is whole, and there is one.
    """
    compact = compact_code(_LABEL.sub(" ", text)).upper().translate(_LOOKALIKES)
    return [_parse_recovery_key(compact[at : at + _LENGTH]) for at in range(0, max(len(compact), 1), _LENGTH)]


def _new_private_key(hand_over: Callable[[str], None]) -> PrivateKey:
    """Make a key pair, hand its recovery key over, and return its private half."""
    private_key = PrivateKey.generate()
    hand_over(recovery_key_text(private_key))
    return private_key


def _store(session: Session, private_key: PrivateKey) -> None:
    """Store the public half as the newest, even if the clock was set back, and its copies for key holders."""
    newest = session.scalar(select(func.max(CampaignKey.created_at)))
    created_at = max(utcnow(), newest + timedelta(microseconds=1)) if newest else utcnow()
    key_id, public_key = new_id(), bytes(private_key.public_key)
    row = insert(session, CampaignKey).values(id=key_id, public_key=public_key, created_at=created_at)
    session.execute(row)
    seal_to_holders(session, key_id, private_key)


def _parse_recovery_key(compact: str) -> PrivateKey:
    try:
        raw = b32decode(compact)
    except (Base32Error, ValueError):
        raise InvalidRecoveryKey("this is no recovery key: it has 14 groups of four letters and digits") from None
    key, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if len(key) != PrivateKey.SIZE or checksum != _checksum(key):
        raise InvalidRecoveryKey("this recovery key has a typing error or is not whole")
    return PrivateKey(key)


_LOOKALIKES = str.maketrans("018", "OIB")  # base 32 has no such digits; replaced by similar letters


def _checksum(raw: bytes) -> bytes:
    return blake2b(raw, digest_size=_CHECKSUM_BYTES, person=b"recovery key").digest()
