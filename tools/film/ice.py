"""The ice: its colour, scratches that glint in circles around a light, a halo under it, reflections."""

from functools import cache

import cv2
import numpy as np
from camera import View
from timeline import Floats

TILE = 18.0  # metres after which the scratches repeat
TEXELS = 2048  # of the tile's side
SCRATCHES = 5200
RING = 4.4  # metres: the radius of the circle painted under the ice
DEEP = np.array([0.010, 0.022, 0.046])  # the ice without any light
PAINT = np.array([0.005, 0.015, 0.030])


class Ice:
    """The ice as one view sees it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._texture = _sampled(view)

    def bare(self) -> Floats:
        """Return the ice without a lamp over it: dark, a shade lighter where it is clouded, the painted circle."""
        x, z, far = self._view.ground
        ring = np.exp(-(((np.hypot(x, z) - RING) / 0.07) ** 2)) * np.exp(-((far / 22) ** 2)) * self._view.on_ice
        level = (0.75 + 0.9 * self._texture[..., 3] + 5.0 * self._texture[..., 0]) * np.exp(
            -((np.hypot(x, z) / 26) ** 2)
        )
        return np.asarray((level * self._view.on_ice)[..., None] * DEEP + ring[..., None] * PAINT)

    def lit(self, x: float, z: float, *, reach: float) -> Floats:
        """Return how brightly it shines under a lamp over (x, z), 0 to about 1: a pool, and rings of scratches.

        A scratch shines where it lies across the way to the lamp: so all that shine form circles around it.
        """
        ground_x, ground_z, _ = self._view.ground
        dx, dz = ground_x - x, ground_z - z
        away = dx**2 + dz**2
        scratch, cosine, sine, clouds = np.moveaxis(self._texture, -1, 0)
        across = -(cosine * (dx**2 - dz**2) + sine * 2 * dx * dz) / (away + 0.02)
        shining = np.maximum(0.35 * scratch + 0.9 * across, 0) / (1 + 2.2 * away / reach**2)
        pool = 0.10 * np.exp(-away / (0.35 * reach**2)) + 0.035 / (1 + away / reach**2) ** 1.5
        return np.asarray((pool * (0.7 + 0.6 * clouds) + 1.5 * shining) * self._view.on_ice)


@cache
def _tiles() -> tuple[Floats, ...]:
    """Return the scratches at full, quarter and sixteenth detail: strength, twice its direction, clouds; (n, n, 4)."""
    rng = np.random.default_rng(2014)
    tile = np.zeros((TEXELS, TEXELS, 4))
    for _ in range(SCRATCHES):
        _scratch(tile, rng)
    tile[..., :3] = cv2.GaussianBlur(tile[..., :3], (0, 0), 0.7, borderType=cv2.BORDER_REFLECT)
    tile[..., 3] = _clouds(rng)
    return tile, *(cv2.resize(tile, None, fx=1 / by, fy=1 / by, interpolation=cv2.INTER_AREA) for by in (4, 16))


def _scratch(tile: Floats, rng: np.random.Generator) -> None:
    """Draw one mark of a blade: a gentle arc that fades at its ends."""
    length, bend, turn = rng.gamma(2.0, 0.7), rng.normal(0, 0.35), rng.uniform(0, 2 * np.pi)
    n = max(int(length * TEXELS / TILE), 4)
    s = np.linspace(-0.5, 0.5, n)
    angle = turn + bend * length * s
    step = length / n * TEXELS / TILE
    x = (rng.uniform(0, TEXELS) + np.cumsum(np.cos(angle)) * step).astype(int) % TEXELS
    z = (rng.uniform(0, TEXELS) + np.cumsum(np.sin(angle)) * step).astype(int) % TEXELS
    strength = rng.gamma(1.4, 0.11) * np.cos(np.pi * s)
    values = np.stack([strength, strength * np.cos(2 * angle), strength * np.sin(2 * angle)], -1)
    np.add.at(tile[..., :3], (z, x), values)


def _clouds(rng: np.random.Generator) -> Floats:
    """Return soft patches between 0 and 1 that repeat without a seam."""
    waves = np.fft.fftfreq(TEXELS, 1 / TEXELS)
    size = np.hypot(waves[:, None], waves[None, :])
    noise = np.fft.fft2(rng.normal(size=(TEXELS, TEXELS)))
    soft = np.fft.ifft2(noise * np.where(size > 0, 1 / np.maximum(size, 1) ** 1.7, 0)).real
    return np.asarray(np.clip(0.5 + 0.22 * soft / soft.std(), 0, 1))


def _sampled(view: View) -> Floats:
    x, z, far = view.ground
    # Texels under one pixel along the view, which is where they crowd.
    crowd = far / view.focal * TEXELS / TILE * np.clip(far / max(view.place[1], 0.5), 1, 30)
    detail = np.clip(np.log2(np.maximum(crowd, 1e-6)) / 2, 0, 2)
    out = np.zeros((view.height, view.width, 4))
    for i, tile in enumerate(_tiles()):
        share = np.clip(1 - np.abs(detail - i), 0, 1)
        if share.any():
            scale = tile.shape[0] / TILE
            at = ((x * scale) % tile.shape[0]).astype(np.float32), ((z * scale) % tile.shape[0]).astype(np.float32)
            out += share[..., None] * cv2.remap(tile, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return out
