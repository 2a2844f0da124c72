"""Text from outside: bounded before any work on it, then cleaned of invisible characters.

Unicode normalisation takes time that grows with the square of a run of combining marks, and holds the interpreter
for as long. IDNA and `urllib.parse.urlsplit` normalise as well. So text from outside comes through `clean` first.
"""

import re
from unicodedata import category, combining, normalize

from campaign.errors import TextTooLong, UnusableCharacter

MAX_MARKS = 30  # combining marks in a row, as in the Stream-Safe Text Format (UAX 15, section 13)

# Decomposed letters take up to four characters, and pasted text brings spaces and wrappers.
_RAW_FACTOR, _RAW_EXTRA = 4, 100

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_UNUSABLE = f"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd{_NONCHARACTERS}"
_UNUSABLE_IN_LINES = re.compile(f"[{_UNUSABLE}]")
_UNUSABLE_IN_LINE = re.compile(f"[{_UNUSABLE}\n\v\f\r\x85\u2028\u2029]")
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")

# Soft hyphen, fillers of Hangul, vowels of Khmer that are not seen, zero-width characters, embeddings and overrides of
# direction, deprecated controls, anchors of annotations and of objects, controls of musical notation.
_INVISIBLE = (
    "\u00ad\u115f\u1160\u17b4\u17b5\u180e\u200b\u202a-\u202e\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffc"
    "\U0001d173-\U0001d17a"
)
_INVISIBLE_IN_LINES = re.compile(f"[{_INVISIBLE}]")
_INVISIBLE_IN_LINE = re.compile(f"[{_INVISIBLE}\u061c\u200e\u200f\u2066-\u2069]")

# Tags mean something after a black flag only: 🏴󠁧󠁢󠁷󠁬󠁳󠁿 is the flag of Wales.
_TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007f]*)|[\U000e0000-\U000e007f]")

_JOINERS = re.compile("[\u200c\u200d]")
_NON_JOINER, _VIRAMA = "\u200c", 9  # the canonical combining class of viramas
# Scripts in which joiners change the reading: Arabic to Mongolian and their relatives (RFC 5892, appendix A.1, A.2).
_JOINING_SCRIPTS = re.compile(
    "[\u0600-\u109f\u1700-\u18af\u1900-\u1c4f\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff]"
)

_ISOLATES = re.compile("[\u2066-\u2069]")
_END_OF_ISOLATE = "\u2069"


def clean(text: str, *, max_length: int, multiline: bool = False) -> str:
    """Return `text` composed (NFC), without invisible characters and surrounding space.

    A single line gets single spaces between its words. Joiners stay where a script or an emoji needs them. Several
    lines keep their line ends and balanced isolates of direction (UAX 9).

    Raises `TextTooLong` above `max_length` characters, and `UnusableCharacter` for controls, noncharacters,
    and more than `MAX_MARKS` combining marks in a row. Takes time in proportion to `max_length`.
    """
    if len(text) > _RAW_FACTOR * max_length + _RAW_EXTRA:
        raise TextTooLong(max_length)
    if multiline:
        text = _LINE_ENDS.sub("\n", text)
    _require_usable(text, _UNUSABLE_IN_LINES if multiline else _UNUSABLE_IN_LINE)
    if not text.isascii():
        text = _remove_invisible(text, multiline=multiline)
    text = text.strip() if multiline else " ".join(text.split())
    if len(text) > max_length:
        raise TextTooLong(max_length)
    return text


def fold(text: str) -> str:
    """Return `text` of our own without accents and capital letters, to sort by."""
    return "".join(letter for letter in normalize("NFKD", text) if not combining(letter)).casefold()


def _require_usable(text: str, unusable: re.Pattern[str]) -> None:
    inner, start = text.strip(), len(text) - len(text.lstrip())
    if match := unusable.search(inner):
        raise UnusableCharacter(start + match.start() + 1, match[0])
    if inner.isascii():
        return
    run = 0
    for place, character in enumerate(inner, start + 1):
        if category(character)[0] == "M":
            run += 1
        elif run and not _INVISIBLE_IN_LINE.match(character):  # which is taken out, and would part no marks
            run = 0
        if run > MAX_MARKS:
            raise UnusableCharacter(place, character)


def _remove_invisible(text: str, *, multiline: bool) -> str:
    text = (_INVISIBLE_IN_LINES if multiline else _INVISIBLE_IN_LINE).sub("", text)
    text = _TAGS.sub(lambda match: match[1] or "", text)
    text = _JOINERS.sub(lambda match: match[0] if _is_needed(text, match.start()) else "", text)
    if multiline and _ISOLATES.search(text):
        text = "\n".join(map(_balance_isolates, text.split("\n")))
    return normalize("NFC", text)


def _is_needed(text: str, place: int) -> bool:
    """Return whether the joiner at `place` changes how the characters beside it are read."""
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if _JOINING_SCRIPTS.match(before):
        ends_word = not _JOINING_SCRIPTS.match(after)
        return not ends_word or combining(before) == _VIRAMA or text[place] != _NON_JOINER
    return text[place] != _NON_JOINER and _is_emoji(before) and _is_emoji(after)


def _is_emoji(character: str) -> bool:
    return character == "\ufe0f" or (character != "" and category(character) in ("So", "Sk"))


def _balance_isolates(line: str) -> str:
    """Return `line` with each isolate ended in it (UAX 9, X6a) and no end without a start."""
    depth, characters = 0, []
    for character in line:
        if _ISOLATES.match(character):
            if character == _END_OF_ISOLATE and not depth:
                continue
            depth += -1 if character == _END_OF_ISOLATE else 1
        characters.append(character)
    return "".join(characters) + _END_OF_ISOLATE * depth
