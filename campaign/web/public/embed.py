"""The film on other sites: a page that may be framed anywhere, and its oEmbed description."""

from urllib.parse import SplitResult, urlsplit

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.context import current_context
from campaign.core.languages import DEFAULT_LANGUAGE
from campaign.core.text import clean
from campaign.errors import TextTooLong, UnusableCharacter
from campaign.sharing import oembed as describing
from campaign.sharing.channels import landing_url
from campaign.web import i18n, last_known
from campaign.web.embed_code import embed_info
from campaign.web.film_player import allow_player
from campaign.web.forms.sign import parse_referral, referral_from_url
from campaign.web.headers import allow_framing, cache_publicly
from campaign.web.link_repair import split_language

bp = Blueprint("embed", __name__)

MAX_ADDRESS = 2000  # characters

_PORTS = {"http": 80, "https": 443}


@bp.get("/<lang:lang>/embed")
def embed(lang: str) -> ResponseReturnValue:
    """Show film, count and a button that opens the page; in a frame on any site."""
    ref = parse_referral(ref=request.args.get("ref"), via=None).ref
    page = render_template(
        "public/embed.html",
        landing_url=landing_url(current_context().settings.public_url, language=lang, via="embed", ref=ref),
        page_url=current_context().settings.public_url + url_for("petition.page", lang=lang),
        count=last_known.count(),
        petition_status=last_known.status(),
    )
    return cache_publicly(allow_framing(allow_player(make_response(page))))


@bp.get("/oembed")
def oembed() -> ResponseReturnValue:
    """Return the oEmbed description of one of our pages (oembed.com, 2.2)."""
    address = request.args.get("url") or abort(400)
    language, form = _language_of(address) or abort(404), request.args.get("format", "json")
    if form not in ("json", "xml"):
        return "Only json and xml are supported.", 501  # oembed.com, 2.3.5
    i18n.set_language(language)
    room = {name: request.args.get(name, type=_pixels) for name in ("maxwidth", "maxheight")}
    fields = describing.oembed_response(embed_info(referral_from_url(address).ref), **room)
    answer = jsonify(fields) if form == "json" else Response(describing.to_xml(fields), mimetype="text/xml")
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = f"public, max-age={describing.CACHE_SECONDS}"
    return answer


def _language_of(address: str) -> str | None:
    """Return the language of one of our pages, or None for any other URL."""
    try:
        parts, ours = urlsplit(clean(address, max_length=MAX_ADDRESS)), urlsplit(current_context().settings.public_url)
        is_ours = parts.scheme in _PORTS and _place(parts) == _place(ours)
    except (TextTooLong, UnusableCharacter, ValueError):
        return None
    language, rest = split_language(parts.path)
    return (language or DEFAULT_LANGUAGE) if is_ours and rest in ("/", "/embed") else None


def _place(parts: SplitResult) -> tuple[str, int | None]:
    """Return host and port, the same with and without www, http or https. Raises `ValueError` for a wrong port."""
    port = parts.port if parts.port != _PORTS[parts.scheme] else None
    return (parts.hostname or "").removeprefix("www."), port


def _pixels(text: str) -> int:
    """Return a number of pixels; the other site's own mistakes (0, "wide") are as good as nothing."""
    pixels = int(text)
    if not 0 < pixels < 100_000:
        raise ValueError(text)
    return pixels
