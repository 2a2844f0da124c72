"""Versioned addresses of share images: the name changes with the content, since networks cache by address."""

import hashlib
from functools import cache

from flask import url_for

from campaign.config.paths import PACKAGE
from campaign.context import current_context
from campaign.petition.status import PetitionStatus
from campaign.sharing.images.content import ImageText
from campaign.web import i18n, share_texts
from campaign.web.film_player import current_film, film_url

_SOURCES = (
    "sharing/images/cards.py",
    "sharing/images/layout.py",
    "sharing/images/posters.py",
    "core/fonts.py",
    "core/typesetting.py",
)


def card_path(stage: PetitionStatus, count: int) -> str:
    """Return the path of the current card, in the language of the request."""
    version = _version(share_texts.image_text(stage, count))
    return url_for("images.card_version", lang=i18n.get_language(), version=version)


def _version(words: ImageText) -> str:
    """Return a hash of the text, the film's frame and the rendering code."""
    content = repr((words, current_context().settings.public_url, film_url(current_film().film.preview), _look()))
    return hashlib.blake2b(content.encode(), digest_size=6).hexdigest()


@cache
def _look() -> str:
    """Return a hash of the rendering code."""
    sources = ((PACKAGE / name).read_bytes() for name in _SOURCES)
    return hashlib.blake2b(b"".join(sources)).hexdigest()
