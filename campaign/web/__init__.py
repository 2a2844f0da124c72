"""The edges: pages, forms, security headers, languages. Views translate; the domain rooms decide."""

from flask import Flask

from campaign.config import Settings
from campaign.web import (
    bot_check,
    failures,
    film_pages,
    headers,
    health,
    languages,
    limits,
    petition_pages,
    privacy_pages,
    private_pages,
    sharing_pages,
    static,
)


def open_room(app: Flask, settings: Settings) -> None:
    """Add all pages to `app`."""
    app.jinja_env.globals["public_url"] = settings.public_url
    languages.speak(app)
    static.serve(app, settings)
    film_pages.show(app, settings)
    limits.limit(app, settings)
    headers.protect(app, settings)
    failures.explain(app)
    for room in (petition_pages, privacy_pages, private_pages, sharing_pages, film_pages, bot_check, health):
        app.register_blueprint(room.bp)
