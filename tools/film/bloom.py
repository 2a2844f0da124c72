"""The rainbow that blooms where the two meet: rings of light that run over the ice, and a halo in the air."""

import numpy as np
from camera import View
from choreography import CLEFT
from ice import Ice
from timeline import BLOOM_END, MEETING, RETURNING, Floats, ease, swell

SPECTRUM = np.array(
    [(1.0, 0.16, 0.14), (1.0, 0.46, 0.08), (1.0, 0.86, 0.20), (0.20, 0.85, 0.36), (0.18, 0.46, 1.0), (0.56, 0.22, 0.95)]
)


def bloom(view: View, ice: Ice, t: float) -> Floats:
    """Return its light at `t` seconds."""
    level = float(swell(t, MEETING - 0.3, MEETING + 2.0, BLOOM_END))
    again = 0.30 * float(ease(t, RETURNING, RETURNING + 4))  # a memory of it
    if level:
        return np.asarray(level * (_rings(view, ice, t - MEETING) + _halo(view, t - MEETING)))
    return again * _rings(view, ice, 1.4 + 0.2 * (t - RETURNING)) if again else np.zeros((view.height, view.width, 3))


def spectrum(hue: Floats) -> Floats:
    """Return the rainbow's colour at each `hue` from 0 to 1, going round: shape (..., 3)."""
    wheel = np.vstack([SPECTRUM, SPECTRUM[:1]])
    return np.stack([np.interp(hue * len(SPECTRUM), np.arange(len(wheel)), wheel[:, k]) for k in range(3)], -1)


def _rings(view: View, ice: Ice, since: float) -> Floats:
    x, z, _ = view.ground
    away = np.hypot(x - CLEFT[0], z - CLEFT[1])
    grown = 0.35 + 1.25 * (since + 0.3) ** 0.85
    shining = 0.045 + 2.1 * ice.lit(CLEFT[0], CLEFT[1], reach=2.6)
    out = _spectral(away / grown, 0.45, 1.15, 0.10)
    return np.asarray(out * (shining * view.on_ice * np.exp(-away / 3.2))[..., None])


def _halo(view: View, since: float) -> Floats:
    (x,), (y,), (ahead,) = view.project(np.array([[CLEFT[0], 0.85, CLEFT[1]]]))
    column, row = np.arange(view.width) + 0.5, np.arange(view.height)[:, None] + 0.5
    away = np.hypot(column - x, row - y) * ahead / view.focal
    grown = 0.7 + 0.35 * since
    core = 0.16 * np.exp(-((away / 0.55) ** 2))[..., None] * np.array([1.0, 0.86, 0.74])
    return np.asarray(core + 0.034 * _spectral(away / grown, 0.75, 1.25, 0.13))


def _spectral(r: Floats, inner: float, outer: float, width: float) -> Floats:
    """Return rings of the rainbow's colours, violet inside and red outside."""
    out = np.zeros((*r.shape, 3))
    for colour, place in zip(SPECTRUM, np.linspace(outer, inner, len(SPECTRUM)), strict=True):
        out += np.exp(-(((r - place) / width) ** 2))[..., None] * colour
    return out
