"""Draws one frame of the clip: the night, the ice, the two lights, the glass between them, and the words.

Light is added up as floats of shape (height, width, 3) and only at the end turned into bytes, with grain that hides the steps.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
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
    Words,
    ease,
    skaters,
)

W, H = 1280, 720
HORIZON, FOCAL, EYE = 262.0, 900.0, 2.2  # pixels, pixels, metres above the ice
WARM, COOL = np.array([1.0, 0.56, 0.22]), np.array([0.26, 0.60, 1.0])
FONTS = ("NotoSerifDisplay-Regular.ttf", "DejaVuSerif.ttf")
GLASS_HALF, GLASS_HEIGHT = 2.15, 2.55

XX, YY = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
BELOW = np.maximum(YY - HORIZON, 0.5)
GROUND_Z = FOCAL * EYE / BELOW
GROUND_X = (XX - W / 2) / FOCAL * GROUND_Z
ON_ICE = np.clip(YY - HORIZON + 0.5, 0, 1)


def frame(t: float, number: int) -> NDArray[np.uint8]:
    """Return the picture at `t` seconds, (720, 1280, 3) bytes; `number` seeds its grain."""
    warm, cool = skaters(t)
    light = _night(t) + _ice_light(warm, cool) + _trails(t)
    light += _figure(cool, _lean(t, 1), COOL)
    light = _through_glass(light, t, warm) + _figure(warm, _lean(t, 0), WARM)
    picture = 1 - np.exp(-1.25 * _zoomed(light + _bloom(light), 1 + 0.05 * ease(t, 0, DURATION)))
    picture *= _dimming(t)[..., None]
    for words in WORDS:
        picture = _with_words(picture, words, t)
    return _grained(picture, number)


def _project(x: Floats, z: Floats) -> tuple[Floats, Floats]:
    z = np.maximum(z, 0.6)
    return W / 2 + FOCAL * x / z, HORIZON + FOCAL * EYE / z


def _night(t: float) -> Floats:
    sky = _upscaled(_aurora(t)) * (1 - ON_ICE[..., None]) * (1 - _mountains()[..., None])
    mirror = sky[np.clip((2 * HORIZON - YY[:, 0]).astype(int), 0, int(HORIZON) - 1)]
    mirror = _upscaled(np.stack([_blurred(c, 4) for c in np.moveaxis(mirror[::4, ::4], -1, 0)], -1))
    fade = 0.55 * np.exp(-BELOW / 170) * ON_ICE
    return _still() + sky + mirror * fade[..., None]


@cache
def _still() -> Floats:
    """Return what never moves: the sky's blue, stars, mist over the far edge, and the ice under them."""
    up = np.clip((HORIZON - YY) / HORIZON, 0, 1)
    sky = (0.022 + 0.05 * np.exp(-up * 3.2)) * (1 - 0.55 * _mountains()) + _stars()
    ice = (0.030 + 0.055 * np.exp(-BELOW / 90)) * (0.85 + 0.3 * _scratches())
    mist = 0.07 * np.exp(-np.abs(YY - HORIZON) / 7)
    level = np.where(YY < HORIZON, sky, ice) + mist
    return level[..., None] * np.array([0.42, 0.68, 1.12])


@cache
def _mountains() -> Floats:
    x = np.arange(W) / W
    rng = np.random.default_rng(2014)
    ridge = sum(np.abs(np.sin(np.pi * (x * f + rng.random()))) ** 0.8 / f for f in (1.3, 2.9, 5.3, 11, 23, 47))
    top = HORIZON - 14 - 34 * (ridge - np.mean(ridge)) / np.std(ridge) * 0.5 - 14
    return np.clip(YY - top, 0, 1) * (1 - ON_ICE)


@cache
def _stars() -> Floats:
    rng = np.random.default_rng(7)
    sky = np.zeros((H, W))
    y, x = (rng.random(130) ** 1.3 * 200).astype(int), rng.integers(0, W, 130)
    sky[y, x] = 0.15 + 1.1 * rng.random(130) ** 4
    return _blurred(sky, 0.75) * 2


@cache
def _scratches() -> Floats:
    """Return faint marks of earlier blades, 0 to about 1."""
    sheet, rng = Image.new("L", (2 * W, 2 * H)), np.random.default_rng(3)
    pen = ImageDraw.Draw(sheet)
    for x, z, bend, heading in zip(
        *rng.uniform([[-9], [2.5], [-0.5], [0]], [[9], [16], [0.5], [6.3]], (4, 420)), strict=True
    ):
        s = np.linspace(0, 2.4, 14)
        sx, sy = _project(
            x + np.cumsum(np.cos(heading + bend * s)) * 0.16, z + np.cumsum(np.sin(heading + bend * s)) * 0.16
        )
        pen.line([(2 * a, 2 * b) for a, b in zip(sx, sy, strict=True)], fill=int(40 + 120 * rng.random()), width=2)
    return np.asarray(sheet.reduce(2), float) / 255 * ON_ICE


def _aurora(t: float) -> Floats:
    """Return two slow curtains of northern light at a quarter of the size."""
    x, y = XX[::4, ::4] / W, YY[::4, ::4]
    out = np.zeros((*x.shape, 3))
    for k, (foot, tall, strength) in enumerate(((178, 120, 0.20), (120, 90, 0.12))):
        sway = 26 * np.sin(4.1 * x + 0.16 * t + 2 * k) + 12 * np.sin(9.7 * x - 0.23 * t + k)
        rays = (
            0.62
            + 0.22 * np.sin(31 * x + 6 * np.sin(3 * x + 0.11 * t + k))
            + 0.16 * np.sin(73 * x - 0.5 * t + 4 * np.sin(5 * x))
        )
        v = (foot + sway - y) / tall
        body = (
            strength
            * rays
            * np.clip(v / 0.35 + 0.3, 0, 1) ** 2
            * np.exp(-1.5 * np.maximum(v, 0))
            * (0.35 + 0.65 * np.sin(np.pi * x + 0.5 * k) ** 2)
        )
        hue = np.clip(v, 0, 1.4)[..., None] / 1.4
        out += body[..., None] * ((1 - hue) * np.array([0.10, 0.92, 0.62]) + hue * np.array([0.42, 0.22, 0.85]))
    return out


def _ice_light(warm: Floats, cool: Floats) -> Floats:
    """Return the pools of light at the skaters' feet, in which the old scratches show."""
    out = np.zeros((H, W, 3))
    for (x, z), colour in ((warm, WARM), (cool, COOL)):
        away = (GROUND_X - x) ** 2 + (GROUND_Z - z) ** 2
        pool = ON_ICE * (0.16 * np.exp(-away / 0.5) + 0.10 / (1 + away / 0.9) ** 1.5) * (0.8 + 2.6 * _scratches())
        out += pool[..., None] * colour
    return out


def _trails(t: float) -> Floats:
    """Return the lines the blades have drawn so far: bright where fresh, a pale cut where old."""
    out = np.zeros((H, W, 3))
    times = np.append(np.arange(-1.0, t, 1 / 60), t)
    glow = np.exp(-(t - times) / 1.1)
    for path, colour in zip(skaters(times), (WARM, COOL), strict=True):
        line = _stroke(path, 0.20 + 0.80 * glow)
        tint = 0.75 * colour + 0.25 * np.array([0.8, 0.9, 1.0])
        out += (line * 0.9)[..., None] * tint
    return out


def _stroke(path: Floats, level: Floats) -> Floats:
    sheet = Image.new("L", (2 * W, 2 * H))
    pen, (sx, sy) = ImageDraw.Draw(sheet), _project(path[:, 0], path[:, 1])
    for i in range(len(path) - 1):
        width = max(2, round(2 * 0.022 * FOCAL / max(path[i, 1], 1)))
        pen.line((2 * sx[i], 2 * sy[i], 2 * sx[i + 1], 2 * sy[i + 1]), fill=int(255 * level[i]), width=width)
    return np.asarray(sheet.reduce(2), float) / 255


def _lean(t: float, who: int) -> float:
    """Return how far a skater leans sideways into the curve, as a share of her height."""
    before, now, after = (skaters(t + d)[who][0] for d in (-0.15, 0, 0.15))
    return float(np.clip(0.05 * (after - 2 * now + before) / 0.15**2, -0.35, 0.35))


def _figure(place: Floats, lean: float, colour: Floats, strength: float = 1.0) -> Floats:
    """Return a slender flame of light standing on the ice, and its reflection."""
    (sx, sy), scale = _project(place[0], place[1]), FOCAL / place[1]
    v = (sy - YY) / (1.55 * scale)
    tall = np.abs(v) * np.where(v < 0, 1.15, 1.0)
    off = np.abs(XX - sx - lean * tall**1.6 * scale) / scale
    width = (0.012 + 0.07 * np.clip(tall, 0, 1) * np.clip(1 - tall, 0, 1)) * np.where(v < 0, 1 + 1.2 * tall, 1)
    shape = np.clip(1 - tall, 0, 1) ** 1.5 * np.where(v < 0, 0.30 * np.exp(-1.5 * tall), 1.0)
    core, halo = np.exp(-((off / width) ** 2)), np.exp(-off / 0.10)
    body = 1.7 * core[..., None] * (0.55 * colour + 0.45) + 0.34 * halo[..., None] * colour
    return strength * shape[..., None] * body


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
    behind = np.stack([_blurred(c, 1.6) for c in np.moveaxis(np.roll(light, 5, 1), -1, 0)], -1)
    mirrored = warm + 2 * (ACROSS @ (MEETING_PLACE - warm)) * ACROSS
    ghost = _figure(mirrored, 0.0, WARM, 0.16 * float(ease(t, PARTING, PARTED)))
    return (
        light * (1 - pane)
        + pane * (0.74 * behind + ghost + _sheen(u, up, t))
        + edge[..., None] * np.array([0.62, 0.92, 1.0])
    )


def _sheen(u: Floats, up: Floats, t: float) -> Floats:
    drift = u - 0.45 * up + 0.9 - 0.10 * t
    streak = np.exp(-((drift / 0.34) ** 2)) + 0.6 * np.exp(-(((drift - 0.75) / 0.12) ** 2))
    level = 0.018 + 0.045 * streak * (0.4 + 0.6 * up / GLASS_HEIGHT)
    return level[..., None] * np.array([0.72, 0.92, 1.0])


def _bloom(light: Floats) -> Floats:
    """Return the glow around whatever is bright."""
    small = np.maximum(light[::4, ::4] + light[2::4, 2::4] - 0.5, 0) / 2
    glow = sum(
        weight * np.stack([_blurred(c, size) for c in np.moveaxis(small, -1, 0)], -1)
        for size, weight in ((3, 0.35), (10, 0.4), (30, 0.45))
    )
    return _upscaled(np.asarray(glow))


def _blurred(plane: Floats, size: float) -> Floats:
    """Return the plane under a Gaussian of `size` pixels, edges repeated by reflection."""
    pad = int(3 * size) + 2
    wide = np.pad(plane, pad, mode="reflect" if pad < min(plane.shape) else "edge")
    fy, fx = np.fft.fftfreq(wide.shape[0])[:, None], np.fft.rfftfreq(wide.shape[1])[None]
    soft = np.fft.irfft2(np.fft.rfft2(wide) * np.exp(-2 * (np.pi * size) ** 2 * (fx**2 + fy**2)), wide.shape)
    return np.maximum(soft[pad:-pad, pad:-pad], 0)


def _upscaled(small: Floats) -> Floats:
    planes = [
        Image.fromarray(c.astype(np.float32)).resize((W, H), Image.Resampling.BICUBIC)
        for c in np.moveaxis(small, -1, 0)
    ]
    return np.maximum(np.stack([np.asarray(p, float) for p in planes], -1), 0)


def _zoomed(light: Floats, by: float) -> Floats:
    """Return the picture a little nearer, around the place where the two meet."""
    cx, cy = W / 2, 400.0
    how = (1 / by, 0, cx - cx / by, 0, 1 / by, cy - cy / by)
    planes = [Image.fromarray(c.astype(np.float32)) for c in np.moveaxis(light, -1, 0)]
    moved = [p.transform((W, H), Image.Transform.AFFINE, how, Image.Resampling.BICUBIC) for p in planes]
    return np.maximum(np.stack([np.asarray(p, float) for p in moved], -1), 0)


def _dimming(t: float) -> Floats:
    """Return the fade from black, the corners' shade and the hush under the words."""
    corner = ((XX - W / 2) / W) ** 2 + ((YY - H * 0.52) / H) ** 2
    hush = 1 - 0.62 * ease(t, WORDS[0].start - 0.6, WORDS[0].start + 0.8)
    return ease(t, 0, 1.6) * hush * (1 - 0.75 * corner)


def _with_words(picture: Floats, words: Words, t: float) -> Floats:
    for line, ink in enumerate(_lettering(words)):
        start = words.start + 0.55 * line
        shown = float(ease(t, start, start + 0.9) * (1 - ease(t, words.end - 0.6, words.end)))
        picture = picture * (1 - 0.5 * shown * _shadow(words, line)[..., None])
        picture = picture + (shown * ink)[..., None] * (np.array([0.96, 0.97, 1.0]) - picture)
    return picture


@cache
def _lettering(words: Words) -> tuple[Floats, ...]:
    """Return one mask per line, centred, generously spaced."""
    top = 0.44 * H - sum(1.42 * s for s in words.sizes) / 2
    sheets = []
    for line, size in zip(words.lines, words.sizes, strict=True):
        sheets.append(_line(line, size, top))
        top += 1.42 * size
    return tuple(sheets)


def _line(text: str, size: int, top: float) -> Floats:
    sheet, font = Image.new("L", (2 * W, 2 * H)), _font(2 * size)
    pen, gap = ImageDraw.Draw(sheet), 0.05 * size
    x = W - (font.getlength(text) + gap * (len(text) - 1)) / 2
    for i, letter in enumerate(text):
        pen.text((x + font.getlength(text[:i]) + gap * i, 2 * top), letter, fill=255, font=font)
    return np.asarray(sheet.reduce(2), float) / 255


@cache
def _shadow(words: Words, line: int) -> Floats:
    ink = Image.fromarray((_lettering(words)[line] * 255).astype(np.uint8))
    return np.clip(np.asarray(ink.filter(ImageFilter.GaussianBlur(22)), float) / 255 * 2.2, 0, 1)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _grained(picture: Floats, number: int) -> NDArray[np.uint8]:
    grain = np.random.default_rng(number).normal(0, 1.1, (H, W, 1))
    return np.clip(picture * 255 + grain + 0.5, 0, 255).astype(np.uint8)
