"""Light as floats of shape (height, width, 3): drawn as soft points and lines, blurred, resized, turned into bytes."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from timeline import Floats

LEVELS = 6  # the finest holds dots of one pixel, each next one twice as large
FINEST = 1.0  # pixels: the radius (standard deviation) of the smallest dot
GRAIN = 0.9  # of 255: hides the steps between dark tones


@dataclass
class Dots:
    """Soft points of light, gathered until `image` draws them all at once."""

    width: int
    height: int
    _planes: dict[int, Floats] = field(default_factory=dict)

    def add(self, x: Floats, y: Floats, colour: Floats, radius: Floats) -> None:
        """Add dots at pixels `x`, `y` (n,): `colour` (n, 3) is the light of the whole dot, `radius` in pixels (n,)."""
        level = np.clip(np.log2(np.maximum(radius, FINEST) / FINEST), 0, LEVELS - 1.001)
        lower, share = level.astype(int), level % 1
        for i in range(LEVELS):
            part = np.where(lower == i, 1 - share, np.where(lower == i - 1, share, 0))
            chosen = (part > 0) & (x > -200) & (x < self.width + 200) & (y > -200) & (y < self.height + 200)
            if chosen.any():
                self._spread(i, x[chosen], y[chosen], colour[chosen] * part[chosen, None])

    def image(self) -> Floats:
        """Return the light of all dots."""
        out = None
        for i in reversed(range(LEVELS)):
            height, width = self._size(i)
            if out is not None:
                out = cv2.resize(out, (width, height), interpolation=cv2.INTER_LINEAR)
            if i in self._planes:
                fine = blurred(self._planes[i].reshape(height, width, 3), FINEST)
                out = fine if out is None else out + fine
        return np.zeros((self.height, self.width, 3)) if out is None else out

    def _size(self, level: int) -> tuple[int, int]:
        return max(1, self.height >> level), max(1, self.width >> level)

    def _spread(self, level: int, x: Floats, y: Floats, colour: Floats) -> None:
        """Share each dot among the four pixels around it, at the size of its level."""
        height, width = self._size(level)
        plane = self._planes.setdefault(level, np.zeros((height * width, 3)))
        x, y = x * width / self.width - 0.5, y * height / self.height - 0.5
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            share = np.abs(1 - dx - (x - left)) * np.abs(1 - dy - (y - top))
            column, row = left + dx, top + dy
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            at = row[inside] * width + column[inside]
            for k in range(3):
                # A dot of a coarser level covers more pixels, so its light is thinner there.
                light = (share * colour[:, k])[inside] / 4**level
                plane[:, k] += np.bincount(at, light, minlength=height * width)


def line_light(x: Floats, y: Floats, brightness: Floats, radius: Floats) -> Floats:
    """Return the light of each dot of a line so that its middle has `brightness` (n, 3), however dense the dots are."""
    apart = np.hypot(np.gradient(x), np.gradient(y))
    # Two dots outside of opposite edges of the picture do not form a line.
    return np.asarray(brightness * (np.minimum(apart, 40.0) * np.maximum(radius, FINEST) * np.sqrt(2 * np.pi))[:, None])


def blurred(light: Floats, radius: float) -> Floats:
    """Return `light` under a Gaussian of `radius` pixels."""
    return np.asarray(cv2.GaussianBlur(light, (0, 0), radius, borderType=cv2.BORDER_REPLICATE))


def resized(light: Floats, width: int, height: int) -> Floats:
    """Return `light` in another size."""
    smaller = width < light.shape[1]
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC))


def glowing(light: Floats) -> Floats:
    """Return what shines around everything bright, as in a lens."""
    height, width = light.shape[:2]
    small = np.maximum(resized(light, width // 4, height // 4) - 0.12, 0)
    unit = width / 1920
    near = 0.26 * blurred(small, 3 * unit) + 0.16 * blurred(small, 10 * unit)
    wide = resized(small, width // 16, height // 16)
    far = 0.14 * blurred(wide, 9 * unit) + 0.10 * blurred(wide, 24 * unit)
    return np.maximum(resized(near, width, height), 0) + np.maximum(resized(far, width, height), 0)


def grained(picture: Floats, number: int) -> NDArray[np.uint8]:
    """Return the picture (0 to 1) as bytes, with the grain of frame `number`."""
    grain = np.random.default_rng(number).normal(0, GRAIN, (*picture.shape[:2], 1))
    return np.clip(picture * 255 + grain + 0.5, 0, 255).astype(np.uint8)
