"""The part of a page that offers sharing, rendered once for each language and status of the petition.

A supporter's own page has the same part with their code in each link. Rendering it takes longer than all the rest of
that page, so it is rendered with a placeholder, which the code replaces.
"""

from functools import partial
from threading import Lock

from flask import Flask, render_template
from markupsafe import Markup

from campaign.petition.status import PetitionStatus
from campaign.web import i18n
from campaign.web.share_links import ShareLinks

_PLACEHOLDER = "A" * 11  # as long as a code, and of the same characters, so it is written like one everywhere
_MAX_KEPT = 100  # the day of the delivery is part of the status, and may change

_Key = tuple[str, PetitionStatus, bool, bool]


def init_share_section(app: Flask) -> None:
    """Add `share_section(share_links)` to the templates."""
    app.jinja_env.globals["share_section"] = partial(_share_section, {}, Lock())


def _share_section(
    kept: dict[_Key, Markup], lock: Lock, links: ShareLinks, *, show_all_channels: bool = False
) -> Markup:
    key = (i18n.get_language(), links.stage, links.ref is None, show_all_channels)
    markup = kept.get(key)
    if markup is None:
        template_links = ShareLinks(links.stage, _PLACEHOLDER if links.ref else None)
        rendered = render_template(
            "public/_share.html", share_links=template_links, show_all_channels=show_all_channels
        )
        markup = Markup(rendered)  # noqa: S704 - our own template
        with lock:
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            kept[key] = markup
    return Markup(markup.replace(_PLACEHOLDER, links.ref)) if links.ref else markup  # noqa: S704 - of URL-safe letters
