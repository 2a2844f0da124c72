"""When things happen in the clip and where its two skaters are; no pixels, no sound.

Times are seconds. The ice is a plane: x runs to the right, z away from the viewer, both in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FPS = 24
DURATION = 16.0
MEETING = 6.2  # the two come as near as they ever will
GLASS_IN, GLASS_SHUT = 5.9, 7.7
PARTING, PARTED = 8.2, 12.6
ACROSS = np.array([0.6, 0.8])  # from one to the other at the meeting, and the way the glass faces
ALONG = np.array([0.8, -0.6])  # the way the glass slides
MEETING_PLACE = np.array([0.0, 6.3])


@dataclass(frozen=True)
class Words:
    """Lines shown from `start` to `end`; `sizes` are in pixels of a 720-line picture."""

    start: float
    end: float
    lines: tuple[str, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Sound:
    """A sound as the captions describe it."""

    start: float
    end: float
    text: str


WORDS = (
    Words(8.9, 12.3, ("What if living your dream", "meant living a lie?"), (58, 58)),
    Words(12.7, DURATION + 2, ("Ask the IOC to speak out.", "#LoveAlwaysWins"), (58, 34)),
)
SOUNDS = (
    Sound(0.4, 3.4, "[blades whisper over ice]"),
    Sound(3.4, 6.2, "[soft glass tones, two voices drawing near]"),
    Sound(6.2, 8.8, "[two glass notes ring as one, then hush]"),
)


def ease(t: float | Floats, start: float, end: float) -> Floats:
    """Go from 0 to 1 between `start` and `end`, gently at both ends (smootherstep)."""
    u = np.clip((np.asarray(t, float) - start) / (end - start), 0, 1)
    return np.asarray(u**3 * (u * (u * 6 - 15) + 10))


def skaters(t: float | Floats) -> tuple[Floats, Floats]:
    """Return where the warm and the cool light stand at `t`, each with shape (..., 2) as x, z."""
    t = np.asarray(t, float)
    left = (1 - np.clip((t + 1.0) / (MEETING + 1.0), 0, 1)) ** 1.7  # how much of the way is left
    parted = ease(t, PARTING, PARTED)
    turn = np.arctan2(ACROSS[1], ACROSS[0]) + 9.2 * left
    middle = MEETING_PLACE + np.stack([1.1 * np.sin(3 * left), 8.5 * left], -1)
    reach = 0.22 + 4.6 * left**0.85 * (1 - 0.3 * left)
    warm = middle - _around(turn - 0.62 * parted, reach + 1.75 * parted)
    cool = middle + _around(turn + 0.16 * parted, reach + 2.9 * parted)
    return warm, cool


def _around(angle: Floats, radius: Floats) -> Floats:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
