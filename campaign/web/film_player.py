"""The film on a page: the one selected, the addresses of its files, and the hosts its player may connect to."""

from flask import Flask, Response, current_app

from campaign.config.settings import Settings
from campaign.errors import ConfigError
from campaign.film.default_film import FOLDER, SHIPPED
from campaign.film.selection import Showing, showing
from campaign.web import static_files
from campaign.web.headers import allow


def show(app: Flask, settings: Settings) -> None:
    """Choose the film and serve its files. Servers refuse to start without it (`require`); commands need none."""
    try:
        film = showing(settings.film, settings.films_folder())
    except ConfigError:
        film = Showing(SHIPPED, FOLDER)
    app.extensions["film"] = film
    if film.folder != FOLDER:
        static_files.serve_folder(app, film.folder, prefix=f"film/{film.name}/{film.folder.name}")
    app.jinja_env.globals.update(showing=film, film_url=film_url)
    app.jinja_env.filters["clock"] = _clock


def require(settings: Settings) -> None:
    """Raise `ConfigError` unless the film that the settings name is there."""
    showing(settings.film, settings.films_folder())


def may_play(response: Response) -> Response:
    """Let a page with the player connect to where the film plays from, and let hls.js hand over what it has loaded."""
    film = shown()
    if film.elsewhere:
        allow(response, "frame-src", f"https://{film.elsewhere.host}")
    elif film.hls:
        allow(response, "media-src", "blob:")
    return response


def shown() -> Showing:
    """Return the film of the page."""
    film: Showing = current_app.extensions["film"]
    return film


def film_url(path: str) -> str:
    """Return the address of one of the film's files, given its path in the film's folder."""
    film = shown()
    if film.folder == FOLDER:
        return str(current_app.jinja_env.globals["static_url"](f"film/{path}"))  # type: ignore[operator]
    return f"/film/{film.name}/{film.folder.name}/{path}"


def _clock(seconds: float) -> str:
    """Return a time in the film as people write it: 0:56, 12:03, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
