"""Mastodon has no single host: a supporter names the instance to share on."""

import re
from urllib.parse import urlsplit

import idna

from campaign.core.text import clean
from campaign.errors import InvalidInstance, TextTooLong, UnusableCharacter

MAX_INPUT_LENGTH = 300  # characters; a host has 253 at most (RFC 1035, 2.3.4)

_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")

_SURROUNDING = " <>()\"'“”„‘’«»,.;…"


def parse_instance(typed: str) -> str:
    """Return the host of the typed instance: a host name, a URL there, or `@name@mastodon.example`.

    Raises `InvalidInstance` if there is none.
    """
    try:
        rest = re.sub(
            r"^https?://", "", clean(typed, max_length=MAX_INPUT_LENGTH).strip(_SURROUNDING), flags=re.IGNORECASE
        )
        host = urlsplit(f"//{rest}").hostname or ""
        domain = idna.encode(host, uts46=True).decode()
    except (TextTooLong, UnusableCharacter, ValueError):  # of which idna's errors are a kind
        raise InvalidInstance from None
    if not _HOST.fullmatch(domain):
        raise InvalidInstance
    return domain
