"""E-mail addresses: what is one, which of them reach the same mailbox, and the keyed hash that finds duplicates."""

import hmac

from email_validator import EmailNotValidError, validate_email

from campaign.errors import InvalidAddress

# Who delivers name+tag@ to name@, as their help pages say; the value is the domain that stands for all of theirs.
_PLUS_TAGS = {
    "gmail.com": "gmail.com",
    "googlemail.com": "gmail.com",
    "outlook.com": "outlook.com",
    "hotmail.com": "hotmail.com",
    "live.com": "live.com",
    "icloud.com": "icloud.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "fastmail.com": "fastmail.com",
    "proton.me": "proton.me",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
    "yandex.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
    "ya.ru": "yandex.ru",
    "mail.ru": "mail.ru",
}
_IGNORE_DOTS = {"gmail.com", "proton.me"}


def normalised(text: str) -> str:
    """Return `text` as an address to write to: trimmed, domain in lower case, Unicode composed.

    No look-up in the DNS: that takes seconds and tells a third party who signs. Letters beyond ASCII before the @
    (RFC 6531) are refused: few mail servers could take the confirmation there. Raises `InvalidAddress`.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False).normalized
    except (EmailNotValidError, UnicodeError):
        raise InvalidAddress("this is no e-mail address") from None


def folded(address: str) -> str:
    """Return what a normalised `address` has in common with all others that reach the same mailbox."""
    local, _, domain = address.lower().rpartition("@")
    domain = _PLUS_TAGS.get(domain, domain)
    if domain in _PLUS_TAGS.values():
        local = local.partition("+")[0]
    if domain in _IGNORE_DOTS:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def mailbox(address: str) -> str:
    """Return what a normalised `address` has in common with all that probably reach the same mailbox.

    It ignores a `+tag` at every domain. That is right for limiting emails, where a wrong guess delays one; duplicates
    are found by `folded`, where a wrong guess would lose a signature.
    """
    local, _, domain = folded(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def address_hash(key: bytes, address: str) -> bytes:
    """Return 32 bytes that tell whether two addresses are one mailbox, and nothing to those without `key`."""
    return hmac.digest(key, folded(address).encode(), "sha256")


def mailbox_hash(key: bytes, address: str) -> bytes:
    """Return 32 bytes for the `mailbox` of an address; without a tag, those are its `address_hash`."""
    return hmac.digest(key, mailbox(address).encode(), "sha256")
