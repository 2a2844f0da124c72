"""The included fonts, so that images and PDFs look the same everywhere, and the choice of a font for each script.

Text is split into runs, and each run is set in the first font that has its characters. A name in two scripts uses two
fonts, and never the Latin letters of an Arabic font.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

from fontTools.ttLib import TTFont

from campaign.config.paths import FONTS

LATIN = FONTS / "eb-garamond" / "EBGaramond-Medium.ttf"  # Cyrillic and Greek as well
ARABIC = FONTS / "noto-naskh-arabic" / "NotoNaskhArabic-Medium.ttf"
SANS = FONTS / "noto-sans" / "NotoSans-Regular.ttf"  # Latin, Cyrillic and Greek
NASKH = FONTS / "noto-naskh-arabic" / "NotoNaskhArabic-Regular.ttf"
KOREAN = FONTS / "nanum-gothic" / "NanumGothic.ttf"
HAN = FONTS / "droid-sans-fallback" / "DroidSansFallbackFull.ttf"  # Chinese and Japanese
HAN_EXTRA = FONTS / "noto-sans-cjk" / "NotoSansCJK-Extra.otf"  # rare characters, many of them used in names
_SCRIPTS = tuple(path for path in sorted((FONTS / "noto-sans").glob("*.ttf")) if path != SANS)
_REST = (*_SCRIPTS, KOREAN, HAN, HAN_EXTRA)


class Faces(tuple[Path, ...]):
    """A list of fonts in order of preference. There are two lists, compared by identity: caches use them as keys."""

    __slots__ = ()

    def __hash__(self) -> int:
        return id(self)


# All fonts of a list have the same weight (OS/2 usWeightClass 400 and 500), except scripts that exist only in 400.
REGULAR = Faces((SANS, NASKH, *_REST))  # names
DISPLAY = Faces((LATIN, ARABIC, *_REST))  # headings, cover letters, cards and posters

_UNSHAPED = frozenset((LATIN, SANS, KOREAN, HAN, HAN_EXTRA))  # one form for each letter, one place for each form
_JOINERS = "\u200c\u200d"
_TRAILING = frozenset("\u0e33\u0eb3")  # vowels of Thai and Lao that appear above the preceding consonant
_VIRAMA = 9  # the canonical combining class of signs that join the next consonant
_GETA = "\u3013"  # printers of Chinese and Japanese set it for a character that they lack
_BOX = "\u25a1"


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a text that is set in one font."""

    text: str
    face: Path


@dataclass(frozen=True, slots=True)
class Form:
    """How a text can be set: `is_exact` unless a character is replaced or left out."""

    text: str
    is_exact: bool


def runs(text: str, faces: Faces) -> list[Run]:
    """Return `text` split into runs, in reading order.

    Spaces, digits and punctuation belong to the preceding letters, or else to the following ones, if their font has
    them. Characters without a font belong to the first one; `closest_form` avoids them.
    """
    if text.isascii():
        return [Run(text, faces[0])] if text else []
    parts = list(clusters(text))
    preferred = [None if _is_common(part) else _face_of(part, faces) for part in parts]
    following: list[Path | None] = [None] * len(parts)
    for at in range(len(parts) - 1, 0, -1):
        following[at - 1] = preferred[at] or following[at]
    face_per_cluster: list[Path] = []
    for at, part in enumerate(parts):
        near = (face_per_cluster[-1] if face_per_cluster else None, following[at])
        fitting = preferred[at] or next((face for face in near if face and _has(face, part)), None)
        face_per_cluster.append(fitting or _face_of(part, faces) or faces[0])
    pairs = groupby(zip(face_per_cluster, parts, strict=True), key=lambda pair: pair[0])
    return [Run("".join(part for _face, part in group), face) for face, group in pairs]


def is_plain(text: str, faces: Faces) -> bool:
    """Return whether `text` can be set character by character from left to right, which is several times faster."""
    return text.isascii() or _plain_characters(faces).issuperset(text)


def is_rtl(text: str) -> bool:
    """Return whether all of `text` runs from right to left, without digits."""
    return {unicodedata.bidirectional(letter) for letter in text} <= {"R", "AL", "NSM", "WS", "BN", "ON", "CS"}


def closest_form(text: str, faces: Faces) -> Form:
    """Return `text` in the closest form that the fonts can show, composed (NFC) and with single spaces.

    A character without a font is replaced by its compatibility form or base letter (Unicode, UAX #15), and a letter
    without either by a placeholder; pictures are omitted. If nothing is left, the result is a dash.
    """
    normalized = " ".join(unicodedata.normalize("NFC", text).split())
    if is_plain(normalized, faces):
        return Form(normalized or "–", is_exact=bool(normalized))
    normalized = "".join(letter for letter in normalized if letter in _JOINERS or unicodedata.category(letter) != "Cf")
    text = " ".join("".join(_renderable(part, faces) for part in clusters(normalized)).split())
    return Form(text or "–", is_exact=text == normalized)


def clusters(text: str) -> Iterator[str]:
    """Yield graphical units: a letter with its marks and joiners, or a conjunct of consonants."""
    start = 0
    for at in range(1, len(text)):
        if not _continues_cluster(text[at - 1], text[at]):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


@cache
def characters(face: Path) -> frozenset[int]:
    """Return the code points of a font."""
    with TTFont(face, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _renderable(cluster: str, faces: Faces) -> str:
    if cluster.isspace() or _face_of(cluster, faces):
        return cluster
    for form in (unicodedata.normalize("NFKC", cluster), unicodedata.normalize("NFD", cluster)):
        if letters := "".join(letter for letter in form if _face_of(letter, faces)):
            return unicodedata.normalize("NFC", letters)
    if unicodedata.category(cluster[0])[0] not in "LN":
        return ""
    return _GETA if unicodedata.name(cluster[0], "").startswith("CJK") else _BOX


def _continues_cluster(before: str, letter: str) -> bool:
    if unicodedata.category(letter)[0] == "M" or letter in _JOINERS or letter in _TRAILING:
        return True
    return before == "\u200d" or (unicodedata.combining(before) == _VIRAMA and unicodedata.category(letter) == "Lo")


def _is_common(cluster: str) -> bool:
    return unicodedata.category(cluster[0])[0] not in "LM"


@lru_cache(maxsize=1 << 16)
def _face_of(cluster: str, faces: Faces) -> Path | None:
    return next((face for face in faces if _has(face, cluster)), None)


def _has(face: Path, cluster: str) -> bool:
    """Return whether `face` has all visible characters of `cluster`, apart from joiners, selectors and controls."""
    return all(ord(letter) in characters(face) for letter in cluster if not _is_ignorable(letter))


def _is_ignorable(letter: str) -> bool:
    return "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef" or not letter.isprintable()


@cache
def _plain_characters(faces: Faces) -> frozenset[str]:
    """Return the characters, except marks, that need no shaping in a font and are read from left to right."""
    first = {code: face for face in reversed(faces) for code in characters(face)}
    letters = (chr(code) for code, face in first.items() if face in _UNSHAPED)
    return frozenset(
        letter
        for letter in letters
        if unicodedata.category(letter)[0] not in "MC" and unicodedata.bidirectional(letter) not in ("R", "AL", "AN")
    )
