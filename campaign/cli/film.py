"""`flask film`: import a film, list imported films, choose a poster."""

import re
import sys
from pathlib import Path
from typing import Any, Self

import click
from flask.cli import AppGroup

from campaign.analytics.film_views import film_views as all_watched
from campaign.cli.commands import Command, DatabaseCommand
from campaign.context import current_context
from campaign.core.database import db
from campaign.core.languages import LANGUAGES
from campaign.core.process import exit_on_termination
from campaign.errors import FilmError
from campaign.film import library
from campaign.film.importer.publish import import_film
from campaign.film.tracks import TrackFiles

_READABLE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_PAIR = re.compile(r"[A-Za-z][A-Za-z-]*=.+")
_STEPS = 1000  # of the progress bar

FilePair = tuple[str, Path]


class LanguageFile(click.ParamType[FilePair]):
    """A language and its file: `en=captions.srt`."""

    name = "lang=file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> FilePair:
        """Return the language and the path of a file that can be read."""
        language, separator, path = str(value).partition("=")
        if not separator:
            self.fail(f"{value!r} has no language; use for example en=captions.srt", param, ctx)
        if language not in LANGUAGES:
            self.fail(f"{language!r} is not one of the campaign's languages: {', '.join(LANGUAGES)}", param, ctx)
        return language, Path(_READABLE.convert(path, param, ctx))


class RepeatableOption(Command):
    """A command whose options for texts take several values: `--captions en=a.vtt ru=b.srt`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with the option repeated before each value, as click knows it."""
        return super().parse_args(ctx, _repeat_options(args))


class FilmGroup(AppGroup):
    """Commands that need no database unless they declare it, and that report errors in one line."""

    command_class = Command


film = FilmGroup("film", help="Import films, choose posters, show how much of a film is watched.")


@film.command(name="import", cls=RepeatableOption)
@click.argument("file", type=_READABLE)
@click.option("--name", required=True, help="Name of the film: lower-case letters, digits, hyphens.")
@click.option("--captions", type=LanguageFile(), multiple=True, help="WebVTT or SRT files.")
@click.option("--chapters", type=LanguageFile(), multiple=True, help="WebVTT or SRT files.")
@click.option("--transcript", type=LanguageFile(), multiple=True, help="Plain text of picture and sound.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language spoken in the film."
)
def import_(file: Path, name: str, language: str, **pairs: tuple[FilePair, ...]) -> None:
    """Import FILE as a film for every browser. Run the same command again to continue an interrupted import."""
    exit_on_termination()
    by_language = {kind: _files_by_language(kind, files) for kind, files in pairs.items()}
    texts = TrackFiles(by_language["captions"], by_language["chapters"], by_language["transcript"], language)
    with Progress() as progress:
        manifest = import_film(_films(), file, name=name, texts=texts, show=progress.show)
    for note in manifest.notes:
        click.echo(note, err=True)
    click.echo(f"imported: {_line(manifest)}\nto select it: CAMPAIGN_FILM={name}")


@film.command(name="list")
def list_() -> None:
    """List the films that were imported."""
    for name in library.names(_films()):
        try:
            click.echo(_line(library.read(_films(), name)))
        except FilmError as error:
            click.echo(f"{name}: {error}")


@film.command()
@click.argument("name")
@click.argument("number", type=click.IntRange(min=1))
def poster(name: str, number: int) -> None:
    """Use candidate NUMBER as the poster of the film NAME. The film's folder `posters` contains all candidates."""
    library.choose_poster(_films(), name, number)
    click.echo(f"{name}: poster {number}")


@film.command(cls=DatabaseCommand)
def watched() -> None:
    """Show how much of each film people have watched: 0% is a play, 100% the end."""
    click.echo(f"{'film':<24} {'language':<8} {'watched':>7} {'viewers':>8}")
    for name, language, percent, viewers in all_watched(db.session):
        click.echo(f"{name:<24} {language:<8} {percent:>6}% {viewers:>8}")


class Progress:
    """Shows how far an import is, on standard error: a bar on a terminal, else a line for each part."""

    def __init__(self) -> None:
        self._bar = click.progressbar(length=_STEPS, file=sys.stderr, hidden=not sys.stderr.isatty(), show_eta=False)
        self._label = ""

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.show("Ready", 1)
        self._bar.__exit__(None, None, None)

    def show(self, label: str, done: float) -> None:
        """Show that `label` is being made and that `done` (0 to 1) of all is."""
        if label != self._label and not sys.stderr.isatty():
            click.echo(f"{label} ({done:.0%})", err=True)
        self._label = self._bar.label = label
        self._bar.update(max(round(done * _STEPS) - self._bar.pos, 0))


def _films() -> Path:
    return current_context().settings.films_folder()


def _line(manifest: library.Manifest) -> str:
    film, size = manifest.film, sum(file.size for file in manifest.files.values())
    captions = " ".join(film.captions) or "none"
    shape = f"{film.width}x{film.height}, {film.seconds:.0f} s, {size / 1e6:.0f} MB"
    return f"{film.name} ({shape}; captions: {captions}; poster {manifest.poster} of {len(manifest.candidates)})"


def _files_by_language(kind: str, pairs: tuple[FilePair, ...]) -> dict[str, Path]:
    files = dict(pairs)
    if len(files) < len(pairs):
        raise click.UsageError(f"--{kind} names a language twice; use one file per language")
    return files


def _repeat_options(args: list[str]) -> list[str]:
    """Return the arguments with `--captions a b` as `--captions a --captions b`."""
    expanded: list[str] = []
    option = ""
    for before, word in zip(["", *args], args, strict=False):
        if option and _PAIR.fullmatch(word) and before != option:
            expanded.append(option)
        elif not _PAIR.fullmatch(word):
            name = word.partition("=")[0]
            option = name if name in ("--captions", "--chapters", "--transcript") else ""
        expanded.append(word)
    return expanded
