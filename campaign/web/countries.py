"""The countries of the form, named and sorted in the language of the page."""

from functools import cache

from babel import Locale
from flask_babel import get_locale

from campaign.core.text import fold
from campaign.petition.countries import CODES

# The countries with most readers of a language: listed first, never preselected (CLDR, territory information).
_LIKELY = {
    "en": ("GB", "US", "IE", "CA", "AU"),
    "ru": ("RU", "UA", "BY", "KZ", "IL"),
    "fr": ("FR", "BE", "CH", "CA"),
    "es": ("ES", "MX", "AR", "CO", "US"),
    "pt": ("BR", "PT", "AO"),
    "de": ("DE", "AT", "CH"),
    "it": ("IT", "CH"),
    "nl": ("NL", "BE", "SR"),
    "ar": ("EG", "MA", "DZ", "TN", "LB", "SA"),
}


def countries() -> list[tuple[str, str]]:
    """Return code and name of each country in the current language, sorted by name."""
    return _names(str(get_locale()))


def likely_countries() -> list[tuple[str, str]]:
    """Return code and name of the countries where most readers of the current language live."""
    return [(code, country_name(code)) for code in _LIKELY[str(get_locale())]]


def country_name(code: str) -> str:
    """Return the name of a country in the current language."""
    return str(get_locale().territories[code])


@cache
def _names(language: str) -> list[tuple[str, str]]:
    names = Locale.parse(language).territories
    # Åland is sorted next to A, where readers of most languages look for it.
    return sorted(((code, names[code]) for code in CODES), key=lambda pair: fold(pair[1]))
