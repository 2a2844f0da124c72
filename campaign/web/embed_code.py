"""The HTML with which other sites embed the film, and its oEmbed description."""

from flask import url_for

from campaign.context import current_context
from campaign.sharing import oembed as describing
from campaign.web import i18n, share_texts
from campaign.web.film_player import current_film, film_url


def embed_info(ref: str | None = None) -> describing.Embedded:
    """Return the oEmbed information in the language of the request; `ref` is a supporter's referral code."""
    public_url, film = current_context().settings.public_url, current_film().film
    return describing.Embedded(
        url=public_url + url_for("embed.embed", lang=i18n.get_language(), ref=ref),
        title=share_texts.title(),
        provider=share_texts.title(),
        provider_url=f"{public_url}/",
        ratio=film.width / film.height,
        thumbnails=tuple(
            describing.Thumbnail(public_url + film_url(picture.path), picture.width, height)
            for picture in film.posters
            if picture.type == "image/jpeg"
            for height in [round(picture.width * film.height / film.width)]
        ),
    )


def embed_snippet() -> str:
    """Return the HTML that puts the film into another page."""
    of = embed_info()
    return describing.snippet(of, *describing.size(of.ratio))
