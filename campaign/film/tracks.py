"""The texts of a film: captions, chapters and transcripts, one file for each language."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from campaign.core.languages import LANGUAGES
from campaign.errors import CaptionError, FilmError
from campaign.film import captions
from campaign.film.captions import plain_text, webvtt
from campaign.film.film import Film

Files = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class TrackFiles:
    """Files by their language. `language` is the one spoken in the film."""

    captions: Files = field(default_factory=dict)
    chapters: Files = field(default_factory=dict)
    transcripts: Files = field(default_factory=dict)
    language: str = "en"

    def added_to(self, film: Film) -> Film:
        """Return the film with the places of its texts."""
        captions, chapters, transcripts = ({lang: _path(kind, lang) for lang in files} for kind, files in self._kinds())
        return replace(film, language=self.language, captions=captions, chapters=chapters, transcripts=transcripts)

    def checked(self, seconds: float) -> dict[str, str]:
        """Return each text by its path, as a film of `seconds` needs it. Raises `FilmError` with file and line."""
        for language in {self.language, *self.captions, *self.chapters, *self.transcripts}:
            require_language(language)
        return {_path(kind, lang): _read(kind, path, seconds) for kind, lang, path in self._files()}

    def notes(self, seconds: float) -> list[str]:
        """Return a sentence for each cue that a film of `seconds` never shows whole. The texts must be `checked`."""
        timed = [path for kind, _, path in self._files() if kind != "transcripts"]
        return [
            f"{path.name}, {note}." for path in timed for note in captions.notes(path.read_bytes(), seconds=seconds)
        ]

    def _files(self) -> list[tuple[str, str, Path]]:
        """Return kind, language and path of each file."""
        return [(kind, lang, path) for kind, files in self._kinds() for lang, path in files.items()]

    def _kinds(self) -> list[tuple[str, Files]]:
        return [("captions", self.captions), ("chapters", self.chapters), ("transcripts", self.transcripts)]


def require_language(language: str) -> str:
    """Return `language` if the campaign speaks it. Raises `FilmError`."""
    if language not in LANGUAGES:
        raise FilmError(f"{language!r} is not one of the campaign's languages; use one of {', '.join(LANGUAGES)}")
    return language


def _path(kind: str, language: str) -> str:
    return f"texts/{kind}.{language}.{'txt' if kind == 'transcripts' else 'vtt'}"


def _read(kind: str, path: Path, seconds: float) -> str:
    try:
        content = path.read_bytes()
        text = _transcript(content) if kind == "transcripts" else webvtt(content, seconds=seconds)
    except CaptionError as error:
        raise FilmError(f"{path.name}, {error}") from None
    except OSError as error:
        raise FilmError(f"{path.name} cannot be read ({error.strerror}); choose a readable file") from None
    return text


def _transcript(content: bytes) -> str:
    text = plain_text(content).strip()
    if not text:
        raise CaptionError(1, "the file is empty; it needs plain text of picture and sound")
    return text + "\n"
