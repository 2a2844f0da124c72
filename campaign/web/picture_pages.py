"""Pictures made for sharing: the card of each language, the QR code, posters to print.

A card gets a new name whenever it says something new, since networks remember what an address held, and what failed.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock

from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.db import db
from campaign.files import own_folder, whole_file
from campaign.petition import counting
from campaign.sharing import cards, drawing, posters
from campaign.sharing.channels import landing_url
from campaign.sharing.drawing import Words
from campaign.sharing.qr import qr_svg
from campaign.stages import Stage, stage
from campaign.state import state
from campaign.web import languages, share_texts
from campaign.web.film_pages import shown
from campaign.web.forms import arrival
from campaign.web.headers import SHARED_SECONDS

KEPT = 3  # cards of a language: pages that are cached still name the one before
DAY = 86400  # seconds

_VERSION = re.compile(r"[0-9a-f]{12}")
_drawing = Lock()  # one at a time: each takes half a second of one core

bp = Blueprint("pictures", __name__)


def card_path(stage: Stage, count: int) -> str:
    """Return the path of the card that says how things stand, in the language of the request."""
    version = _version(share_texts.words(stage, count))
    return url_for("pictures.card_version", lang=languages.current(), version=version)


@bp.get("/card/<lang:lang>.png")
def card(lang: str) -> ResponseReturnValue:
    """Show the card as it is now."""
    return _png(_current(lang), seconds=SHARED_SECONDS)


@bp.get("/card/<lang:lang>.<version>.png")
def card_version(lang: str, version: str) -> ResponseReturnValue:
    """Show the card of a certain version, or where that is gone, the one of now."""
    if not _VERSION.fullmatch(version):
        abort(404)
    path = _card_file(lang, version)
    if path.is_file():
        return _png(path.read_bytes(), seconds=DAY)
    current = _current(lang)
    return _png(current, seconds=DAY if path.is_file() else SHARED_SECONDS)


@bp.get("/qr.svg")
def qr() -> ResponseReturnValue:
    """Show the QR code of the page, with a supporter's code if one is given; without a language, of the front door."""
    language = request.args.get("lang")
    language = language if language in languages.LANGUAGES else None
    ref = arrival(ref=request.args.get("ref"), via=None).ref
    url = landing_url(state().settings.public_url, language=language, via="qr", ref=ref)
    return _kept(Response(qr_svg(url), mimetype="image/svg+xml"), DAY)


@bp.get("/<lang:lang>/poster-<any(a4, a5, letter):size>.pdf")
def poster(lang: str, size: str) -> ResponseReturnValue:
    """Show the poster to print."""
    words = share_texts.words(stage(db.session), count=0)  # what is printed cannot count on
    version = _version(words)
    data = _made(_folder() / f"poster-{lang}-{size}.{version}.pdf", lambda: _poster(words, size))
    response = Response(data, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="love-always-wins-{lang}-{size}.pdf"'
    return _kept(response, SHARED_SECONDS)


def _current(lang: str) -> bytes:
    words = share_texts.words(stage(db.session), counting.confirmed(db.session))
    return _made(_card_file(lang, _version(words)), lambda: cards.card(words, shown().preview_file))


def _poster(words: Words, size: str) -> bytes:
    public_url = state().settings.public_url
    lead = posters.Lead(
        call=str(gettext("Watch the film and sign") if stage(db.session).is_open else gettext("Watch the film")),
        url=landing_url(public_url, language=words.language, via="poster"),
        address=public_url.partition("//")[2],
    )
    return posters.poster(words, lead, shown().preview_file, size=size)


def _made(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the file's content; it is made at its first use, and the oldest of its kind go."""
    with _drawing:
        if not path.is_file():
            own_folder(path.parent)
            with whole_file(path) as file:
                file.write(make())
            _tidy(path)
        return path.read_bytes()


def _tidy(path: Path) -> None:
    kind = path.name.partition(".")[0]
    made = sorted(path.parent.glob(f"{kind}.*"), key=lambda other: other.stat().st_mtime, reverse=True)
    for old in made[KEPT:]:
        old.unlink(missing_ok=True)


def _card_file(lang: str, version: str) -> Path:
    return _folder() / f"card-{lang}.{version}.png"


def _folder() -> Path:
    return state().settings.instance / "pictures"


def _version(words: Words) -> str:
    """Return what changes with the words, the film's frame and how they are drawn."""
    said = repr((words, state().settings.public_url, str(shown().preview_file), _look()))
    return hashlib.blake2b(said.encode(), digest_size=6).hexdigest()


@cache
def _look() -> str:
    """Return a hash of the code that draws."""
    sources = (Path(str(module.__file__)).read_bytes() for module in (drawing, cards, posters))
    return hashlib.blake2b(b"".join(sources)).hexdigest()


def _png(data: bytes, *, seconds: int) -> Response:
    return _kept(Response(data, mimetype="image/png"), seconds)


def _kept(response: Response, seconds: int) -> Response:
    """Let everyone keep `response` for so long."""
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]
