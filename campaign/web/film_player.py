"""The film on a page: the one selected, the addresses of its files, and the hosts its player may connect to."""

from urllib.parse import urlsplit

from flask import Flask, Response, current_app

from campaign.config.settings import Settings
from campaign.errors import ConfigError
from campaign.film.default_film import DEFAULT_FILM, FOLDER
from campaign.film.library import is_media
from campaign.film.selection import FilmPresentation, load_presentation
from campaign.web import static_files
from campaign.web.headers import allow


def init_film(app: Flask, settings: Settings) -> None:
    """Choose the film and serve its files. Servers refuse to start without it (`require`); commands need none."""
    try:
        film = _load(settings)
    except ConfigError:
        film = FilmPresentation(DEFAULT_FILM, FOLDER)
    app.extensions["film"] = film
    app.extensions["films url"] = settings.films_url if film.folder != FOLDER else ""
    if film.folder != FOLDER:
        static_files.serve_folder(app, film.folder, prefix=f"film/{film.name}")
    app.jinja_env.globals.update(film_presentation=film, film_url=film_url, film_host=_host)
    app.jinja_env.filters["duration"] = _duration


def require_film(settings: Settings) -> None:
    """Raise `ConfigError` unless the film that the settings name is there."""
    _load(settings)


def allow_player(response: Response) -> Response:
    """Allow a page with the player to connect to the film's host, and hls.js to use its own media."""
    film, sources = current_film(), {}
    if film.external_player:
        sources["frame-src"] = f"https://{film.external_player.host}"
    elif film.hls:
        sources["media-src"] = "blob:"
    if films_url := current_app.extensions["films url"]:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(films_url))
        sources["media-src"] = f"{sources.get('media-src', '')} {origin}".strip()
        sources["connect-src"] = origin  # hls.js fetches what it plays
    if sources:
        allow(response, sources)
    return response


def current_film() -> FilmPresentation:
    """Return the film of the page."""
    film: FilmPresentation = current_app.extensions["film"]
    return film


def film_url(path: str) -> str:
    """Return the address of one of the film's files, given its path in the film's folder."""
    film = current_film()
    if film.folder == FOLDER:
        return str(current_app.jinja_env.globals["static_url"](f"film/{path}"))  # type: ignore[operator]
    films_url = current_app.extensions["films url"] if is_media(path) else ""
    return f"{films_url or '/film'}/{film.name}/{film.folder.name}/{path}"


def _load(settings: Settings) -> FilmPresentation:
    return load_presentation(settings.film, settings.films_folder(), has_media=not settings.films_url)


def _host() -> str:
    """Return the other host that the film plays from; "" if it plays from this one."""
    return urlsplit(current_app.extensions["films url"]).hostname or ""


def _duration(seconds: float) -> str:
    """Return a time in the film as people write it: 0:56, 12:03, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
