"""Plays the clip's score: blades on ice, and glass-like tones that draw near and break off. All of it is computed."""

import numpy as np
from story import DURATION, MEETING, PARTING, Floats, ease

RATE = 48_000
TIMES = np.arange(int(DURATION * RATE)) / RATE
PARTIALS = ((1.0, 1.0), (2.76, 0.30), (5.40, 0.12))  # of a struck bar of glass: ratio to the pitch, strength

# When, how high (Hz), how loud, where between left (0) and right (1): two voices that come nearer in pitch and place.
NOTES = (
    *((0.9, 220.00, 0.5, 0.15), (1.9, 329.63, 0.4, 0.85), (2.9, 246.94, 0.5, 0.22), (3.8, 329.63, 0.5, 0.75)),
    *((4.6, 277.18, 0.6, 0.32), (5.3, 329.63, 0.6, 0.65), (MEETING, 293.66, 0.9, 0.45), (MEETING, 369.99, 0.9, 0.55)),
    (7.5, 1174.66, 0.16, 0.6),  # the glass
    *((PARTING + 0.5, 196.00, 0.6, 0.3), (10.2, 220.00, 0.4, 0.2), (11.4, 329.63, 0.3, 0.9)),
    *((12.7, 220.00, 0.6, 0.45), (12.9, 329.63, 0.5, 0.55), (13.3, 440.00, 0.4, 0.5)),
)


def score() -> Floats:
    """Return the sound, shape (samples, 2), between -1 and 1, 48,000 samples a second."""
    sound = _blades() + _drone()
    for start, pitch, level, place in NOTES:
        sound += _note(start, pitch, level)[:, None] * np.array([1 - place, place])
    sound = _echoed(sound) * (ease(TIMES, 0, 0.8) * (1 - ease(TIMES, DURATION - 1.6, DURATION)))[:, None]
    return np.asarray(0.68 * sound / np.abs(sound).max())


def _note(start: float, pitch: float, level: float) -> Floats:
    t = np.maximum(TIMES - start, 0)
    swell = np.clip(t / 0.03, 0, 1)
    tone = sum(
        strength * np.sin(2 * np.pi * pitch * ratio * t) * np.exp(-t * 0.9 * ratio**0.7) for ratio, strength in PARTIALS
    )
    return np.asarray(level * swell * tone)


def _drone() -> Floats:
    """Return a low breath under it all that fades with the parting."""
    breath = np.sin(2 * np.pi * 55 * TIMES) + 0.5 * np.sin(2 * np.pi * 82.5 * TIMES + 0.3 * np.sin(0.7 * TIMES))
    return np.asarray(0.16 * breath * (1 - 0.6 * ease(TIMES, MEETING, PARTING)))[:, None] * np.ones(2)


def _blades() -> Floats:
    """Return the whisper of two blades: noise above 2 kHz that rises and falls with each stroke."""
    noise = np.random.default_rng(2014).normal(size=(len(TIMES), 2))
    spectrum, pitch = np.fft.rfft(noise, axis=0), np.fft.rfftfreq(len(TIMES), 1 / RATE)
    band = np.exp(-(((pitch - 4200) / 1700) ** 2))
    hiss = np.fft.irfft(spectrum * band[:, None], len(TIMES), axis=0)
    stroke = np.stack([np.sin(np.pi * TIMES / 0.95) ** 4, np.cos(np.pi * TIMES / 0.95) ** 4], -1)
    gone = 1 - ease(TIMES, MEETING - 1.2, MEETING + 0.4)
    return np.asarray(0.035 * hiss / hiss.std() * stroke * gone[:, None])


def _echoed(dry: Floats) -> Floats:
    wet = dry.copy()
    for seconds, level in ((0.11, 0.35), (0.23, 0.26), (0.41, 0.18), (0.67, 0.11)):
        late = int(seconds * RATE)
        wet[late:] += level * dry[:-late, ::-1]
    return wet
