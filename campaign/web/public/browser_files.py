"""The files that browsers and phones ask every site for: icons, the web manifest, well-known addresses."""

import re

from flask import Blueprint, Response, abort, current_app, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from campaign.config.paths import STATIC
from campaign.web.static_files import static_url

DAY = 86400  # seconds

# iOS also asks for sizes, and for icons to which it adds no gloss; one size suits every device.
_VARIANT = re.compile(r"(-\d{2,3}x\d{2,3})?(-precomposed)?")
_BACKGROUND = "#070d1a"

bp = Blueprint("browser_files", __name__)


@bp.get("/favicon.ico")
def favicon() -> ResponseReturnValue:
    """Send the icon to browsers that cannot show an SVG, and to bookmarks."""
    return _icon("favicon.ico")


@bp.get("/apple-touch-icon<variant>.png")
@bp.get("/apple-touch-icon.png")
def apple_touch_icon(variant: str = "") -> ResponseReturnValue:
    """Send the icon that iOS puts on a home screen."""
    if not _VARIANT.fullmatch(variant):
        abort(404)
    return _icon("apple-touch-icon.png")


@bp.get("/<lang:lang>/manifest.webmanifest")
def manifest(lang: str) -> ResponseReturnValue:
    """Send the name and icons of the site (W3C, Web App Manifest). `browser` offers nothing to install."""
    icons = [{"src": static_url("icons/icon.svg"), "type": "image/svg+xml", "sizes": "any"}]
    icons += [_png("icon-192.png", 192), _png("icon-512.png", 512)]
    icons.append(_png("icon-maskable-512.png", 512) | {"purpose": "maskable"})
    content = {
        "name": gettext("Love Always Wins"),
        "lang": lang,
        "dir": str(get_locale().text_direction),
        "start_url": url_for("petition.page", lang=lang),
        "scope": "/",
        "display": "browser",
        "background_color": _BACKGROUND,
        "theme_color": _BACKGROUND,
        "icons": icons,
    }
    return _cached(Response(current_app.json.dumps(content), mimetype="application/manifest+json"))


@bp.get("/.well-known/<path:name>")
@bp.get("/apple-app-site-association")
@bp.get("/browserconfig.xml")
def absent(name: str = "") -> ResponseReturnValue:
    """Answer a probe for a file that this site lacks, briefly and once a day, in place of an uncached page."""
    return _cached(Response("Not found\n", status=404, mimetype="text/plain"))


def _png(name: str, size: int) -> dict[str, str]:
    return {"src": static_url(f"icons/{name}"), "type": "image/png", "sizes": f"{size}x{size}"}


def _icon(name: str) -> Response:
    return send_from_directory(STATIC / "icons", name, max_age=DAY)


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={DAY}"
    return response
