"""Writes the film's captions, chapters, descriptions and transcripts in each language, as WebVTT and plain text."""

import json
from pathlib import Path

from timeline import DURATION, GLASS_IN, HEART_START, MEETING, RETURNING, WORDS

TEXTS = Path(__file__).parent / "texts"
PICTURE_LANGUAGE = "en"  # of the words in the picture
SOUNDS = ((0.9, 5.6), (5.9, 11.0), (17.4, 24.0), (MEETING, 29.6), (GLASS_IN, 33.2), (33.4, 36.1), (52.2, DURATION))
CHAPTERS = (0.0, 10.6, HEART_START, GLASS_IN, 36.0)
SCENES = (0.0, 5.0, 11.0, 20.0, 29.9, 36.0, 45.6, RETURNING)
WORDS_IN = (0, 5, 5, 6, 7)  # the scene in which each of the words stands

Cue = tuple[float, float, str]


def write_texts(out: Path) -> None:
    """Write the texts of every language that has a file in texts/ to the folder `out`."""
    for path in sorted(TEXTS.glob("*.json")):
        language, texts = path.stem, json.loads(path.read_text(encoding="utf-8"))
        _write(out / f"captions.{language}.vtt", _vtt(_captions(texts, with_words=language != PICTURE_LANGUAGE)))
        _write(out / f"chapters.{language}.vtt", _vtt(_until_the_next(CHAPTERS, texts["chapters"])))
        _write(out / f"descriptions.{language}.vtt", _vtt(_until_the_next(SCENES, texts["scenes"])))
        _write(out / f"transcript.{language}.txt", _transcript(texts))


def _captions(texts: dict[str, list[str]], *, with_words: bool) -> list[Cue]:
    """Return the captions: sounds, and writing in the picture for languages other than its own."""
    cues = [(start, end, text) for (start, end), text in zip(SOUNDS, texts["sounds"], strict=True)]
    if with_words:
        shown = zip(WORDS, texts["words"], strict=True)
        cues += [(words.start, min(words.end, DURATION), "\n".join(lines)) for words, lines in shown]
    return sorted(cues)


def _until_the_next(starts: tuple[float, ...], texts: list[str]) -> list[Cue]:
    return list(zip(starts, (*starts[1:], DURATION), texts, strict=True))


def _transcript(texts: dict[str, list[str]]) -> str:
    """Return a transcript of picture, sound and writing, with one paragraph per scene."""
    heard: dict[int, list[str]] = {i: [] for i in range(len(SCENES))}
    for (start, _), text in zip(SOUNDS, texts["sounds"], strict=True):
        heard[max(i for i, scene in enumerate(SCENES) if scene <= start)].append(text)
    for scene, lines in zip(WORDS_IN, texts["words"], strict=True):
        heard[scene].append(" ".join(lines))
    return "\n\n".join("\n".join([seen, *heard[i]]) for i, seen in enumerate(texts["scenes"])) + "\n"


def _vtt(cues: list[Cue]) -> str:
    return "\n".join(["WEBVTT\n", *(f"{_clock(start)} --> {_clock(end)}\n{text}\n" for start, end, text in cues)])


def _clock(seconds: float) -> str:
    return f"00:{int(seconds // 60):02}:{seconds % 60:06.3f}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
