"""Languages of the pages, and the choice of the language for each request.

The language is part of the URL and never in a cookie, so that a page is the same for everyone.
"""

from datetime import date

from babel import Locale
from flask import Flask, g, has_request_context, request, url_for
from flask_babel import Babel, format_decimal, get_locale, refresh
from werkzeug.routing import BaseConverter

from campaign.core.dates import format_long_date
from campaign.core.languages import DEFAULT_LANGUAGE, LANGUAGES
from campaign.web.countries import countries, country_name, likely_countries
from campaign.web.translations import CampaignDomain, translations_in

# The fonts of headlines, one file per script; Arabic uses the system's font.
_HEADLINE_FONTS = {"ru": "css/fonts/eb-garamond-cyrillic.woff2", "ar": ""}


def init_i18n(app: Flask) -> None:
    """Register the `<lang:lang>` URL converter, and translations and number formats for templates."""
    app.url_map.converters["lang"] = _LanguageConverter
    babel = Babel(app, locale_selector=_negotiated_language)
    babel.domain_instance = CampaignDomain()
    # Flask-Babel's own look up its domain and the locale again for each text.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: translations_in(get_language()).gettext(text),
        lambda one, many, number: translations_in(get_language()).ngettext(one, many, number),
        newstyle=True,
    )
    app.url_value_preprocessor(_set_from_url)
    app.jinja_env.globals.update(
        countries=countries,
        current_language=get_language,
        url_in_language=_url_in_language,
        language_name=language_name,
        languages=LANGUAGES,
        headline_font=lambda: _HEADLINE_FONTS.get(get_language(), "css/fonts/eb-garamond-latin.woff2"),
        likely_countries=likely_countries,
        text_direction=lambda: str(get_locale().text_direction),
    )
    app.jinja_env.filters.update(number=format_decimal, long_date=format_day, country_name=country_name)


def get_language() -> str:
    """Return the language of this request or message."""
    return str(get_locale().language)  # all of ours are one language without a territory


def set_language(language: str | None) -> None:
    """Answer this request in `language`, or in the one the visitor likes best if we do not speak it."""
    g.language = language if language in LANGUAGES else preferred_language()
    refresh()


def preferred_language() -> str:
    """Return the language we speak that the visitor's browser likes best."""
    liked = (tag.split("-")[0].lower() for tag, quality in request.accept_languages if quality)
    return next((language for language in liked if language in LANGUAGES), DEFAULT_LANGUAGE)


def _negotiated_language() -> str:
    if "language" in g:
        return str(g.language)
    if not has_request_context():
        return DEFAULT_LANGUAGE
    first = request.path.lstrip("/").partition("/")[0]  # of an address that we do not have
    return first if first in LANGUAGES else preferred_language()


class _LanguageConverter(BaseConverter):
    regex = "|".join(LANGUAGES)


def _set_from_url(_endpoint: str | None, values: dict[str, object] | None) -> None:
    if values and "lang" in values:
        g.language = values["lang"]


def _url_in_language(language: str) -> str:
    """Return the address of this page in another language; where that is not possible, of the page itself."""
    values = request.view_args or {}
    if request.path.startswith("/organise"):
        endpoint = request.endpoint if request.endpoint and request.method == "GET" else "overview.show"
        return url_for(endpoint, **values if request.method == "GET" else {}, lang=language)
    if "lang" in values:
        return url_for(request.endpoint or "", **values | {"lang": language})
    if "token" in values and request.method == "GET":
        if "address" not in g:
            g.address = url_for(request.endpoint or "", token=values["token"])
        return f"{g.address}?lang={language}"
    return url_for("petition.page", lang=language)


def format_day(date: date) -> str:
    """Return a day as it is written in the language of this request."""
    return format_long_date(date, get_language())


def language_name(language: str) -> str:
    """Return a language's own name, capitalised for lists."""
    name = str(Locale.parse(language).get_display_name())
    return name[0].upper() + name[1:]
