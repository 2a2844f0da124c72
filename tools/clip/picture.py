"""Draws one frame of the clip: the night, the ice, the two lights, the glass between them, and the words.

Light is added up as floats of shape (height, width, 3) and only at the end turned into bytes, with grain that hides the
steps between them.
"""

from functools import cache

import numpy as np
from canvas import EYE, FOCAL, GROUND_X, GROUND_Z, HORIZON, ON_ICE, XX, YY, H, W, blurred, project, upscaled
from lettering import with_words
from night import night, scratches
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from story import (
    ACROSS,
    ALONG,
    DURATION,
    GLASS_IN,
    GLASS_SHUT,
    MEETING_PLACE,
    PARTED,
    PARTING,
    WORDS,
    Floats,
    ease,
    skaters,
)

EXPOSURE = 2.1
WARM, COOL = np.array([1.0, 0.56, 0.22]), np.array([0.26, 0.60, 1.0])
GLASS_HALF, GLASS_HEIGHT = 2.0, 2.0  # metres
FINE = 4  # lines are drawn this many times larger, so that they come out smooth


def frame(t: float, number: int) -> NDArray[np.uint8]:
    """Return the picture at `t` seconds, (720, 1280, 3) bytes; `number` seeds its grain."""
    warm, cool = skaters(t)
    light = night(t) + _ice_light(warm, cool) + _trails(t)
    light += _figure(cool, _lean(t, 1), COOL)
    light = _through_glass(light, t, warm) + _figure(warm, _lean(t, 0), WARM)
    picture = 1 - np.exp(-EXPOSURE * _zoomed(light + _bloom(light), 1.01 + 0.05 * float(ease(t, 0, DURATION))))
    picture *= _dimming(t)[..., None]
    for words in WORDS:
        picture = with_words(picture, words, t)
    return _grained(picture, number)


def _ice_light(warm: Floats, cool: Floats) -> Floats:
    """Return the pools of light at the skaters' feet, in which the old scratches show."""
    out = np.zeros((H, W, 3))
    for (x, z), colour in ((warm, WARM), (cool, COOL)):
        away = (GROUND_X - x) ** 2 + (GROUND_Z - z) ** 2
        pool = ON_ICE * (0.16 * np.exp(-away / 0.5) + 0.10 / (1 + away / 0.9) ** 1.5) * (0.8 + 2.6 * scratches())
        out += pool[..., None] * colour
    return out


def _trails(t: float) -> Floats:
    """Return the lines the blades have drawn so far: bright where fresh, a pale cut where old."""
    out = np.zeros((H, W, 3))
    times = np.append(np.arange(-1.0, t, 1 / 60), t)
    glow = np.exp(-(t - times) / 2.2)
    for path, colour in zip(skaters(times), (WARM, COOL), strict=True):
        line = _stroke(path, (0.30 + 0.70 * glow) * ease(times, -1.0, 0.2))
        tint = 0.75 * colour + 0.25 * np.array([0.8, 0.9, 1.0])
        out += (line * 0.9)[..., None] * tint
    return out


def _stroke(path: Floats, level: Floats) -> Floats:
    sheet = Image.new("L", (FINE * W, FINE * H))
    pen, (sx, sy) = ImageDraw.Draw(sheet), project(path[:, 0], path[:, 1])
    for i in range(len(path) - 1):
        width = max(FINE, round(FINE * 0.022 * FOCAL / max(path[i, 1], 1)))
        ends = FINE * np.array([sx[i], sy[i], sx[i + 1], sy[i + 1]])
        pen.line(tuple(ends), fill=int(255 * level[i]), width=width)
    return np.asarray(sheet.reduce(FINE), float) / 255


def _lean(t: float, who: int) -> float:
    """Return how far a skater leans sideways into the curve, as a share of her height."""
    before, now, after = (skaters(t + d)[who][0] for d in (-0.15, 0, 0.15))
    return float(np.clip(0.05 * (after - 2 * now + before) / 0.15**2, -0.35, 0.35))


def _figure(place: Floats, lean: float, colour: Floats, strength: float = 1.0) -> Floats:
    """Return a slender flame of light standing on the ice, and its reflection."""
    (sx, sy), scale = project(place[0], place[1]), FOCAL / place[1]
    v = (sy - YY) / (1.55 * scale)
    tall = np.abs(v) * np.where(v < 0, 1.15, 1.0)
    off = np.abs(XX - sx - lean * tall**1.6 * scale) / scale
    width = (0.012 + 0.07 * np.clip(tall, 0, 1) * np.clip(1 - tall, 0, 1)) * np.where(v < 0, 1 + 1.2 * tall, 1)
    shape = np.clip(1 - tall, 0, 1) ** 1.5 * np.where(v < 0, 0.30 * np.exp(-1.5 * tall), 1.0)
    core, halo = np.exp(-((off / width) ** 2)), np.exp(-off / 0.10)
    body = 1.7 * core[..., None] * (0.55 * colour + 0.45) + 0.34 * halo[..., None] * colour
    return np.asarray(strength * shape[..., None] * body)


@cache
def _glass_plane() -> tuple[Floats, Floats, Floats]:
    """Return for every pixel where its ray meets the glass: metres along it, metres up, metres away."""
    right, down = (XX - W / 2) / FOCAL, (YY - HORIZON) / FOCAL
    facing = ACROSS[0] * right + ACROSS[1]
    z = np.where(facing > 0.05, (ACROSS @ MEETING_PLACE) / np.maximum(facing, 0.05), 1e3)
    along = (right * z - MEETING_PLACE[0]) * ALONG[0] + (z - MEETING_PLACE[1]) * ALONG[1]
    return along, EYE - down * z, z


def _through_glass(light: Floats, t: float, warm: Floats) -> Floats:
    """Return the light with the pane over it: what is behind turns soft and pale, edges and a sheen show."""
    shown = float(ease(t, GLASS_IN, GLASS_IN + 0.8))
    if not shown:
        return light
    along, up, z = _glass_plane()
    u = along + 9.0 * (1 - float(ease(t, GLASS_IN - 0.4, GLASS_SHUT)))
    inside = np.minimum(np.minimum(GLASS_HALF - np.abs(u), up), GLASS_HEIGHT - up) * FOCAL / z  # pixels from the edge
    pane = (shown * np.clip(inside + 0.5, 0, 1))[..., None]
    edge = shown * np.exp(-((inside / 1.3) ** 2)) * (0.20 + 0.35 * np.clip(u / GLASS_HALF, 0, 1) ** 2)
    seen = 0.74 * _softened(light) + _ghost(t, warm) + _sheen(u, up, t)
    return np.asarray(light * (1 - pane) + pane * seen + edge[..., None] * np.array([0.62, 0.92, 1.0]))


def _softened(light: Floats) -> Floats:
    return np.stack([blurred(c, 1.6) for c in np.moveaxis(np.roll(light, 5, 1), -1, 0)], -1)


def _ghost(t: float, warm: Floats) -> Floats:
    """Return the warm light's reflection, which stays in the glass when the two part."""
    mirrored = warm + 2 * (ACROSS @ (MEETING_PLACE - warm)) * ACROSS
    return _figure(mirrored, 0.0, WARM, 0.16 * float(ease(t, PARTING, PARTED)))


def _sheen(u: Floats, up: Floats, t: float) -> Floats:
    drift = u - 0.45 * up + 0.9 - 0.10 * t
    streak = np.exp(-((drift / 0.34) ** 2)) + 0.6 * np.exp(-(((drift - 0.75) / 0.12) ** 2))
    level = 0.018 + 0.045 * streak * (0.4 + 0.6 * up / GLASS_HEIGHT)
    return np.asarray(level[..., None] * np.array([0.72, 0.92, 1.0]))


def _bloom(light: Floats) -> Floats:
    """Return the glow around whatever is bright."""
    small = np.maximum(light[::4, ::4] + light[2::4, 2::4] - 0.2, 0) / 2
    glow = sum(
        weight * np.stack([blurred(c, size) for c in np.moveaxis(small, -1, 0)], -1)
        for size, weight in ((3, 0.35), (10, 0.4), (30, 0.45))
    )
    return upscaled(np.asarray(glow))


def _zoomed(light: Floats, by: float) -> Floats:
    """Return the picture a little nearer, around the place where the two meet."""
    cx, cy = W / 2, 400.0
    how = (1 / by, 0, cx - cx / by, 0, 1 / by, cy - cy / by)
    planes = [Image.fromarray(c.astype(np.float32)) for c in np.moveaxis(light, -1, 0)]
    moved = [p.transform((W, H), Image.Transform.AFFINE, how, Image.Resampling.BICUBIC) for p in planes]
    return np.asarray(np.maximum(np.stack([np.asarray(p, float) for p in moved], -1), 0))


def _dimming(t: float) -> Floats:
    """Return the fade from black, the corners' shade and the hush under the words."""
    corner = ((XX - W / 2) / W) ** 2 + ((YY - H * 0.52) / H) ** 2
    hush = 1 - 0.42 * ease(t, WORDS[0].start - 0.6, WORDS[0].start + 0.8)
    return np.asarray(ease(t, 0, 1.6) * hush * (1 - 0.75 * corner))


def _grained(picture: Floats, number: int) -> NDArray[np.uint8]:
    grain = np.random.default_rng(number).normal(0, 1.1, (H, W, 1))
    return np.clip(picture * 255 + grain + 0.5, 0, 255).astype(np.uint8)
