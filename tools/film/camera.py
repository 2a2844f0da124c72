"""The camera: a pinhole that flies over the rink; where it is, what each of its pixels sees, where a point appears."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from timeline import Floats, Spline

WIDTH, HEIGHT = 1920, 1080
FOCAL = 1500 / WIDTH  # of the picture's width
EDGE = 1e-3

# Time, the point looked at (x, y, z), metres from it, heading and pitch (degrees; 90 looks straight down).
_FLIGHT = np.array(
    [
        (-4.0, -1.2, 0.0, 0.2, 13.5, 34.0, 90.0),
        (0.0, -0.9, 0.0, 0.1, 13.0, 27.0, 89.0),
        (7.0, -0.1, 0.0, 0.0, 11.2, 10.0, 86.0),
        (10.2, 0.0, 0.2, 0.0, 9.8, 1.0, 66.0),
        (14.2, 0.0, 0.85, 0.0, 9.2, -12.0, 9.5),
        (18.0, 0.0, 0.80, -0.8, 8.6, -8.0, 9.0),
        (22.6, 0.0, 0.1, -0.9, 9.4, 0.0, 52.0),
        (26.8, 0.0, 0.2, -0.7, 8.3, 5.0, 50.0),
        (29.4, 0.0, 0.5, 0.2, 7.4, 22.0, 26.0),
        (32.4, 0.1, 0.98, 0.6, 6.3, 35.0, 8.5),
        (40.0, 0.15, 1.05, 0.6, 5.9, 37.0, 8.0),
        (57.0, 0.3, 1.25, 0.6, 7.4, 33.0, 8.5),
    ]
)
_PATH = Spline(_FLIGHT[:, 0], _FLIGHT[:, 1:])


@dataclass(frozen=True)
class View:
    """What the camera sees in a picture of `width` × `height` pixels: its place and its three directions in metres."""

    width: int
    height: int
    place: Floats
    right: Floats
    up: Floats
    ahead: Floats

    @property
    def focal(self) -> float:
        """Pixels of the picture that one metre fills at one metre's distance."""
        return FOCAL * self.width

    @cached_property
    def rays(self) -> Floats:
        """The direction each pixel looks in, shape (height, width, 3), one metre ahead."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        y = (self.height / 2 - np.arange(self.height) - 0.5) / self.focal
        return np.asarray(self.ahead + x[None, :, None] * self.right + y[:, None, None] * self.up)

    @cached_property
    def ground(self) -> tuple[Floats, Floats, Floats]:
        """Where each pixel meets the ice (x and z in metres), and how far ahead; very far where it never does."""
        down = np.maximum(-self.rays[..., 1], EDGE)
        far = self.place[1] / down
        return self.place[0] + far * self.rays[..., 0], self.place[2] + far * self.rays[..., 2], far

    @cached_property
    def on_ice(self) -> Floats:
        """1 where a pixel sees the ice, 0 where it sees the sky."""
        return np.asarray(np.clip(-self.rays[..., 1] * self.focal + 0.5, 0, 1))

    @cached_property
    def elevation(self) -> Floats:
        """How steeply each pixel looks up, as the tangent of its angle."""
        flat = np.hypot(self.rays[..., 0], self.rays[..., 2])
        return np.asarray(self.rays[..., 1] / np.maximum(flat, EDGE))

    @cached_property
    def heading(self) -> Floats:
        """The compass direction each pixel looks in, in radians."""
        return np.asarray(np.arctan2(self.rays[..., 0], self.rays[..., 2]))

    def project(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Return where `points` (n, 3) appear: x and y in pixels, and metres ahead (negative behind the camera)."""
        offset = points - self.place
        ahead = offset @ self.ahead
        far = np.where(np.abs(ahead) < EDGE, EDGE, ahead)
        x = self.width / 2 + self.focal * (offset @ self.right) / far
        return x, self.height / 2 - self.focal * (offset @ self.up) / far, ahead


def view_at(t: float, width: int = WIDTH) -> View:
    """Return the view at `t` seconds for a picture of `width` pixels in 16:9."""
    x, y, z, distance, heading, pitch = _PATH(t)
    turn, dip = np.radians(heading), np.radians(pitch)
    ahead = np.array([np.sin(turn) * np.cos(dip), -np.sin(dip), np.cos(turn) * np.cos(dip)])
    up = np.array([np.sin(turn) * np.sin(dip), np.cos(dip), np.cos(turn) * np.sin(dip)])
    right = np.array([np.cos(turn), 0.0, -np.sin(turn)])
    return View(width, width * 9 // 16, np.array([x, y, z]) - distance * ahead, right, up, ahead)
