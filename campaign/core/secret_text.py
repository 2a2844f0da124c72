"""Secrets as people type or paste them: passwords, passphrases, one-time codes and recovery keys.

Keyboards, phones and word processors change text that looks the same: composed letters become decomposed, hyphens
become dashes, and a copied code brings invisible characters along. These functions undo that before a comparison.
"""

from unicodedata import category, decimal, normalize

_INVISIBLE = ("Cc", "Cf")  # control and format characters: zero-width spaces, byte-order marks, marks of direction


def normalize_secret(text: str) -> str:
    """Return a password or passphrase as it is hashed: NFKC, without space or invisible characters around it.

    NFKC: NIST SP 800-63B, 5.1.1.2.
    """
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return normalize("NFKC", text[start:end])


def spelling_variants(text: str) -> list[str]:
    """Return the texts to compare with a stored hash: the normalised one, then `text` as earlier versions took it.

    A hash that was made of unnormalised text still opens, whether that was composed or decomposed. For ASCII without
    space around it there is only one variant.
    """
    return list(dict.fromkeys((normalize_secret(text), text, normalize("NFC", text), normalize("NFD", text))))


def compact_code(text: str) -> str:
    """Return only the letters and digits of a code, in lower case; digits of any script become ASCII digits."""
    return "".join(_ascii_digit(letter) for letter in normalize("NFKC", text) if letter.isalnum()).lower()


def decode_text(content: bytes) -> str:
    """Return the text of a small file: UTF-8 with or without a byte-order mark, or UTF-16 as Notepad writes it.

    Bytes that cannot be decoded become U+FFFD.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\0" in content[:2]:  # UTF-16 without a mark: every other byte of ASCII text is zero
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", "replace")
    return content.decode("utf-8", "replace")


def _is_blank(letter: str) -> bool:
    return letter.isspace() or category(letter) in _INVISIBLE


def _ascii_digit(letter: str) -> str:
    value = decimal(letter, None)
    return letter if value is None else str(value)
