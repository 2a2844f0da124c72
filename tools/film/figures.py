"""Draws the two skaters: the lines their blades leave, their bodies of light, and the dust that they light up."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from bloom import spectrum
from camera import View
from choreography import reaching, skaters, together
from light import Dots, line_light
from timeline import (
    BLOOM_END,
    COOL_IN,
    DRAINED,
    DRAINING,
    GLASS_IN,
    GLASS_SHUT,
    HEART_START,
    MEETING,
    RETURNING,
    WARM_IN,
    Floats,
    ease,
    swell,
)

WARM, COOL = np.array([1.0, 0.50, 0.16]), np.array([0.20, 0.55, 1.0])
COLOURS = (WARM, COOL)
TALL = 1.55  # metres
APERTURE = 0.030  # metres; objects out of focus are blurred
NEAREST = 0.3  # metres; nearer objects are not drawn
BLADE = 0.011  # metres: half the width of a line on the ice
PER_SECOND = 720  # dots of a line
# How wide the body is (metres) at shares of its height: blade, knee, skirt, waist, shoulders, neck.
_SHAPE = ((0, 0.22, 0.46, 0.58, 0.72, 0.79, 0.85), (0.006, 0.013, 0.036, 0.021, 0.034, 0.014, 0.009))


@dataclass(frozen=True)
class Strokes:
    """Lines in space: points (n, 3) in metres, the light in their middle (n, 3), their radius in metres (n,)."""

    points: Floats
    light: Floats
    radius: Floats

    def mirrored(self, axis: int, strength: float | Floats, softer: float = 1.0) -> "Strokes":
        """Return them as a mirror shows them: the ice (axis 1) or the glass (axis 0)."""
        points = self.points.copy()
        points[:, axis] *= -1
        return Strokes(points, self.light * np.reshape(strength, (-1, 1)), self.radius * softer)


def draw(dots: Dots, view: View, strokes: Sequence[Strokes], focus: float) -> None:
    """Add lines to `dots` as `view` sees them, sharp at `focus` metres."""
    seen = [_line_seen(view, stroke, focus) for stroke in strokes]
    dots.add(*(np.concatenate(part) for part in zip(*seen, strict=True)))


def scatter(dots: Dots, view: View, points: Strokes, focus: float) -> None:
    """Add points, each for itself, to `dots`."""
    x, y, far, sharp, radius = _seen(view, points, focus)
    light = points.light * (2 * np.pi * np.maximum(sharp, 0.7 * view.width / 1920) ** 2 * (far > 1.2))[:, None] * 6
    dots.add(x, y, light, radius)


def trace(who: int, t: float) -> Strokes:
    """Return the line on the ice that one of the two has drawn until `t`: bright where fresh, a pale cut where old."""
    start = (WARM_IN, COOL_IN)[who] - 1.0
    t = max(t, start + 0.01)
    times = np.append(np.arange(start, t, 1 / PER_SECOND), t)
    x, z = np.moveaxis(skaters(times)[who], -1, 0)
    age = t - times
    level = 0.34 + 0.5 * np.exp(-age / 5) + 0.9 * np.exp(-age / 0.5)
    before_heart = 1 - ease(times, HEART_START - 0.6, HEART_START)
    level = level * (
        1
        - before_heart
        * (0.25 + 0.67 * float(ease(t, HEART_START, HEART_START + 3)))
        * ease(t, HEART_START - 2, HEART_START + 1)
    )
    level = level * _broken(x, t) * (1 - 0.62 * ease(t, DRAINING, DRAINED) + 0.75 * ease(t, RETURNING, RETURNING + 3))
    tint = 0.85 * COLOURS[who] + 0.15 * np.array([0.7, 0.85, 1.0])
    points = np.stack([x, np.zeros_like(x), z], -1)
    light = (level * ease(times, start, start + 0.8))[:, None] * _iridescent(tint, age, t)
    return Strokes(points, light, np.full(len(x), BLADE))


def body(who: int, t: float) -> tuple[Strokes, ...]:
    """Return one of the two: a body, a head, veils that lag behind, and arms when they reach out."""
    shown = float(ease(t, (WARM_IN, COOL_IN)[who] - 0.8, (WARM_IN, COOL_IN)[who] + 0.6))
    fading = (
        1 - (0.38, 0.52)[who] * float(ease(t, DRAINING, DRAINED + 5)) + 0.35 * float(ease(t, RETURNING, RETURNING + 3))
    )
    colour = shown * fading * COLOURS[who]
    return (*_trunk(who, t, colour), *_veils(who, t, colour), *_arms(who, t, colour))


def dust(t: float) -> Strokes:
    """Return what floats in the cold air, lit by the two."""
    seeds = _motes()
    points = seeds + 0.25 * np.sin(0.21 * t + 5 * seeds[:, ::-1]) * np.array([1, 0.4, 1])
    light = np.full((len(points), 3), 0.004) * np.array([0.5, 1.0, 0.9])
    for place, colour in zip(skaters(t), COLOURS, strict=True):
        away = ((points - np.array([place[0], 0.8, place[1]])) ** 2).sum(-1)
        light = light + 0.05 * colour / (0.4 + away)[:, None]
    return Strokes(points, light, np.full(len(points), 0.006))


def _line_seen(view: View, stroke: Strokes, focus: float) -> tuple[Floats, Floats, Floats, Floats]:
    x, y, far, sharp, radius = _seen(view, stroke, focus)
    # Out of focus the same light covers more.
    light = line_light(x, y, stroke.light * (sharp / radius)[:, None], radius) * (far > NEAREST)[:, None]
    return x, y, light, radius


def _seen(view: View, stroke: Strokes, focus: float) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return x and y in pixels, metres away, the radius in pixels in focus and as it is out of it."""
    x, y, ahead = view.project(stroke.points)
    far = np.maximum(ahead, NEAREST)
    sharp = np.maximum(view.focal * stroke.radius / far, 0.55 * view.width / 1920)
    return x, y, far, sharp, np.hypot(sharp, APERTURE * view.focal * np.abs(1 / far - 1 / focus))


def _iridescent(tint: Floats, age: Floats, t: float) -> Floats:
    """Return the line's colour: while the rainbow blooms, it runs along the line from where the two have met."""
    level = 0.85 * swell(t, MEETING, MEETING + 1.6, BLOOM_END) * ease(t - MEETING - 0.32 * age, -1.0, 0.6)
    return np.asarray(tint + level[:, None] * (1.25 * spectrum((0.30 * age - 0.25 * (t - MEETING)) % 1) - tint))


def _broken(x: Floats, t: float) -> Floats:
    """Return what the glass leaves of a line near it: a gap, and splinters beside it."""
    gap = 0.34 * float(ease(t, GLASS_IN + 0.6, GLASS_SHUT) * (1 - 0.8 * ease(t, RETURNING, RETURNING + 4)))
    if not gap:
        return np.ones_like(x)
    whole = ease(np.abs(x), 0.25 * gap, gap)
    splinters = 0.5 + 0.5 * np.tanh(6 * np.sin(95 * x) + 4 * (np.abs(x) / gap - 1.6))
    return np.asarray(whole * np.where(np.abs(x) < 2.6 * gap, splinters, 1))


def _lean(who: int, t: float | Floats) -> Floats:
    """Return how far the head is from over the blade, in metres: into the curve, and towards each other."""
    before, now, after = (skaters(np.asarray(t) + d)[who] for d in (-0.2, 0, 0.2))
    pull = np.clip(0.035 * (after - 2 * now + before) / 0.2**2, -0.34, 0.34)
    other = skaters(t)[1 - who] - now
    apart = np.maximum(np.hypot(other[..., 0], other[..., 1]), 0.1)[..., None]
    near = 0.30 * together(t)[..., None] * other + 0.05 * reaching(t)[..., None] * other / apart
    return np.asarray(pull + near)


def _at_height(who: int, t: float | Floats, h: Floats) -> Floats:
    """Return where she is at shares `h` of her height (n,) at the times `t` (...): shape (..., n, 3)."""
    t = np.asarray(t, float)[..., None]
    sway = 0.03 * np.sin(1.3 * t + 2 * who) * np.sin(np.pi * h)
    xz = skaters(t)[who] + _lean(who, t) * (h**1.4)[:, None] + sway[..., None] * np.array([0.6, -0.8])
    return np.stack([xz[..., 0], np.broadcast_to(TALL * h, xz.shape[:-1]), xz[..., 1]], -1)


def _trunk(who: int, t: float, colour: Floats) -> tuple[Strokes, Strokes]:
    h = np.linspace(0, 0.85, 600)
    width = np.interp(h, *_SHAPE)
    level = 1.15 * np.interp(h, (0, 0.1, 0.5, 0.75, 0.85), (1.5, 0.9, 1.05, 1.0, 0.7))
    white = 0.72 * colour + 0.28 * colour.max()
    head = _at_height(who, t, np.linspace(0.90, 0.93, 60))
    return (
        Strokes(_at_height(who, t, h), level[:, None] * white, width),
        Strokes(head, np.tile(2.6 * white, (60, 1)), np.full(60, 0.036)),
    )


def _veils(who: int, t: float, colour: Floats) -> list[Strokes]:
    """Return what shows where the body was a moment ago: soft threads that run together."""
    coarse, s = np.linspace(0, 1.2, 31), np.linspace(0, 1.2, 300)
    heights = np.linspace(0.08, 0.82, 17)
    past = _at_height(who, t - coarse, heights)
    out = []
    for k in range(len(heights)):
        points = np.stack([np.interp(s, coarse, past[:, k, i]) for i in range(3)], -1)
        points[:, 1] += 0.030 * np.sin(6 * s - 2.7 * t + 0.5 * k) * s - 0.20 * s * points[:, 1]
        level = 0.135 * np.exp(-s / (0.22 + 0.016 * k)) * np.clip(s / 0.06, 0, 1)
        out.append(Strokes(points, level[:, None] * colour, 0.030 + 0.085 * s))
    return out


def _arms(who: int, t: float, colour: Floats) -> list[Strokes]:
    reach = float(reaching(t))
    if not reach:
        return []
    side = 1 if who else -1
    s = np.linspace(0, 1, 260)
    [shoulder] = _at_height(who, t, np.array([0.74]))
    gone = (0.13 + 0.03 * who) * side
    out = []
    for k, lift in ((-1, 0.12), (1, 0.03)):
        hand = np.array([gone + (shoulder[0] - gone) * (1 - reach), 1.12 + lift, shoulder[2] + 0.09 * k])
        elbow = (shoulder + hand) / 2 + np.array([0, -0.05, 0.05 * k])
        curve = (1 - s)[:, None] ** 2 * shoulder + (2 * s * (1 - s))[:, None] * elbow + s[:, None] ** 2 * hand
        level = reach * (0.8 + 0.5 * s**8)  # the fingers shine
        out.append(Strokes(curve, level[:, None] * (0.75 * colour + 0.25 * colour.max()), 0.015 - 0.007 * s))
    return out


@cache
def _motes() -> Floats:
    return np.random.default_rng(11).uniform([-8, 0.05, -7.5], [8, 2.6, 8], (420, 3))
