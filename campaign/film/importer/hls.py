"""What a file says of itself: codec strings (RFC 6381) from an MP4, and the master playlist of HLS (RFC 8216)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from mmap import mmap

from campaign.errors import FilmError

# Three descriptors in one another, each a tag and a length of one to four bytes; the last holds the codec's own words.
_LENGTH = rb"[\x80-\xff]{0,3}[\x00-\x7f]"
_ESDS = re.compile(rb"esds.{4}\x03%b.{3}\x04%b\x40.{12}\x05%b(.)" % (_LENGTH, _LENGTH, _LENGTH), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Variant:
    """One rendition for HLS: its playlist's address, its size and codecs, its bits a second at most and on average."""

    address: str
    width: int
    height: int
    fps: Fraction
    codecs: str
    peak: int
    average: int


def codecs(mp4: bytes | mmap) -> str:
    """Return the codec strings of an MP4 (RFC 6381), video first. Raises `FilmError` for unexpected codecs."""
    moov = _box(mp4, b"moov")
    names = [_avc1(moov), _av01(moov), _mp4a(moov), "opus" if b"dOps" in moov else ""]
    if not any(names[:2]) or not any(names[2:]):
        raise FilmError("ffmpeg used a different codec than requested; install your distribution's ffmpeg")
    return ", ".join(filter(None, names))


def master_playlist(variants: Sequence[Variant]) -> str:
    """Return the playlist that names all renditions."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for one in variants:
        rates = f"BANDWIDTH={one.peak},AVERAGE-BANDWIDTH={one.average}"
        shape = f"RESOLUTION={one.width}x{one.height},FRAME-RATE={float(one.fps):.3f}"
        lines += [f'#EXT-X-STREAM-INF:{rates},{shape},CODECS="{one.codecs.replace(" ", "")}"', one.address]
    return "\n".join(lines) + "\n"


def segments(playlist: str) -> list[tuple[str, float]]:
    """Return the segments that a media playlist names, each with its seconds."""
    return [(name, float(seconds)) for seconds, name in re.findall(r"#EXTINF:([0-9.]+),[^\n]*\n([^#\n]+)", playlist)]


def bit_rates(sizes: Sequence[tuple[int, float]]) -> tuple[int, int]:
    """Return the peak and the average bits a second of segments with their bytes and seconds (RFC 8216, 4.3.4.2).

    A last segment of less than half the longest has no say in the peak: it ends before it can fill a line.
    """
    longest = max(seconds for _, seconds in sizes)
    peak = max(size * 8 / seconds for size, seconds in sizes if seconds >= longest / 2)
    average = sum(size for size, _ in sizes) * 8 / sum(seconds for _, seconds in sizes)
    return round(max(peak, average)), round(average)


def _box(mp4: bytes | mmap, name: bytes) -> bytes:
    """Return the content of the top box of that name, or nothing (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at + 8 <= len(mp4):
        size, head = int.from_bytes(mp4[at : at + 4]), 8
        if size == 1:
            size, head = int.from_bytes(mp4[at + 8 : at + 16]), 16
        if mp4[at + 4 : at + 8] == name:
            return mp4[at + head : at + size]
        if size < head:
            break
        at += size
    return b""


def _after(content: bytes, name: bytes, length: int) -> bytes:
    at = content.find(name)
    return content[at + len(name) : at + len(name) + length] if at >= 0 else b""


def _avc1(moov: bytes) -> str:
    head = _after(moov, b"avcC", 4)  # version, profile, constraints, level
    return f"avc1.{head[1:].hex()}" if head else ""


def _av01(moov: bytes) -> str:
    head = _after(moov, b"av1C", 3)  # marker; profile 3 bits, level 5; tier, 10 bits, 12 bits
    if not head:
        return ""
    profile, level, tier = head[1] >> 5, head[1] & 31, "H" if head[2] & 0x80 else "M"
    depth = (12 if head[2] & 0x20 else 10) if head[2] & 0x40 else 8
    return f"av01.{profile}.{level:02}{tier}.{depth:02}"


def _mp4a(moov: bytes) -> str:
    """Return AAC by its object type, from the first five bits of its DecoderSpecificInfo (ISO/IEC 14496-3, 1.6.2.1)."""
    match = _ESDS.search(moov)
    return f"mp4a.40.{match[1][0] >> 3}" if match else ""
