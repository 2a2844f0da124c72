"""The organisers' settings for the current request, or a preview of settings that are not stored yet."""

import re

from flask import g, render_template
from flask_babel import force_locale
from markupsafe import Markup

from campaign.petition.settings import PetitionSettings
from campaign.web import i18n, last_known


def current_settings() -> PetitionSettings:
    """Return the stored or previewed settings."""
    if "options" not in g:
        g.options = last_known.petition_settings()
    settings: PetitionSettings = g.options
    return settings


def preview(looked_at: PetitionSettings) -> None:
    """Use settings that are not stored yet, for this request only."""
    g.options = looked_at


def petition_text() -> list[str]:
    """Return the paragraphs of the petition text in the current language, if organisers have replaced it."""
    return paragraphs(current_settings().letters.get(i18n.get_language(), ""))


def petition_text_in(language: str) -> str:
    """Return the current petition text in a language, as plain text."""
    return current_settings().letters.get(language) or default_petition_text(language)


def default_petition_text(language: str) -> str:
    """Return the default petition text as plain text, with empty lines between paragraphs."""
    with force_locale(language):
        page = render_template("public/_petition_text.html", form=None, custom_petition_text=list)
    quoted = page.replace("<q>", "“").replace("</q>", "”")
    matches = re.findall(r"<p>(.*?)</p>", quoted, re.DOTALL)
    return "\n\n".join(Markup(paragraph).striptags() for paragraph in matches)  # noqa: S704 - our own template


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, which empty lines end."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]
