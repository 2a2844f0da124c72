"""The sky: northern light in two curtains, stars, hills on the horizon, and how the ice mirrors them."""

from functools import cache

import numpy as np
from camera import View
from light import Dots, blurred, resized
from timeline import Floats

SMALL = 4  # northern light is soft: drawn at a quarter of the size
STARS = 420
GREEN, VIOLET, ROSE = np.array([0.08, 0.86, 0.56]), np.array([0.36, 0.20, 0.86]), np.array([0.80, 0.24, 0.50])


def sky(view: View, t: float) -> Floats:
    """Return the sky's light, with its mirror in the ice."""
    above, below = view.elevation > 0, view.elevation <= 0
    if not above.any() and view.place[1] > 9:
        return np.zeros((view.height, view.width, 3))
    small = _small(view)
    light = _night(np.abs(small.elevation)) + _curtains(np.abs(small.elevation), small.heading, t)
    light *= (1 - _hills(np.abs(small.elevation), small.heading))[..., None]
    stretched = _smeared(light, small)
    light = np.where(small.elevation[..., None] > 0, light, stretched * _mirroring(small)[..., None])
    whole = np.maximum(resized(light, view.width, view.height), 0)
    whole[above] += _stars(view)[above] * (1 - _hills(view.elevation, view.heading))[above, None]
    return np.asarray(
        np.where(below[..., None], whole, whole * (1 - 0.9 * _hills(view.elevation, view.heading))[..., None])
    )


def _small(view: View) -> View:
    return View(view.width // SMALL, view.height // SMALL, view.place, view.right, view.up, view.ahead)


def _mirroring(view: View) -> Floats:
    """Return how much the ice mirrors where it is seen at a flat angle (Schlick's rule), ice being a bit rough."""
    flat = 1 - np.clip(-view.rays[..., 1] / np.linalg.norm(view.rays, axis=-1), 0, 1)
    return np.asarray(0.04 + 0.85 * flat**4)


def _smeared(light: Floats, view: View) -> Floats:
    """Return the light drawn out downwards, as rough ice does."""
    return blurred(
        np.asarray(np.apply_along_axis(np.convolve, 0, light, np.ones(9) / 9, mode="same")), 2.0 * view.width / 480
    )


def _night(up: Floats) -> Floats:
    glow = 0.035 * np.exp(-up * 7) + 0.016 * np.exp(-up * 1.8) + 0.006
    return np.asarray(glow[..., None] * np.array([0.46, 0.80, 1.25]))


def _curtains(up: Floats, heading: Floats, t: float) -> Floats:
    return np.asarray(_curtain(up, heading, t, 0, 0.060, 0.125, 0.60) + _curtain(up, heading, t, 1, 0.125, 0.17, 0.34))


def _curtain(up: Floats, heading: Floats, t: float, k: int, foot: float, tall: float, strength: float) -> Floats:
    """Return the `k`th curtain: its foot and height as tangents; green at the foot, violet and rose above."""
    sway = 0.022 * np.sin(2.3 * heading + 0.11 * t + 2 * k) + 0.010 * np.sin(6.1 * heading - 0.17 * t + k)
    v = (up - foot - sway) / tall
    body = np.clip(v / 0.10 + 0.5, 0, 1) ** 2 * np.exp(-2.3 * np.maximum(v, 0))
    wave = 0.5 + 0.5 * np.sin(1.7 * heading + 0.9 * k + 0.05 * t + 0.8)
    body = body * strength * _rays(heading, v, t, k) * (0.25 + 0.75 * wave**1.5)
    hue = np.clip(v, 0, 1)[..., None]
    colour = (1 - hue) ** 1.5 * GREEN + 1.4 * hue * (1 - hue) * VIOLET + 0.6 * hue**2 * ROSE
    return np.asarray(body[..., None] * colour)


def _rays(heading: Floats, v: Floats, t: float, k: int) -> Floats:
    broad = np.sin(13 * heading + 3.2 * np.sin(2.9 * heading + 0.13 * t + k))
    fine = np.sin(47 * heading - 0.33 * t + 6 * np.sin(3.3 * heading + 0.07 * t + k))
    return np.asarray(0.60 + 0.24 * broad + 0.16 * fine * np.clip(1 - 0.5 * v, 0.2, 1))


def _hills(up: Floats, heading: Floats) -> Floats:
    """Return 1 where hills stand before the sky."""
    ridge = sum(
        a * np.sin(f * heading + p)
        for f, a, p in ((3.1, 1.0, 0.4), (7.3, 0.5, 2.1), (17.0, 0.22, 0.3), (41.0, 0.1, 1.1))
    )
    top = 0.021 + 0.0085 * ridge
    return np.asarray(np.clip((top - up) / 0.0016 + 0.5, 0, 1))


@cache
def _firmament() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(7)
    heading, up = rng.uniform(-1.8, 1.8, STARS), 0.03 + 0.55 * rng.random(STARS) ** 1.4
    way = np.stack([np.sin(heading), up, np.cos(heading)], -1)
    return way, (0.15 + 1.6 * rng.random(STARS) ** 5)[:, None] * np.array([0.8, 0.9, 1.0])


def _stars(view: View) -> Floats:
    way, light = _firmament()
    x, y, ahead = view.project(view.place + 1000 * way)
    seen = ahead > 0
    dots, unit = Dots(view.width, view.height), view.width / 1920
    dots.add(x[seen], y[seen], 5.0 * light[seen] * unit**2, np.full(int(seen.sum()), 1.05 * unit))
    return dots.image()
