"""Which film plays: the one that ships, an imported one, or one that plays from elsewhere."""

from dataclasses import dataclass, field
from pathlib import Path

from campaign.errors import ConfigError, FilmError
from campaign.film.captions import cues
from campaign.film.default_film import DEFAULT_FILM, FOLDER
from campaign.film.external_players import ExternalPlayer, external_player
from campaign.film.film import Film
from campaign.film.library import load_film

MIN_CHAPTERED_SECONDS = (
    90.0  # seconds: from here on a film adapts to the connection (HLS); a shorter one is loaded before that pays
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a film: when it starts, in seconds, and its title."""

    start: float
    title: str


@dataclass(frozen=True, slots=True)
class FilmPresentation:
    """The film of the page, the folder its paths are relative to, and its chapters and transcripts by language.

    A transcript is a list of paragraphs, each a list of lines. A film from an `external_player` still needs a poster of
    ours: `film` is then the default film.
    """

    film: Film
    folder: Path
    external_player: ExternalPlayer | None = None
    chapters: dict[str, list[Chapter]] = field(default_factory=dict)
    transcripts: dict[str, list[list[str]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the film is counted under."""
        return self.external_player.site.lower() if self.external_player else self.film.name

    @property
    def preview_file(self) -> Path:
        """The poster as a JPEG."""
        return self.folder / self.film.preview

    @property
    def hls(self) -> str:
        """The playlist to play, or "" where the film is too short to need one."""
        return self.film.hls if self.film.seconds >= MIN_CHAPTERED_SECONDS else ""


def load_presentation(setting: str, films: Path, *, has_media: bool = True) -> FilmPresentation:
    """Return the film that CAMPAIGN_FILM names. Raises `ConfigError` if it has not been imported.

    Without `has_media`, the files to play are at CAMPAIGN_FILMS_URL.
    """
    if player := external_player(setting):
        return FilmPresentation(DEFAULT_FILM, FOLDER, player)
    if not setting:
        return add_texts(DEFAULT_FILM, FOLDER)
    try:
        return add_texts(*load_film(films, setting, has_media=has_media))
    except FilmError as error:
        raise ConfigError(f"CAMPAIGN_FILM: {error}") from None


def add_texts(film: Film, folder: Path) -> FilmPresentation:
    """Return `film` with the texts that the page itself shows, read from its `folder`."""
    chapters = {language: _chapters(folder / path) for language, path in film.chapters.items()}
    transcripts = {language: _paragraphs(folder / path) for language, path in film.transcripts.items()}
    return FilmPresentation(film, folder, chapters=chapters, transcripts=transcripts)


def _chapters(path: Path) -> list[Chapter]:
    return [Chapter(cue.start / 1000, cue.text) for cue in cues(path.read_bytes()) if cue.text]


def _paragraphs(path: Path) -> list[list[str]]:
    text = path.read_text(encoding="utf-8").strip()
    return [paragraph.splitlines() for paragraph in text.split("\n\n") if paragraph]
