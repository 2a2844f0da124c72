"""Large matrices: `make test` runs what is hardest, and `make long` the rest."""

import pytest

from campaign.core.languages import LANGUAGES

HARDEST_LANGUAGES = ["ar", "de", "ru"]  # right to left, the longest words, another script
OTHER_LANGUAGES = [language for language in LANGUAGES if language not in HARDEST_LANGUAGES]
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]

each_language = pytest.mark.parametrize(
    "language", [*HARDEST_LANGUAGES, *(pytest.param(language, marks=pytest.mark.long) for language in OTHER_LANGUAGES)]
)
all_languages = pytest.mark.parametrize(
    "languages", [HARDEST_LANGUAGES, pytest.param(OTHER_LANGUAGES, marks=pytest.mark.long)], ids=["hardest", "others"]
)
