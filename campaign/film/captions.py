"""Captions and chapters: reads SubRip (SRT) or WebVTT, and writes WebVTT that every browser shows alike.

WebVTT is read as browsers read it (W3C, WebVTT 1, 6.1 "WebVTT file parsing"), with one difference: a cue that a browser
would drop without a word is either mended or refused with its line.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from campaign.errors import CaptionError

MAX_BYTES = 2_000_000  # a hundred times the captions of a long film
TOLERANCE_MS = 1000  # how far past the end of the film a caption may end without a note; it is cut there
MAX_NOTES = 5  # that name a line each

_CLOCK = r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{2})[.,]([0-9]{1,3})"
_ARROW = "-->"
_TIMING = re.compile(rf"{_CLOCK}\s*{_ARROW}\s*{_CLOCK}(?:\s+(\S.*))?")
_SIGNATURE = re.compile(r"WEBVTT(?:[ \t].*)?")
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")
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
    """Return SRT or WebVTT as WebVTT (W3C, WebVTT 1) for a film of `seconds`. Raises `CaptionError` with the line.

    Comments, styles, regions and cue names are left out, as are tags that WebVTT does not know.
    """
    captions = cues(content, seconds=seconds)
    return "WEBVTT\n" + "".join(f"\n{_format_cues(cue)}\n" for cue in captions)


def cues(content: bytes, *, seconds: float | None = None) -> list[Cue]:
    """Return the cues in order of time; with `seconds`, those of a film of that length. Raises `CaptionError`."""
    lines = list(enumerate(plain_text(content).split("\n"), start=1))
    head = next((index for index, (_, line) in enumerate(lines) if line), 0)
    is_webvtt = bool(_SIGNATURE.fullmatch(lines[head][1]))
    blocks = _webvtt_blocks(lines[head + 1 :]) if is_webvtt else _srt_blocks(lines)
    captions = sorted((_cue(block, is_webvtt=is_webvtt) for block in blocks), key=lambda cue: cue.start)
    if not captions:
        raise CaptionError(1, f"no caption stands in it; write SRT or WebVTT, each with its time: {_EXAMPLE}")
    return captions if seconds is None else [_clamp(cue, round(seconds * 1000)) for cue in captions]


def notes(content: bytes, *, seconds: float) -> list[str]:
    """Return a sentence for each cue that a film of `seconds` never shows whole. Raises `CaptionError`."""
    length = round(seconds * 1000)
    remarks = []
    for cue in cues(content):
        if cue.end <= cue.start:
            remarks.append(f"line {cue.line}: this caption ends before it begins, so it is never shown")
        elif cue.end > length + TOLERANCE_MS:
            remarks.append(f"line {cue.line}: this caption was cut at the end of the film, {_clock(length)}")
    more = [f"and {len(remarks) - MAX_NOTES} more captions like these"] if len(remarks) > MAX_NOTES else []
    return [*remarks[:MAX_NOTES], *more]


def plain_text(content: bytes) -> str:
    """Return text in UTF-8, or UTF-16 with its byte order mark, with plain line ends. Raises `CaptionError`."""
    if len(content) > MAX_BYTES:
        raise CaptionError(1, f"the file has more than {MAX_BYTES // 1_000_000} MB; that is no text of a film")
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        raise CaptionError(line, "this is no UTF-8; save the file as UTF-8") from None
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


_Line = tuple[int, str]


def _webvtt_blocks(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Yield the lines of each cue of a WebVTT file, given all `lines` after the first.

    A block ends at an empty line, or at a second timing line. The header ends at the first empty line or timing line.
    """
    block: list[_Line] = []
    in_header = True
    for number, line in [*lines, (0, "")]:
        if line and not _begins_next(block, line, in_header=in_header):
            block.append((number, line))
            continue
        if block and not in_header and (_timing_index(block) is not None or not _ASIDE.fullmatch(block[0][1])):
            yield block
        in_header = False
        block = [(number, line)] if line else []


def _begins_next(block: Sequence[_Line], line: str, *, in_header: bool) -> bool:
    """Return whether `line` is a time that does not belong to the `block` above it."""
    if _ARROW not in line or not _TIMING.fullmatch(line.strip()):
        return False
    return in_header or len(block) > 1 or (len(block) == 1 and _ARROW in block[0][1])


def _srt_blocks(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Yield the lines of each cue of an SRT file: a line of spaces ends a block only where another cue follows."""
    block: list[_Line] = []
    for index, (number, line) in enumerate(lines):
        if line.strip():
            block.append((number, line))
        elif block and (not line or _cue_follows(lines[index + 1 : index + 3])):
            yield block
            block = []
    if block:
        yield block


def _cue_follows(lines: Sequence[_Line]) -> bool:
    """Return whether a cue, an empty line or the end of the file follows, given the next two lines."""
    texts = [line.strip() for _, line in lines]
    return not texts or not texts[0] or any(_TIMING.fullmatch(text) for text in texts)


def _timing_index(block: Sequence[_Line]) -> int | None:
    """Return the place of the time in a block: its first line, or its second below a number or a name."""
    return next((index for index, (_, line) in enumerate(block[:2]) if _ARROW in line), None)


def _cue(block: Sequence[_Line], *, is_webvtt: bool) -> Cue:
    at = _timing_index(block)
    if at is None:
        fault = f"no time stands before this text; write {_EXAMPLE} above it, and no empty line within a caption"
        raise CaptionError(block[0][0], fault)
    number, timing = block[at][0], block[at][1].strip()
    match = _TIMING.fullmatch(timing)
    if match is None:
        raise CaptionError(number, f"{timing[:60]!r} is no time; write it like {_EXAMPLE}")
    start, end = _milliseconds(match.groups()[:4], number), _milliseconds(match.groups()[4:8], number)
    settings = " ".join(word for word in (match[9] or "").split() if _SETTING.fullmatch(word))
    return Cue(start, end, _text(block[at + 1 :], is_webvtt=is_webvtt), settings, number)


def _milliseconds(clock: Sequence[str | None], line: int) -> int:
    hours, minutes, seconds, fraction = clock
    if int(minutes or 0) > 59 or int(seconds or 0) > 59:
        raise CaptionError(line, "minutes and seconds go up to 59; correct the time")
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "").ljust(3, "0"))


def _text(lines: Sequence[_Line], *, is_webvtt: bool) -> str:
    """Return the text of a cue. In WebVTT an ampersand can begin any character reference of HTML; SRT has none."""
    for number, line in lines:
        if _TIMING.fullmatch(line.strip()):
            raise CaptionError(number, "a time stands in the middle of a caption; put an empty line before its caption")
    return "\n".join(filter(None, (_clean(line if is_webvtt else _ENTITY.sub("&amp;", line)) for _, line in lines)))


def _clean(line: str) -> str:
    """Return a line without markup that WebVTT does not allow. Repeated, since removing one tag can form another."""
    while (better := _clean_once(line)) != line:
        line = better
    return line


def _clean_once(line: str) -> str:
    parts = _TAG.split(_OVERRIDE.sub("", line))
    return "".join(_part(part) for part in parts).strip()


def _part(part: str) -> str:
    if _KEPT_TAG.fullmatch(part):
        return part
    if _OTHER_TAG.fullmatch(part):
        return ""
    return part.replace("<", "&lt;").replace(">", "&gt;")


def _clamp(cue: Cue, length: int) -> Cue:
    """Return the cue, cut at the end of a film of `length` milliseconds. Raises `CaptionError` if it begins later."""
    if cue.start >= length:
        film = _clock(length)
        raise CaptionError(cue.line, f"this caption begins after the film, which ends at {film}; is it of this film?")
    return replace(cue, end=min(cue.end, length))


def _format_cues(cue: Cue) -> str:
    settings = f" {cue.settings}" if cue.settings else ""
    return f"{_clock(cue.start)} --> {_clock(cue.end)}{settings}\n{cue.text}"


def _clock(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"
