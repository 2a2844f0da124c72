"""The canvas: its size in pixels, where each pixel lies on the ice, and what every painter needs."""

import numpy as np
from PIL import Image
from story import Floats

W, H = 1280, 720
HORIZON, FOCAL, EYE = 262.0, 900.0, 2.2  # pixels, pixels, metres above the ice

XX, YY = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
BELOW = np.maximum(YY - HORIZON, 0.5)
GROUND_Z = FOCAL * EYE / BELOW
GROUND_X = (XX - W / 2) / FOCAL * GROUND_Z
ON_ICE = np.clip(YY - HORIZON + 0.5, 0, 1)


def project(x: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Return where points on the ice (metres) stand in the picture (pixels)."""
    z = np.maximum(z, 0.6)
    return W / 2 + FOCAL * x / z, HORIZON + FOCAL * EYE / z


def blurred(plane: Floats, size: float) -> Floats:
    """Return the plane under a Gaussian of `size` pixels, edges repeated by reflection."""
    pad = int(3 * size) + 2
    wide = np.pad(plane, pad, mode="reflect" if pad < min(plane.shape) else "edge")
    fy, fx = np.fft.fftfreq(wide.shape[0])[:, None], np.fft.rfftfreq(wide.shape[1])[None]
    soft = np.fft.irfft2(np.fft.rfft2(wide) * np.exp(-2 * (np.pi * size) ** 2 * (fx**2 + fy**2)), wide.shape)
    return np.maximum(soft[pad:-pad, pad:-pad], 0)


def upscaled(small: Floats) -> Floats:
    """Return a small picture at full size."""
    planes = [
        Image.fromarray(c.astype(np.float32)).resize((W, H), Image.Resampling.BICUBIC)
        for c in np.moveaxis(small, -1, 0)
    ]
    return np.asarray(np.maximum(np.stack([np.asarray(p, float) for p in planes], -1), 0))
