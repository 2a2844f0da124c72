"""Draws one frame of "Two lines on ice"."""

from collections.abc import Sequence

import numpy as np
from bloom import bloom
from camera import WIDTH, View, view_at
from choreography import skaters
from figures import COLOURS, Strokes, body, draw, dust, scatter, trace
from glass import Glass
from ice import Ice
from lettering import with_words
from light import Dots, glowing, grained
from numpy.typing import NDArray
from sky import sky
from timeline import DRAINED, DRAINING, FPS, GLASS_IN, RETURNING, WORDS, Floats, ease

EXPOSURE = 2.0
GREY = np.array([0.30, 0.55, 0.15])


def frame(number: int, width: int = WIDTH) -> NDArray[np.uint8]:
    """Return frame `number` as (height, width, 3) bytes, 16:9."""
    t = number / FPS
    view = view_at(t, width)
    light = _scene(view, t)
    picture = 1 - np.exp(-EXPOSURE * (light + glowing(light)))
    picture = _graded(picture, t)
    for words in WORDS:
        picture = with_words(picture, words, t)
    return grained(picture, number)


def _scene(view: View, t: float) -> Floats:
    """Return the scene: background, glass, foreground."""
    ice, warm, cool = Ice(view), body(0, t), body(1, t)
    middle = np.insert(np.mean(skaters(t), 0), 1, 0.6)
    focus = float((middle - view.place) @ view.ahead)
    behind = sky(view, t) + ice.bare() + bloom(view, ice, t)
    for who, parts in enumerate((warm, cool)):
        behind += _pool(ice, skaters(t)[who], float(parts[0].light.max())) * COLOURS[who]
    behind += _drawn(view, focus, [trace(0, t), trace(1, t), *_standing(cool)])
    if t >= GLASS_IN:
        mirrored = _drawn(view, focus, [part.mirrored(0, 0.34, 1.25) for part in warm])
        behind = Glass(view, t).over(behind, mirrored)
    return behind + _drawn(view, focus, _standing(warm), dust(t))


def _pool(ice: Ice, place: Floats, level: float) -> Floats:
    """Return the light at a skater's feet, as bright as she is."""
    return 0.85 * level * ice.lit(float(place[0]), float(place[1]), reach=1.0)[..., None]


def _standing(parts: Sequence[Strokes]) -> list[Strokes]:
    """Return a skater and her reflection in the ice, which fades with its depth."""
    return [*parts, *(part.mirrored(1, 0.30 * np.exp(-part.points[:, 1] / 0.7), 1.9) for part in parts)]


def _drawn(view: View, focus: float, lines: list[Strokes], points: Strokes | None = None) -> Floats:
    dots = Dots(view.width, view.height)
    draw(dots, view, lines, focus)
    if points is not None:
        scatter(dots, view, points, focus)
    return dots.image()


def _graded(picture: Floats, t: float) -> Floats:
    """Return the picture with its colours drained, the corners' shade, the fade from black and the hush for words."""
    drained = 0.88 * float(ease(t, DRAINING, DRAINED)) - 0.62 * float(ease(t, RETURNING, RETURNING + 3.5))
    grey = (picture @ GREY)[..., None] * np.array([0.90, 1.0, 1.12])
    picture = picture + drained * (grey - picture)
    height, width = picture.shape[:2]
    x, y = (np.arange(width) + 0.5) / width - 0.5, ((np.arange(height) + 0.5) / height - 0.52)[:, None]
    hush = 1 - 0.16 * float(ease(t, DRAINING + 1, DRAINED)) + 0.12 * float(ease(t, RETURNING, RETURNING + 3))
    return np.asarray(picture * (float(ease(t, 0.2, 2.6)) * hush * (1 - 0.85 * (x**2 + y**2)))[..., None])
