"""The score of "Two lines on ice": felt piano, glass-like tones, blades on ice, wind. All of it is computed.

Two voices approach each other, the warm one on the piano and the cool one on glass, and sound as one when the skaters
meet. The pane is a single high note. After it, the piano plays solo until the other voice answers from behind the
glass.
"""

import numpy as np
from timeline import DURATION, GLASS_IN, GLASS_SHUT, MEETING, RETURNING, Floats, ease, swell

RATE = 48_000
TIMES = np.arange(int(DURATION * RATE)) / RATE
LOUDNESS_PEAK = 0.84  # the highest sample, so that peaks between samples stay under −1 dBTP
NAMES = {"C": -9, "D": -7, "E": -5, "F#": -3, "G": -2, "A": 0, "B": 2, "C#": -8}

# When, which note, how hard, where between left (0) and right (1).
Note = tuple[float, str, float, float]
PIANO: tuple[Note, ...] = (
    *((0.9, "D3", 0.40, 0.40), (1.9, "A3", 0.30, 0.42), (2.9, "F#4", 0.34, 0.45), (4.4, "E4", 0.26, 0.44)),
    *((5.4, "B2", 0.40, 0.38), (6.4, "F#3", 0.28, 0.40), (7.4, "D4", 0.34, 0.44), (8.4, "C#4", 0.24, 0.42)),
    *((9.4, "G2", 0.42, 0.38), (10.4, "D3", 0.30, 0.40), (11.4, "B3", 0.36, 0.44), (12.4, "A3", 0.28, 0.42)),
    *((13.4, "D3", 0.44, 0.38), (14.4, "A3", 0.32, 0.42), (15.4, "F#4", 0.40, 0.45), (16.4, "A4", 0.34, 0.48)),
    *((17.4, "B2", 0.46, 0.38), (18.2, "F#3", 0.34, 0.40), (19.0, "D4", 0.40, 0.44), (19.8, "F#4", 0.38, 0.46)),
    *((20.6, "G2", 0.50, 0.38), (21.4, "D3", 0.38, 0.40), (22.2, "B3", 0.44, 0.44), (23.0, "D4", 0.42, 0.46)),
    *((23.8, "A2", 0.54, 0.38), (24.6, "E3", 0.42, 0.40), (25.4, "C#4", 0.46, 0.45), (25.9, "E4", 0.46, 0.48)),
    *((MEETING, "D2", 0.66, 0.46), (MEETING, "A3", 0.50, 0.46), (MEETING, "F#4", 0.62, 0.48), (27.3, "A4", 0.42, 0.5)),
    *((28.3, "D5", 0.40, 0.52), (29.3, "F#5", 0.30, 0.54)),
    *((33.4, "B2", 0.40, 0.40), (34.6, "F#3", 0.26, 0.40), (36.2, "B3", 0.32, 0.42), (38.6, "A3", 0.24, 0.42)),
    *((40.7, "G2", 0.40, 0.40), (42.3, "D3", 0.26, 0.42), (43.7, "B3", 0.28, 0.42)),
    *((45.8, "E4", 0.36, 0.44), (46.6, "F#4", 0.34, 0.45), (47.6, "B3", 0.30, 0.44), (48.9, "A3", 0.26, 0.42)),
    *((51.0, "D2", 0.52, 0.46), (51.0, "A3", 0.44, 0.46), (51.8, "D4", 0.40, 0.46), (52.6, "F#4", 0.46, 0.48)),
    *((53.6, "A4", 0.36, 0.50),),
)
GLASS: tuple[Note, ...] = (
    *((3.6, "A5", 0.30, 0.90), (5.9, "F#5", 0.32, 0.88), (7.9, "E5", 0.30, 0.86), (9.9, "D5", 0.34, 0.82)),
    *((11.9, "F#5", 0.34, 0.80), (13.9, "A5", 0.36, 0.76), (15.9, "D5", 0.36, 0.74), (17.8, "F#5", 0.38, 0.72)),
    *((19.4, "A5", 0.38, 0.68), (21.0, "B5", 0.40, 0.64), (22.6, "D6", 0.40, 0.62), (24.2, "C#6", 0.42, 0.58)),
    *((25.4, "E6", 0.42, 0.56), (MEETING, "F#5", 0.66, 0.52), (MEETING + 0.02, "D6", 0.50, 0.52)),
    *((27.8, "A5", 0.36, 0.54), (28.8, "F#6", 0.26, 0.56)),
    *((37.2, "F#5", 0.14, 0.92), (42.9, "D5", 0.12, 0.94), (48.2, "E5", 0.13, 0.94)),
    *((52.2, "A5", 0.26, 0.80), (53.1, "D6", 0.26, 0.76), (54.2, "F#5", 0.24, 0.72)),
)
# From, until, the chord that breathes under it all.
PADS: tuple[tuple[float, float, str], ...] = (
    *((0.5, 6.0, "D2 A2 F#3"), (5.2, 10.2, "B1 F#2 D3"), (9.2, 14.2, "G1 D2 B2"), (13.2, 18.2, "D2 A2 F#3")),
    *((17.2, 21.4, "B1 F#2 D3"), (20.4, 24.6, "G1 D2 B2"), (23.6, 27.0, "A1 E2 C#3"), (26.0, 33.0, "D2 A2 F#3 A3 D4")),
    *((33.0, 41.6, "B1 F#2"), (40.2, 46.4, "G1 D2"), (45.4, 51.6, "B1 F#2 E3"), (50.6, 58.0, "D2 A2 F#3 E4")),
)


def score() -> Floats:
    """Return the sound before its loudness is set: shape (samples, 2), 48,000 samples a second."""
    dry = _voice(PIANO, _piano) + _voice(GLASS, _glass) + _pads() + _pane()
    wet = _in_a_hall(dry)
    sound = 0.78 * dry + 0.62 * wet + _blades() + _wind()
    sound *= (ease(TIMES, 0, 0.6) * (1 - ease(TIMES, DURATION - 1.8, DURATION)))[:, None]
    return np.asarray(sound / np.abs(sound).max())


def mastered(sound: Floats, gain: float) -> Floats:
    """Return `sound` louder by `gain` decibels, its peaks bent softly below `LOUDNESS_PEAK`."""
    loud = sound * 10 ** (gain / 20)
    knee = 0.55 * LOUDNESS_PEAK
    over = np.maximum(np.abs(loud) - knee, 0)
    room = LOUDNESS_PEAK - knee
    return np.asarray(np.sign(loud) * (np.minimum(np.abs(loud), knee) + room * np.tanh(over / room)))


def _pitch(name: str) -> float:
    """Return the frequency of a note in hertz, A4 being 440."""
    return float(440 * 2 ** (NAMES[name[:-1]] / 12 + int(name[-1]) - 4))


def _voice(notes: tuple[Note, ...], instrument: object) -> Floats:
    out = np.zeros((len(TIMES), 2))
    for start, name, level, place in notes:
        first = int(start * RATE)
        tone = level * instrument(_pitch(name), min(DURATION - start, 9.0))  # type: ignore[operator]
        out[first : first + len(tone)] += tone[:, None] * np.sqrt([1 - place, place])
    return out


def _piano(pitch: float, seconds: float) -> Floats:
    """Return a soft piano string: partials a little too high (its stiffness), the upper ones dying sooner, felt."""
    t = np.arange(int(seconds * RATE)) / RATE
    out = np.zeros_like(t)
    for n in range(1, 12):
        f = pitch * n * np.sqrt(1 + 0.00035 * n * n)
        if f > 9000:
            break
        strength = np.exp(-0.42 * (n - 1)) / n**0.5 * abs(np.sin(np.pi * n * 0.13)) / np.sin(np.pi * 0.13)
        decay = (0.42 + 0.16 * n) * (pitch / 220) ** 0.55
        beating = 1 + 0.10 * np.sin(2 * np.pi * 0.6 * n**0.3 * t + n)
        out += (
            strength
            * np.sin(2 * np.pi * f * t + 0.7 * n)
            * (0.65 * np.exp(-2.2 * decay * t) + 0.35 * np.exp(-0.55 * decay * t))
            * beating
        )
    return 0.30 * out * np.clip(t / 0.012, 0, 1) * np.clip((seconds - t) / 0.5, 0, 1)


def _glass(pitch: float, seconds: float) -> Floats:
    """Return a bowl of glass that is touched: a slow start, a pure tone that wavers, faint high partials."""
    t = np.arange(int(seconds * RATE)) / RATE
    swelling = 1 - np.exp(-t / 0.06)
    tone = sum(
        a * np.sin(2 * np.pi * pitch * r * t + 0.25 * np.sin(2 * np.pi * 4.3 * t)) * np.exp(-t * d)
        for r, a, d in ((1, 1.0, 0.75), (2.003, 0.16, 1.3), (2.76, 0.10, 2.2), (5.4, 0.035, 4.0))
    )
    return np.asarray(0.36 * tone * swelling * np.clip((seconds - t) / 0.5, 0, 1))


def _pads() -> Floats:
    """Return the slow chords, each note a little out of tune with itself, wide between the ears."""
    out = np.zeros((len(TIMES), 2))
    for start, end, chord in PADS:
        first, last = int(start * RATE), min(int(end * RATE), len(TIMES))
        t = TIMES[first:last]
        level = swell(t, start, start + 2.2, end) if end < DURATION else ease(t, start, start + 2.2)
        for i, name in enumerate(chord.split()):
            for side in (0, 1):
                f = _pitch(name) * (1 + (side - 0.5) * 0.0022)
                wave = (
                    np.sin(2 * np.pi * f * t + i)
                    + 0.33 * np.sin(4 * np.pi * f * t + 2 * i)
                    + 0.14 * np.sin(6 * np.pi * f * t)
                )
                out[first:last, side] += 0.030 * level * wave * (1 + 0.2 * np.sin(0.9 * t + i + 2 * side))
    fuller = (
        1
        + 0.6 * swell(TIMES, MEETING - 3, MEETING + 0.5, GLASS_IN + 1)
        - 0.35 * swell(TIMES, GLASS_SHUT, GLASS_SHUT + 2, RETURNING)
    )
    return np.asarray(out * fuller[:, None])


def _pane() -> Floats:
    """Return the glass that slides in: a thin high note that rises and stays a while in the air, and a low thud."""
    level = swell(TIMES, GLASS_IN, GLASS_SHUT - 0.2, GLASS_SHUT + 3.4)
    glide = 2 * np.pi * np.cumsum(1720 + 260 * ease(TIMES, GLASS_IN, GLASS_SHUT)) / RATE
    thin = 0.055 * level * (np.sin(glide) + 0.4 * np.sin(1.507 * glide))
    since = np.maximum(TIMES - GLASS_SHUT, 0)
    thud = (
        0.55
        * (TIMES >= GLASS_SHUT)
        * np.sin(2 * np.pi * 46 * since)
        * np.exp(-since * 3.2)
        * np.clip(since / 0.02, 0, 1)
    )
    return np.asarray(thin[:, None] * np.array([0.55, 0.85]) + thud[:, None])


def _blades() -> Floats:
    """Return the whisper of two blades, with each stroke, until the two stand still."""
    stroke = np.stack([np.sin(np.pi * TIMES / 1.15) ** 6, np.cos(np.pi * TIMES / 1.30) ** 6], -1)
    gone = ease(TIMES, 0.8, 2.5) * (1 - ease(TIMES, MEETING - 2.5, MEETING))
    return np.asarray(0.008 * _noise(2014, 5200, 1900) * stroke * gone[:, None])


def _wind() -> Floats:
    """Return the air over the ice, stronger when all else falls silent."""
    level = 0.003 + 0.007 * swell(TIMES, GLASS_SHUT, GLASS_SHUT + 5, RETURNING + 1)
    waves = 1 + 0.5 * np.sin(0.7 * TIMES) * np.sin(0.23 * TIMES + 1)
    return np.asarray((level * waves)[:, None] * _noise(7, 420, 260))


def _noise(seed: int, pitch: float, width: float) -> Floats:
    """Return noise around `pitch` hertz, different in each ear, of strength 1."""
    raw = np.random.default_rng(seed).normal(size=(len(TIMES), 2))
    band = np.exp(-(((np.fft.rfftfreq(len(TIMES), 1 / RATE) - pitch) / width) ** 2))
    soft = np.fft.irfft(np.fft.rfft(raw, axis=0) * band[:, None], len(TIMES), axis=0)
    return np.asarray(soft / soft.std())


def _in_a_hall(dry: Floats) -> Floats:
    """Return the echo of a large quiet hall: three seconds of dense, darkening reflections."""
    t = np.arange(int(3.2 * RATE)) / RATE
    echo = (
        np.random.default_rng(3).normal(size=(len(t), 2))
        * np.exp(-t / 0.62)[:, None]
        * np.clip(t / 0.03, 0, 1)[:, None]
    )
    n = 1 << int(np.ceil(np.log2(len(dry) + len(t))))
    dark = np.exp(-((np.fft.rfftfreq(n, 1 / RATE) / 3600) ** 2))[:, None]
    wet = np.fft.irfft(
        np.fft.rfft(dry[:, ::-1] * 0.35 + dry * 0.65, n, axis=0) * np.fft.rfft(echo, n, axis=0) * dark, n, axis=0
    )
    return np.asarray(wet[: len(dry)] / np.sqrt((echo**2).sum(0)))
