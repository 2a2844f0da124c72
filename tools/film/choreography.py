"""Where the two skaters are: the warm light and the cool one, on the plane of the ice.

The ice is the plane y = 0; x runs to the right, z away from the viewer, in metres. The heart is drawn around (0, 0).
"""

from functools import cache

import numpy as np
from timeline import DURATION, HEART_START, LETTING_GO, MEETING, REACHING, Floats, Spline, ease

CLEFT = np.array([0.0, 0.62])  # where the heart's halves meet
APART = 0.15  # metres from the middle to each when they have met
STEPS = 24  # knots a second

_WARM_ENTRY = ((0.0, -10.5, -5.4), (2.6, -5.4, -2.9), (5.0, -1.2, 0.6), (6.9, -2.6, 3.0), (8.8, -5.6, 1.0))
_COOL_ENTRY = ((0.0, 14.0, 6.5), (3.2, 8.6, 4.6), (5.4, 4.6, 1.6), (7.2, 1.6, -1.9), (8.9, 4.6, -2.4))
_WARM_COMING = ((18.2, 0.7, -3.6), (18.9, 1.75, -3.85), (19.45, 2.0, -3.45), (20.0, 1.2, -3.15))
_COOL_COMING = ((18.6, -1.9, -1.5), (19.7, -1.15, -3.55))


def skaters(t: float | Floats) -> tuple[Floats, Floats]:
    """Return where the warm and the cool light stand at `t`, each with shape (..., 2) as x, z."""
    return _path(0)(t), _path(1)(t)


def reaching(t: float | Floats) -> Floats:
    """Return how far the two stretch out towards each other, 0 to 1."""
    return np.asarray(ease(t, REACHING, REACHING + 2.2) * (1 - ease(t, LETTING_GO, LETTING_GO + 3.0)))


def together(t: float | Floats) -> Floats:
    """Return how near to an embrace they are, 0 to 1."""
    return np.asarray(ease(t, MEETING - 0.6, MEETING + 1.2) * (1 - ease(t, REACHING - 2.6, REACHING - 1.0)))


@cache
def _path(who: int) -> Spline:
    entry = np.array((_WARM_ENTRY, _COOL_ENTRY)[who])
    late = 0.16 * who  # they pass the heart's tip one after the other
    circling = np.arange(11.4, 17.6, 0.5)
    coming = np.array((_WARM_COMING, _COOL_COMING)[who])
    drawing = np.arange(HEART_START, MEETING + 0.01, 0.25)
    after = np.arange(MEETING + 0.5, DURATION + 1, 0.5)
    times = np.concatenate(
        [entry[:, 0], circling, coming[:, 0], drawing + late * (1 - ease(drawing, HEART_START, MEETING)), after]
    )
    places = [entry[:, 1:], _circle(circling, who), coming[:, 1:], _heart(drawing, who), _at_the_glass(after, who)]
    return Spline(times, np.concatenate(places))


def _circle(t: Floats, who: int) -> Floats:
    """Return the places of one of the two on a circle that closes in."""
    gone = (t - 11.4) / 6.2
    angle = np.pi * (1 - who) + 0.75 + 7.0 * gone
    radius = 3.5 - 1.7 * gone
    return np.stack([radius * np.cos(angle), 0.3 - 1.0 * gone + radius * np.sin(angle)], -1)


def _heart(t: Floats, who: int) -> Floats:
    """Return the places along one half of the heart, from its tip to the cleft; the last part is the slowest."""
    left = 1 - np.clip((t - HEART_START) / (MEETING - HEART_START), 0, 1)
    u = np.pi * (0.35 * left + 0.65 * left**2)
    side = 1 if who else -1
    x = side * (0.115 * 16 * np.sin(u) ** 3 + APART * ease(t, MEETING - 1.5, MEETING))
    z = 0.150 * (13 * np.cos(u) - 5 * np.cos(2 * u) - 2 * np.cos(3 * u) - np.cos(4 * u) - 5) + CLEFT[1]
    return np.stack([x, z], -1)


def _at_the_glass(t: Floats, who: int) -> Floats:
    """Return where they stand: close, then with the glass between them, then further away."""
    side = 1 if who else -1
    back = 0.42 * ease(t, 29.2, 31.4) + (0.75 + 1.1 * who) * ease(t, LETTING_GO, LETTING_GO + 7)
    return np.stack([side * (APART + back), CLEFT[1] + 0.0 * t], -1)
