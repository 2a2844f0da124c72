"""Paints what is there before the skaters come: sky, northern light, mountains, the ice and its old scratches."""

from functools import cache

import numpy as np
from canvas import BELOW, HORIZON, ON_ICE, XX, YY, H, W, blurred, project, upscaled
from PIL import Image, ImageDraw
from story import Floats


def night(t: float) -> Floats:
    """Return the light of the empty scene at `t` seconds."""
    sky = upscaled(_aurora(t)) * (1 - ON_ICE[..., None]) * (1 - _mountains()[..., None])
    mirror = sky[np.clip((2 * HORIZON - YY[:, 0]).astype(int), 0, int(HORIZON) - 1)]
    mirror = upscaled(np.stack([blurred(c, 4) for c in np.moveaxis(mirror[::4, ::4], -1, 0)], -1))
    fade = 0.55 * np.exp(-BELOW / 170) * ON_ICE
    return np.asarray(_still() + sky + mirror * fade[..., None])


@cache
def scratches() -> Floats:
    """Return faint marks of earlier blades, 0 to about 1."""
    sheet, rng = Image.new("L", (2 * W, 2 * H)), np.random.default_rng(3)
    pen = ImageDraw.Draw(sheet)
    for x, z, bend, heading in zip(
        *rng.uniform(np.array([[-9], [2.5], [-0.5], [0]]), np.array([[9], [16], [0.5], [6.3]]), (4, 420)), strict=True
    ):
        s = np.linspace(0, 2.4, 14)
        sx, sy = project(
            x + np.cumsum(np.cos(heading + bend * s)) * 0.16, z + np.cumsum(np.sin(heading + bend * s)) * 0.16
        )
        pen.line([(2 * a, 2 * b) for a, b in zip(sx, sy, strict=True)], fill=int(40 + 120 * rng.random()), width=2)
    return np.asarray(np.asarray(sheet.reduce(2), float) / 255 * ON_ICE)


@cache
def _still() -> Floats:
    """Return what never moves: the sky's blue, stars, mist over the far edge, and the ice under them."""
    up = np.clip((HORIZON - YY) / HORIZON, 0, 1)
    sky = (0.022 + 0.05 * np.exp(-up * 3.2)) * (1 - 0.55 * _mountains()) + _stars()
    ice = (0.040 + 0.055 * np.exp(-BELOW / 110)) * (0.85 + 0.5 * scratches())
    mist = 0.05 * np.exp(-np.abs(YY - HORIZON) / 16)
    level = np.where(YY < HORIZON, sky, ice) + mist
    return np.asarray(level[..., None] * np.array([0.42, 0.68, 1.12]))


@cache
def _mountains() -> Floats:
    x = np.arange(W) / W
    rng = np.random.default_rng(2014)
    ridge = sum(np.abs(np.sin(np.pi * (x * f + rng.random()))) ** 0.8 / f for f in (1.3, 2.9, 5.3, 11, 23, 47))
    top = HORIZON - 30 - 11 * (ridge - np.mean(ridge)) / np.std(ridge)
    return np.asarray(np.clip(YY - top, 0, 1) * (1 - ON_ICE))


@cache
def _stars() -> Floats:
    rng = np.random.default_rng(7)
    sky = np.zeros((H, W))
    y, x = (rng.random(130) ** 1.3 * 200).astype(int), rng.integers(0, W, 130)
    sky[y, x] = 0.15 + 1.1 * rng.random(130) ** 4
    return blurred(sky, 0.75) * 2


def _aurora(t: float) -> Floats:
    """Return two slow curtains of northern light at a quarter of the size."""
    return np.asarray(_curtain(t, 0, 186, 150, 0.30) + _curtain(t, 1, 120, 110, 0.20))


def _curtain(t: float, k: int, foot: float, tall: float, strength: float) -> Floats:
    """Return the `k`th curtain: its foot and height in pixels, green below and violet above."""
    x, y = XX[::4, ::4] / W, YY[::4, ::4]
    sway = 26 * np.sin(4.1 * x + 0.16 * t + 2 * k) + 12 * np.sin(9.7 * x - 0.23 * t + k)
    v = (foot + sway - y) / tall
    body = np.clip(v / 0.25 + 0.5, 0, 1) ** 2 * np.exp(-1.5 * np.maximum(v, 0))
    body *= strength * _rays(x, t, k) * (0.35 + 0.65 * np.sin(np.pi * x + 0.5 * k) ** 2)
    hue = np.clip(v, 0, 1.4)[..., None] / 1.4
    green, violet = np.array([0.10, 0.92, 0.62]), np.array([0.42, 0.22, 0.85])
    return np.asarray(body[..., None] * ((1 - hue) * green + hue * violet))


def _rays(x: Floats, t: float, k: int) -> Floats:
    broad = np.sin(19 * x + 5 * np.sin(3.7 * x + 0.11 * t + k))
    fine = np.sin(67 * x - 0.4 * t + 9 * np.sin(4.3 * x + k))
    return np.asarray(0.66 + 0.20 * broad + 0.14 * fine)
