"""The texts of the page in each language, read from `campaign/translations/<language>.po`."""

from functools import cache
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale

from campaign.config.paths import TRANSLATIONS


class CampaignDomain(Domain):  # type: ignore[misc]
    """The source of Flask-Babel's translations, which by default would need compiled files that may be out of date."""

    def get_translations(self) -> NullTranslations:
        """Return the texts in the language of this request or message."""
        return translations_in(str(get_locale()))


@cache
def translations_in(language: str) -> NullTranslations:
    """Return the texts in a language."""
    path = TRANSLATIONS / f"{language}.po"
    if not path.exists():
        return NullTranslations()  # the texts in the code are English
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)
