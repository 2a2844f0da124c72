"""The translations use the terms of docs/glossary.tsv, and none of the words that the campaign avoids."""

import csv
import re

import pytest
from babel.messages.pofile import read_po

from campaign.config.paths import ROOT, TRANSLATIONS
from campaign.core.languages import LANGUAGES

TRANSLATED = [language for language in LANGUAGES if language != "en"]

# What a supporter must never read, with the reason where it is not obvious.
AVOIDED = {
    "ru": [r"\(а\)", r"\(ла\)", r"\bв списке\b", r"стерт", r"Попросите Международный"],
    "fr": [r"\(e\)", r"sur la liste", r"prendre la parole", r"[^\s\u202f][;!?]", r" [;!?:»]", r"« "],
    "es": [r"película", r"[Ee]nviadme", r"alguien más puso", r"en la lista", r"\w[@]s\b"],
    "pt": [r"[Ee]ncript", r"Último nome", r"[Dd]ivulgar", r"na lista", r"[Oo]brigad[oa]\b"],
    "de": [r"auf der Liste", r"versiegel", r"Ersatzcode"],
    "it": [r"nella lista", r"bugia", r"ə", r"Sei uscit"],
    "nl": [r"op de lijst", r"[Aa]fmelden", r"verzegel"],
    "ar": [r"شذوذ", r"عبارة سر", r"في القائمة"],
}


def texts_of(language: str) -> dict[str, tuple[str, ...]]:
    """Return the forms of each translation by its English text."""
    with (TRANSLATIONS / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    texts = {str(message.id): message.string for message in catalogue if message.id}
    return {key: text if isinstance(text, tuple) else (str(text),) for key, text in texts.items()}


@pytest.fixture(scope="module")
def glossary() -> list[dict[str, str]]:
    with (ROOT / "docs/glossary.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_use_the_terms_of_the_glossary(glossary, language):
    texts = texts_of(language)
    plain = {row["en"]: "".join(texts[row["en"]]).replace("\u202f", " ").replace("\xa0", " ") for row in glossary}
    assert plain == {row["en"]: row[language] for row in glossary}


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_has_a_word_to_avoid(language):
    faults = [
        (pattern, form)
        for forms in texts_of(language).values()
        for form in forms
        for pattern in AVOIDED[language]
        if re.search(pattern, form)
    ]
    assert faults == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_words_that_were_translated_back_stand_in_no_quotation_marks(language):
    [putin] = (forms for text, forms in texts_of(language).items() if text.startswith("President Vladimir Putin"))
    [director] = (forms for text, forms in texts_of(language).items() if text.startswith("The film, says its director"))
    assert not [form for form in (*putin, *director) if "<q>" in form]
