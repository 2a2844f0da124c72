"""Mastodon has no address of its own to share by: each instance has, and only the supporter knows which is theirs."""

import re
from urllib.parse import urlsplit

import idna

from campaign.errors import InvalidInstance

_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")


def instance(typed: str) -> str:
    """Return the host of the instance that somebody typed: its name, an address there, or `@name@mastodon.example`.

    Raises `InvalidInstance` when there is none in it.
    """
    rest = re.sub(r"^https?://", "", typed.strip(), flags=re.IGNORECASE)
    try:
        host = urlsplit(f"//{rest}").hostname or ""
        found = idna.encode(host, uts46=True).decode()
    except ValueError:  # of which idna's errors are a kind
        raise InvalidInstance from None
    if not _HOST.fullmatch(found):
        raise InvalidInstance
    return found
