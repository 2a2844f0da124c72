"""Days, as people write them."""

from datetime import date

from babel.dates import format_date

_FORMATS = {"en": "en_GB"}  # 7 August 2013, as the page's own texts have it


def format_long_date(day: date, language: str) -> str:
    """Return a day, or that of a moment, in the words of `language`: 10 December 2013, 10 декабря 2013 г."""
    return str(format_date(day, "long", locale=_FORMATS.get(language, language)))
