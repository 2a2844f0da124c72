"""Languages: which ones the page speaks, and which one a request is answered in.

The language stands in the address, never in a cookie, so that a page is the same for everyone.
"""

from datetime import datetime
from unicodedata import combining, normalize

from babel import Locale
from flask import Flask, g, request
from flask_babel import Babel, format_date, format_decimal, get_locale, refresh
from werkzeug.routing import BaseConverter

from campaign.petition.countries import CODES

LANGUAGES = ("en",)
DEFAULT = "en"


def speak(app: Flask) -> None:
    """Give `app` its languages: `<lang:lang>` in addresses, translated texts and numbers in templates."""
    app.url_map.converters["lang"] = _LanguageConverter
    Babel(app, locale_selector=lambda: g.get("language", DEFAULT))
    app.url_value_preprocessor(_take_from_address)
    app.jinja_env.globals.update(
        current_language=current, language_name=_language_name, text_direction=_text_direction, countries=countries
    )
    app.jinja_env.filters.update(number=format_decimal, day=_day, country=_country_name)


def current() -> str:
    """Return the language of this request or message."""
    return str(get_locale())


def use(language: str | None) -> None:
    """Answer this request in `language`, or in the default one if we do not speak it."""
    g.language = language if language in LANGUAGES else DEFAULT
    refresh()


def preferred() -> str:
    """Return the language we speak that the visitor's browser likes best."""
    return request.accept_languages.best_match(LANGUAGES) or DEFAULT


def countries() -> list[tuple[str, str]]:
    """Return code and name of each country in the current language, sorted by name."""
    language = current()
    if language not in _countries:
        names = Locale.parse(language).territories
        _countries[language] = sorted(((code, names[code]) for code in CODES), key=lambda pair: _sort_key(pair[1]))
    return _countries[language]


_countries: dict[str, list[tuple[str, str]]] = {}


class _LanguageConverter(BaseConverter):
    regex = "|".join(LANGUAGES)


def _take_from_address(_endpoint: str | None, values: dict[str, object] | None) -> None:
    if values and "lang" in values:
        g.language = values["lang"]


def _language_name(language: str) -> str:
    return str(Locale.parse(language).get_display_name())


def _country_name(code: str) -> str:
    return str(Locale.parse(current()).territories[code])


def _day(moment: datetime) -> str:
    return str(format_date(moment, "long"))


def _text_direction() -> str:
    return str(Locale.parse(current()).text_direction)


def _sort_key(name: str) -> str:
    """Sort Åland with A, as readers of most languages look for it."""
    return "".join(letter for letter in normalize("NFKD", name) if not combining(letter)).casefold()
