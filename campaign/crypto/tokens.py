"""The tokens in emailed links: computed from a signature's id, so that none is stored."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from campaign.errors import UnknownLink

_ID_BYTES = 16
_MAC_BYTES = 16


def token_for(key: bytes, signature_id: UUID) -> str:
    """Return the URL-safe token of 43 characters in the emails about `signature_id`."""
    identity = signature_id.bytes
    return urlsafe_b64encode(identity + _mac(key, identity)).decode().rstrip("=")


def link_for(key: bytes, signature_id: UUID | None, *, public_url: str) -> str:
    """Return the address of the page for `signature_id`; a blank, which is never sent, has none and needs some."""
    return f"{public_url}/confirm/{token_for(key, signature_id or UUID(int=0))}"


def signature_id_from(key: bytes, token: str) -> UUID:
    """Return the signature's id in `token`. Raises `UnknownLink` for any token that `token_for` did not make."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=")
    except (ValueError, binascii.Error):
        raise UnknownLink from None
    identity, mac = raw[:_ID_BYTES], raw[_ID_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, identity)):
        raise UnknownLink
    return UUID(bytes=identity)


def _mac(key: bytes, identity: bytes) -> bytes:
    return hmac.digest(key, identity, "sha256")[:_MAC_BYTES]
