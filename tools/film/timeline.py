"""When things happen in "Two lines on ice", and how time is eased. Times are seconds from the start."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FPS = 24
DURATION = 56.0
FRAMES = int(DURATION * FPS)

WARM_IN, COOL_IN = 0.9, 3.2  # the two come onto the ice
HEART_START, MEETING = 20.6, 26.3  # their lines draw the heart; they meet
BLOOM_END = 32.0
GLASS_IN, GLASS_SHUT = 29.9, 32.4  # the pane slides through
REACHING, LETTING_GO = 32.6, 38.4  # hands towards the glass, and down again
DRAINING, DRAINED = 33.6, 38.6  # the colours leave
RETURNING = 50.6  # a little warmth comes back with the call


@dataclass(frozen=True)
class Words:
    """Lines shown from `start` to `end`; `size` is in pixels of a 1080-line picture."""

    start: float
    end: float
    lines: tuple[str, ...]
    size: int = 76


TITLE = Words(1.5, 5.0, ("Two lines on ice",), 84)
WORDS = (
    TITLE,
    Words(36.2, 40.2, ("June 2013. In Russia,", "a law against “propaganda” is signed.")),
    Words(40.7, 45.3, ("It fines those who give people under 18", "information about homosexuality.")),
    Words(45.8, 50.4, ("What if living your dream", "meant living a lie?"), 98),
    Words(51.0, DURATION + 2, ("Ask the IOC to speak out.", "#LoveAlwaysWins"), 94),
)


def ease(t: float | Floats, start: float, end: float) -> Floats:
    """Go from 0 to 1 between `start` and `end`, gently at both ends (smootherstep)."""
    u = np.clip((np.asarray(t, float) - start) / (end - start), 0, 1)
    return np.asarray(u**3 * (u * (u * 6 - 15) + 10))


def swell(t: float | Floats, start: float, top: float, end: float) -> Floats:
    """Rise from 0 to 1 until `top` and go back to 0 until `end`."""
    return np.asarray(ease(t, start, top) * (1 - ease(t, top, end)))


class Spline:
    """The natural cubic spline through `values` (n, k) at `times` (n,)."""

    def __init__(self, times: Floats, values: Floats) -> None:
        self._times, self._values, self._bends = times, values, _bends(times, values)

    def __call__(self, t: float | Floats) -> Floats:
        """Return the place at each `t`, shape (..., k); before the first knot and after the last it stands still."""
        times, t = self._times, np.clip(np.asarray(t, float), self._times[0], self._times[-1])
        i = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
        step = (times[i + 1] - times[i])[..., None]
        b = (t - times[i])[..., None] / step
        a = 1 - b
        straight = a * self._values[i] + b * self._values[i + 1]
        return np.asarray(straight + ((a**3 - a) * self._bends[i] + (b**3 - b) * self._bends[i + 1]) * step**2 / 6)


def _bends(times: Floats, values: Floats) -> Floats:
    """Return the second derivatives at the knots, none at both ends."""
    steps, n = np.diff(times), len(times)
    matrix, right = np.eye(n), np.zeros_like(values)
    for i in range(1, n - 1):
        matrix[i, i - 1 : i + 2] = steps[i - 1] / 6, (steps[i - 1] + steps[i]) / 3, steps[i] / 6
        right[i] = (values[i + 1] - values[i]) / steps[i] - (values[i] - values[i - 1]) / steps[i - 1]
    return np.linalg.solve(matrix, right).astype(np.float64)
