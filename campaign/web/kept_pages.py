"""The public pages that the cache keeps, and the data on them that may change."""

import re
from collections.abc import Hashable

from flask import Flask

from campaign.config.settings import Settings
from campaign.core.database import utcnow
from campaign.core.languages import LANGUAGES
from campaign.web import last_known
from campaign.web.page_cache import PageCache

_COUNT = "/count.json"
_PAGES = ("", "thanks", "privacy", "link-sent", "manifest.webmanifest")
_FILES = ("robots.txt", "sitemap.xml", ".well-known/security.txt")
_LANGUAGE = f"(?:{'|'.join(LANGUAGES)})"
# These read their query, or are pictures: rendered when they are asked for, and not in advance.
_VARIANTS = re.compile(rf"/oembed|/qr\.svg|/{_LANGUAGE}/embed|/{_LANGUAGE}/poster-\w+\.pdf|/card/{_LANGUAGE}\.[\w.]+")


def init_page_cache(app: Flask, settings: Settings) -> None:
    """Add the cache in front of `app`. It keeps pages once `page_cache(app).start()` was called."""
    paths = {f"/{language}/{page}" for language in LANGUAGES for page in _PAGES} | {f"/{name}" for name in _FILES}
    cache = PageCache(
        app.wsgi_app,
        paths=frozenset(paths | {_COUNT}),
        timed=frozenset({_COUNT}),
        variants=_VARIANTS,
        read_version=lambda: _version(app),
        base_url=settings.public_url,
    )
    app.wsgi_app = cache  # type: ignore[method-assign]
    app.extensions["page cache"] = cache


def page_cache(app: Flask) -> PageCache:
    """Return the cache in front of `app`."""
    cache: PageCache = app.extensions["page cache"]
    return cache


def _version(app: Flask) -> Hashable:
    """Return all data on these pages that may change. Raises `DatabaseError` if the database is away."""
    with app.app_context():
        values = last_known.read_all()
    count, _ = values.pop("counted")
    return repr((count, utcnow().date(), sorted(values.pop("flags").items()), values))
