"""Images for sharing: the card of each language, the QR code, posters to print.

A card gets a new name whenever its content changes, since networks cache the result for a URL, including failures.
"""

import re
from pathlib import Path

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.context import current_context
from campaign.core.languages import LANGUAGES
from campaign.errors import Busy
from campaign.sharing.channels import landing_url
from campaign.sharing.images.cache import get_cached, get_or_render
from campaign.sharing.images.content import ImageText
from campaign.sharing.qr import qr_svg
from campaign.web import last_known, share_texts
from campaign.web.film_player import current_film
from campaign.web.forms.sign import parse_referral
from campaign.web.headers import SHARED_SECONDS
from campaign.web.negotiation import set_retry_after
from campaign.web.share_images import _version

DAY = 86400  # seconds

_VERSION = re.compile(r"[0-9a-f]{12}")

bp = Blueprint("images", __name__)


@bp.errorhandler(Busy)
def ask_to_come_back(error: Busy) -> ResponseReturnValue:
    """Return 503 when too many images are requested at once, and no older version exists."""
    return set_retry_after(Response("", 503), error.seconds)


@bp.get("/card/<lang:lang>.<any(png, avif):ending>")
def card(lang: str, ending: str) -> ResponseReturnValue:
    """Show the card as it is now; in half its size as an AVIF."""
    words = _words_now()
    data, _ = _card(words, _file("card", lang, _version(words), ending))
    return _picture(data, f"image/{ending}", seconds=SHARED_SECONDS)


@bp.get("/card/<lang:lang>.<version>.png")
def card_version(lang: str, version: str) -> ResponseReturnValue:
    """Show the card of a certain version, or where that is gone, the one of now."""
    if not _VERSION.fullmatch(version):
        abort(404)
    path = _file("card", lang, version, "png")
    if data := get_cached(path):
        return _picture(data, "image/png", seconds=DAY)
    words = _words_now()
    now = _file("card", lang, _version(words), "png")
    data, is_now = _card(words, now)
    return _picture(data, "image/png", seconds=DAY if is_now and now == path else SHARED_SECONDS)


@bp.get("/qr.svg")
def qr() -> ResponseReturnValue:
    """Show the QR code of the page, with a supporter's code if one is given; without a language, of the front door."""
    language = request.args.get("lang")
    language = language if language in LANGUAGES else None
    ref = parse_referral(ref=request.args.get("ref"), via=None).ref
    url = landing_url(current_context().settings.public_url, language=language, via="qr", ref=ref)
    return _picture(qr_svg(url), "image/svg+xml", seconds=DAY)


@bp.get("/<lang:lang>/poster-<any(a4, a5, letter):size>.pdf")
def poster(lang: str, size: str) -> ResponseReturnValue:
    """Show the poster to print."""
    words = share_texts.image_text(last_known.status(), count=0)  # a printed poster cannot update its count
    data, _ = get_or_render(_file(f"poster-{size}", lang, _version(words), "pdf"), lambda: _poster(words, size))
    response = _picture(data, "application/pdf", seconds=SHARED_SECONDS)
    response.headers["Content-Disposition"] = f'inline; filename="love-always-wins-{lang}-{size}.pdf"'
    return response


def _words_now() -> ImageText:
    return share_texts.image_text(last_known.status(), last_known.count())


def _card(words: ImageText, path: Path) -> tuple[bytes, bool]:
    def draw() -> bytes:
        from campaign.sharing.images.cards import render_card, render_thumbnail

        return (render_card if path.suffix == ".png" else render_thumbnail)(words, current_film().preview_file)

    return get_or_render(path, draw)


def _poster(words: ImageText, size: str) -> bytes:
    from campaign.sharing.images.posters import CallToAction, display_url, render_poster

    public_url = current_context().settings.public_url
    lead = CallToAction(
        call=str(gettext("Watch the film and sign") if last_known.status().is_open else gettext("Watch the film")),
        url=landing_url(public_url, language=words.language, via="poster"),
        address=display_url(public_url),
    )
    return render_poster(words, lead, current_film().preview_file, size=size)


def _file(kind: str, lang: str, version: str, ending: str) -> Path:
    return current_context().settings.instance / "pictures" / f"{kind}-{lang}.{version}.{ending}"


def _picture(data: bytes, media_type: str, *, seconds: int) -> Response:
    """Return a picture that everyone may keep for so long."""
    response = Response(data, mimetype=media_type)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response
