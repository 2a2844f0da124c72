"""Captions and chapters: reads SubRip (SRT) or WebVTT, and writes WebVTT that a browser is sure to take."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from campaign.errors import CaptionError

MOST_BYTES = 2_000_000  # a hundred times the captions of a long film
TOLERANCE_MS = 1000  # how far past the end of the film a caption may end; it is cut there

_CLOCK = r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{2})[.,]([0-9]{1,3})"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s+(\S.*))?")
_SETTING = re.compile(r"(?:vertical|line|position|size|align):[a-z0-9.,%-]+")
_KEPT_TAG = re.compile(r"</?[biu]>|</(?:v|c|lang|ruby|rt)>|<(?:v|lang) [\w .'-]+>|<c(?:\.[\w-]+)*>|<(?:ruby|rt)>")
_OTHER_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[0-9:.]+>")
_TAG = re.compile(r"(<[^<>]*>)")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|nbsp|lrm|rlm|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")  # {\an8}, of SubStation Alpha
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
_EXAMPLE = "00:00:01,000 --> 00:00:04,000"


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines of WebVTT text, shown from `start` to `end` (milliseconds). `line` is where the file has them."""

    start: int
    end: int
    text: str
    settings: str
    line: int


def webvtt(content: bytes, *, seconds: float | None = None) -> str:
    """Return SRT or WebVTT as WebVTT (W3C, WebVTT 1) for a film of `seconds`; raises `CaptionError` with the line.

    Comments, styles, regions and cue names are left out, as are tags that WebVTT does not know.
    """
    found = cues(content, seconds=seconds)
    return "WEBVTT\n" + "".join(f"\n{_written(cue)}\n" for cue in found)


def cues(content: bytes, *, seconds: float | None = None) -> list[Cue]:
    """Return what is shown and when, checked. Raises `CaptionError`."""
    found = [_cue(block) for block in _blocks(plain_text(content))]
    if not found:
        raise CaptionError(1, f"no caption stands in it; write SRT or WebVTT, each with its time: {_EXAMPLE}")
    _require_order(found)
    return found if seconds is None else [_within(cue, round(seconds * 1000)) for cue in found]


def plain_text(content: bytes) -> str:
    """Return text in UTF-8, or UTF-16 with its byte order mark, with plain line ends. Raises `CaptionError`."""
    if len(content) > MOST_BYTES:
        raise CaptionError(1, f"the file has more than {MOST_BYTES // 1_000_000} MB; that is no text of a film")
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        raise CaptionError(line, "this is no UTF-8; save the file as UTF-8") from None
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


_Line = tuple[int, str]


def _blocks(text: str) -> Iterator[list[_Line]]:
    """Yield the lines of each cue: numbered from one, without the header, comments, styles and regions."""
    block: list[_Line] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            block.append((number, line.strip()))
            continue
        if block and not _is_aside(block[0]):
            yield block
        block = []


def _is_aside(first: _Line) -> bool:
    number, line = first
    word = re.split(r"[ \t]", line, maxsplit=1)[0]
    return (word == "WEBVTT" and number == 1) or word in ("NOTE", "STYLE", "REGION")


def _cue(block: Sequence[_Line]) -> Cue:
    at = next((index for index, (_, line) in enumerate(block[:2]) if "-->" in line), None)
    if at is None:
        fault = f"no time stands before this text; write {_EXAMPLE} above it, and no empty line within a caption"
        raise CaptionError(block[0][0], fault)
    number, timing = block[at]
    match = _TIMING.fullmatch(timing)
    if match is None:
        raise CaptionError(number, f"{timing[:60]!r} is no time; write it like {_EXAMPLE}")
    start, end = _milliseconds(match.groups()[:4], number), _milliseconds(match.groups()[4:8], number)
    if start >= end:
        raise CaptionError(number, "this caption ends before it begins; correct its times")
    settings = " ".join(word for word in (match[9] or "").split() if _SETTING.fullmatch(word))
    return Cue(start, end, _text(block[at + 1 :], number), settings, number)


def _milliseconds(clock: Sequence[str | None], line: int) -> int:
    hours, minutes, seconds, fraction = clock
    if int(minutes or 0) > 59 or int(seconds or 0) > 59:
        raise CaptionError(line, "minutes and seconds go up to 59; correct the time")
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "").ljust(3, "0"))


def _text(lines: Sequence[_Line], timing: int) -> str:
    for number, line in lines:
        if _TIMING.fullmatch(line):
            raise CaptionError(number, "a time stands in the middle of a caption; put an empty line before its caption")
    cleaned = [line for line in (_cleaned(line) for _, line in lines) if line]
    if not any(_TAG.sub("", line).strip() for line in cleaned):
        raise CaptionError(timing, "this caption has no text; write some, or delete it")
    return "\n".join(cleaned)


def _cleaned(line: str) -> str:
    """Return a line as WebVTT can hold it. Repeated, for what goes may leave together what was apart."""
    while (better := _cleaned_once(line)) != line:
        line = better
    return line


def _cleaned_once(line: str) -> str:
    parts = _TAG.split(_OVERRIDE.sub("", line))
    return "".join(_part(part) for part in parts).strip()


def _part(part: str) -> str:
    if _KEPT_TAG.fullmatch(part):
        return part
    if _OTHER_TAG.fullmatch(part):
        return ""
    return _ENTITY.sub("&amp;", part).replace("<", "&lt;").replace(">", "&gt;")


def _require_order(found: Sequence[Cue]) -> None:
    for before, cue in pairwise(found):
        if cue.start < before.start:
            raise CaptionError(cue.line, "this caption begins before the one above it; put them in order of time")


def _within(cue: Cue, length: int) -> Cue:
    """Return the cue, cut at the end of a film of `length` milliseconds. Raises `CaptionError` if it goes on."""
    if cue.start >= length or cue.end > length + TOLERANCE_MS:
        film = _clock(length)
        raise CaptionError(cue.line, f"this caption goes on after the film, which ends at {film}; is it of this film?")
    return Cue(cue.start, min(cue.end, length), cue.text, cue.settings, cue.line)


def _written(cue: Cue) -> str:
    settings = f" {cue.settings}" if cue.settings else ""
    return f"{_clock(cue.start)} --> {_clock(cue.end)}{settings}\n{cue.text}"


def _clock(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"
