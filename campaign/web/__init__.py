"""The edges: pages, forms, security headers, languages. Views translate; the domain rooms decide."""

from flask import Flask

from campaign.config import Settings
from campaign.web import (
    bot_check,
    browser_file_pages,
    chosen,
    embedding_pages,
    failures,
    film_pages,
    headers,
    health,
    languages,
    limits,
    link_repair,
    machine_pages,
    organise,
    petition_pages,
    picture_pages,
    privacy_pages,
    private_pages,
    proxies,
    redirects,
    sharing_pages,
    static,
)
from campaign.web.gate import Gate


def open_room(app: Flask, settings: Settings) -> None:
    """Add all pages to `app`."""
    app.wsgi_app = Gate(app.wsgi_app)  # type: ignore[method-assign]  # innermost: static files need no place in it
    app.jinja_env.globals["public_url"] = settings.public_url
    app.jinja_env.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # or Cyrillic takes six bytes a letter
    languages.speak(app)
    static.serve(app, settings)
    film_pages.show(app, settings)
    app.jinja_env.globals["own_letter"] = chosen.letter
    limits.limit(app, settings)
    proxies.watch(app, settings)
    redirects.make_relative(app)
    link_repair.repair_links(app)
    headers.protect(app, settings)
    failures.explain(app)
    organise.open_room(app, settings)
    for room in (petition_pages, privacy_pages, private_pages, sharing_pages, picture_pages, embedding_pages):
        app.register_blueprint(room.bp)
    for room in (film_pages, machine_pages, browser_file_pages, bot_check, health):
        app.register_blueprint(room.bp)
