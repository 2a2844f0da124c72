"""What networks and search engines read of the page: Open Graph, player card, oEmbed discovery, schema.org."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from flask import url_for

from campaign.context import current_context
from campaign.film.film import Source
from campaign.film.selection import FilmPresentation
from campaign.petition.status import PetitionStatus
from campaign.sharing.images.content import CARD_SIZE
from campaign.sharing.oembed import size as frame_size
from campaign.web import i18n, share_texts
from campaign.web.film_player import current_film, film_url
from campaign.web.share_images import card_path

# A language with the country whose spelling its texts have: networks know locales, not languages (ogp.me, og:locale).
LOCALES = {
    "en": "en_GB",
    "ru": "ru_RU",
    "fr": "fr_FR",
    "es": "es_ES",
    "pt": "pt_BR",
    "de": "de_DE",
    "it": "it_IT",
    "nl": "nl_NL",
    "ar": "ar_AR",
}
PLAYED_HEIGHT = 720  # lines of the file that networks play: enough for a feed, and it begins soon


@dataclass(frozen=True, slots=True)
class Video:
    """What networks may play: an address with its media type and its size in pixels."""

    url: str
    type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The metadata of the page for link previews; URLs are absolute."""

    url: str
    embed_url: str
    title: str
    description: str
    image: str
    image_alt: str
    video: Video
    locale: str
    schema: dict[str, Any]

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the image in pixels."""
        return CARD_SIZE

    @property
    def player_size(self) -> tuple[int, int]:
        """Width and height of the framable page in pixels."""
        return frame_size(self.video.width / self.video.height)

    @property
    def other_locales(self) -> list[str]:
        """The locales of the page's other languages."""
        return [locale for locale in LOCALES.values() if locale != self.locale]

    def oembed(self, form: str) -> str:
        """Return the address that describes how to embed this page (oembed.com, 4), as `json` or `xml`."""
        return _absolute(url_for("embed.oembed", url=self.url, format=form))


def page_preview(count: int, stage: PetitionStatus) -> Preview:
    """Return the metadata of the page in the language of the request."""
    words = share_texts.image_text(stage, count)
    lang = i18n.get_language()
    embed_url = _absolute(url_for("embed.embed", lang=lang))
    image = _absolute(card_path(stage, count))
    description = share_texts.description(stage)
    video = _video(current_film(), embed_url)
    return Preview(
        url=_absolute(url_for("petition.page", lang=lang)),
        embed_url=embed_url,
        title=words.title,
        description=description,
        image=image,
        image_alt=" ".join(filter(None, (words.question, words.ask, words.figure))),
        video=video,
        locale=LOCALES[lang],
        schema=_schema(current_film(), name=words.title, description=description, embed_url=embed_url),
    )


def preview_source(showing: FilmPresentation) -> Source | None:
    """Return the file that others may play: an MP4 of about `PLAYED_HEIGHT` lines; None where the film is elsewhere."""
    if showing.external_player:
        return None
    files = [source for source in showing.film.sources if source.type.startswith("video/mp4")]
    return min(files, key=lambda source: abs(source.height - PLAYED_HEIGHT), default=None)


def _video(showing: FilmPresentation, embed_url: str) -> Video:
    film, source = showing.film, preview_source(showing)
    if source is None:
        return Video(embed_url, "text/html", film.width, film.height)
    return Video(_absolute(film_url(source.path)), "video/mp4", source.width, source.height)


def _schema(showing: FilmPresentation, *, name: str, description: str, embed_url: str) -> dict[str, Any]:
    """Return the film as a schema.org VideoObject (schema.org/VideoObject; Google, "Video structured data")."""
    film, language = showing.film, i18n.get_language()
    schema = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": name,
        "description": description,
        "thumbnailUrl": [_absolute(film_url(film.preview))],
        "uploadDate": film.published.isoformat(),
        "embedUrl": embed_url,
        "inLanguage": film.language,
    }
    source = preview_source(showing)
    if source is None:
        return schema
    transcript = showing.transcripts.get(language) or showing.transcripts.get(film.language) or []
    return schema | {
        "duration": f"PT{round(film.seconds)}S",
        "contentUrl": _absolute(film_url(source.path)),
        "encodingFormat": "video/mp4",
        "transcript": "\n\n".join("\n".join(lines) for lines in transcript),
        "caption": [_caption(language, path) for language, path in film.captions.items()],
    }


def _caption(language: str, path: str) -> dict[str, str]:
    return {
        "@type": "MediaObject",
        "contentUrl": _absolute(film_url(path)),
        "encodingFormat": "text/vtt",
        "inLanguage": language,
    }


def _absolute(path: str) -> str:
    return urljoin(current_context().settings.public_url, path)
