"""The pane of glass: it stands on the ice in the plane x = 0, and slides in between the two."""

import numpy as np
from camera import View
from light import blurred
from timeline import DRAINED, GLASS_IN, GLASS_SHUT, Floats, ease

NEAR, FAR, HIGH = -3.6, 3.4, 2.25  # metres: where the pane begins and ends along z, and its height
TINT = np.array([0.66, 0.92, 1.0])


class Glass:
    """The pane at `t` seconds as one view sees it."""

    def __init__(self, view: View, t: float) -> None:
        self._t = t
        self._along, self._high, self._ahead = _meeting(view)
        slide = 10.0 * (1 - float(ease(t, GLASS_IN, GLASS_SHUT)))
        inside = np.minimum(
            np.minimum(self._along - slide - NEAR, FAR + slide - self._along), np.minimum(self._high, HIGH - self._high)
        )
        pixels = inside * view.focal / self._ahead
        shown = float(ease(t, GLASS_IN, GLASS_IN + 0.9))
        self._pane = shown * np.clip(pixels + 0.5, 0, 1)  # 1 where the pane is seen
        self._edge = shown * np.exp(-((pixels / max(1.6 * view.width / 1920, 0.9)) ** 2)) * (self._ahead < 1e3)
        self._leading = np.exp(-np.maximum(self._along - slide - NEAR, 0) / 0.5)
        self._pixel = view.width / 1920

    def over(self, behind: Floats, mirrored: Floats) -> Floats:
        """Return the scene behind the pane, softer, paler and shifted, with the reflection of the scene before it."""
        shift = round(7 * self._pixel)
        through = 0.66 * blurred(np.roll(behind, (shift // 2, shift), (0, 1)), 2.0 * self._pixel)
        grey = through.mean(-1, keepdims=True)
        through = through + (0.35 + 0.3 * float(ease(self._t, GLASS_SHUT, DRAINED))) * (grey - through)
        seen = through + mirrored + self._sheen()[..., None] * TINT
        pane = self._pane[..., None]
        edge = (self._edge * (0.22 + 0.6 * self._leading))[..., None] * TINT
        return np.asarray(behind * (1 - pane) + pane * seen + edge)

    def _sheen(self) -> Floats:
        """Return the faint slanting gleam of the pane."""
        drift = self._along - 0.75 * self._high + 0.16 * self._t - 4.6
        streak = np.exp(-((drift / 0.42) ** 2)) + 0.6 * np.exp(-(((drift - 0.95) / 0.14) ** 2))
        return np.asarray(0.012 + 0.050 * streak * (0.3 + 0.7 * np.clip(self._high / HIGH, 0, 1)))


def _meeting(view: View) -> tuple[Floats, Floats, Floats]:
    """Return where each pixel's ray meets the pane's plane: along it, its height, how far ahead (huge where never)."""
    towards = np.where(view.rays[..., 0] > 1e-4, view.rays[..., 0], np.nan)
    with np.errstate(invalid="ignore"):
        ahead = np.nan_to_num(-view.place[0] / towards, nan=1e6)
    ahead = np.where(ahead > 0, ahead, 1e6)
    return view.place[2] + ahead * view.rays[..., 2], view.place[1] + ahead * view.rays[..., 1], ahead
