"""Email addresses: their validation, their canonical form, and the keyed hash that finds duplicates."""

import hmac
import re
from unicodedata import decimal
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email

from campaign.core.text import clean
from campaign.errors import InvalidEmailAddress, TextTooLong, UnusableCharacter

# Providers that document name+tag@ as an alias of name@; the value is the domain that represents all of theirs.
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
MAX_LENGTH = 254  # characters; RFC 5321, 4.5.3.1, as corrected by erratum 1690

_IGNORE_DOTS = {"gmail.com", "proton.me"}

# Full-width and small forms of ASCII, and the full stops of Chinese and Japanese (UTS 46, section 2.3).
_ASCII_FORMS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict.fromkeys((0x3002, 0xFF61), ".")
_ASCII_FORMS |= {0xFE52: ".", 0xFE6B: "@"}

_IN_BRACKETS = re.compile(r"[<(\[](?:mailto:)?([^<>()\[\]\s]*@[^<>()\[\]\s]*)[>)\]]", re.IGNORECASE)
_MAILTO = re.compile(r"mailto:([^?]*)", re.IGNORECASE)
_BEFORE = " <>()[],.;:\"'`´“”„‟‘’‚‛«»‹›「」『』…،؛、"
_AFTER = f"{_BEFORE}!?؟{{}}"


def normalize_email(text: str) -> str:
    """Return the email address in `text` in the form used for sending: domain in lower case, Unicode composed (NFC).

    Accepts pasted variants: `mailto:` links, `Ada <ada@example.org>`, surrounding quotes and brackets, trailing
    punctuation, full-width letters, and other scripts' digits in place of ASCII digits.

    The DNS is not queried, since that takes seconds and tells a third party about the supporter. Letters beyond ASCII
    before the @ (RFC 6531) are refused, since few mail servers could accept the email. Raises `InvalidEmailAddress`.
    """
    try:
        address = _unwrap(clean(text, max_length=MAX_LENGTH))
        return validate_email(address, check_deliverability=False, allow_smtputf8=False).normalized
    except (EmailNotValidError, TextTooLong, UnicodeError, UnusableCharacter):
        raise InvalidEmailAddress("this is not an email address") from None


def canonical_email(address: str) -> str:
    """Return the canonical form of a normalised `address`: the same for all addresses of one mailbox."""
    local, _, domain = address.lower().rpartition("@")
    domain = _PLUS_TAGS.get(domain, domain)
    if domain in _PLUS_TAGS.values():
        local = _without_tag(local)
    if domain in _IGNORE_DOTS:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def mailbox_of(address: str) -> str:
    """Return a key that is the same for all normalised addresses that probably reach one mailbox.

    It ignores `+tags` at every domain. That is right for limiting emails, where a wrong guess delays one. Duplicates
    are found by `canonical_email`, where a wrong guess would lose a signature.
    """
    local, _, domain = canonical_email(address).rpartition("@")
    return f"{_without_tag(local)}@{domain}"


def email_hash(key: bytes, address: str) -> bytes:
    """Return 32 bytes that tell whether two addresses are one mailbox, and nothing to those without `key`."""
    return hmac.digest(key, canonical_email(address).encode(), "sha256")


def mailbox_hash(key: bytes, address: str) -> bytes:
    """Return 32 bytes for the `mailbox` of an address; without a tag, those are its `email_hash`."""
    return hmac.digest(key, mailbox_of(address).encode(), "sha256")


def _without_tag(local: str) -> str:
    """Return the part before the @ without its `+tag`; a `+` at its start is that of a telephone number."""
    return local[:1] + local[1:].partition("+")[0]


def _unwrap(text: str) -> str:
    """Return the address in cleaned `text`, without what surrounds it."""
    text = text.translate(_ASCII_FORMS)
    in_brackets = {address.lower(): address for address in _IN_BRACKETS.findall(text)}
    if len(in_brackets) == 1:
        [text] = in_brackets.values()
    text = text.lstrip(_BEFORE).rstrip(_AFTER)
    if match := _MAILTO.match(text):
        text = unquote(match[1]).rstrip(_AFTER)
    local, at, domain = text.rpartition("@")
    local, *labels = (part.strip() for part in (local, *domain.split(".")))
    return _to_ascii(local) + at + ".".join(map(_to_ascii, labels))


def _to_ascii(part: str) -> str:
    """Return `part` with its digits as ASCII has them, if nothing else in it is beyond ASCII."""
    digits = "".join(str(decimal(letter, letter)) for letter in part)
    return digits if digits.isascii() else part
