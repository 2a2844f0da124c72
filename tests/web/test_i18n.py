"""Nine languages: every text, on every page, with numbers, plurals, countries and directions as each has them."""

import re
import subprocess
import sys
from html import unescape

import pytest
from babel.messages.pofile import read_po

from campaign.config.paths import ROOT, TRANSLATIONS
from campaign.core.languages import LANGUAGES
from campaign.web.countries import _LIKELY
from tests.matrix import each_language
from tests.personas import FROM_OUR_PAGE


@pytest.fixture
def backend() -> str:
    """Texts do not depend on the database."""
    return "sqlite"


TRANSLATED = [language for language in LANGUAGES if language != "en"]
UNTRANSLATED = {"Love Always Wins", "HuffPost; Fast Company", "HuffPost, September 2013", "PinkNews, November 2013"}
PARTS = re.compile(r"%\(\w+\)s|</?(?!q>)\w[^>]*>")  # words that are translated back must not stand in quotation marks


def texts_of(path):
    with path.open("rb") as file:
        return {message.id: message for message in read_po(file, locale=path.stem) if message.id}


def forms_of(text):
    return text.string if isinstance(text.string, tuple) else (text.string,)


@pytest.fixture(scope="module")
def in_the_code(tmp_path_factory):
    """Return the translatable texts in code and templates."""
    found = tmp_path_factory.mktemp("texts") / "en.po"
    extract = [sys.executable, "-m", "babel.messages.frontend", "extract", "-F", "pyproject.toml", "-o", found, "."]
    subprocess.run(extract, cwd=ROOT, check=True, capture_output=True)
    return texts_of(found)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_is_left_over(in_the_code, language):
    texts = texts_of(TRANSLATIONS / f"{language}.po")
    assert set(texts) == set(in_the_code), "run 'make texts', then translate what is new"
    empty = [str(text.id)[:60] for text in texts.values() if not text.string or "" in forms_of(text)]
    assert empty == []
    assert [str(text.id)[:60] for text in texts.values() if text.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_numbers_and_tags_of_its_text(language):
    for text in texts_of(TRANSLATIONS / f"{language}.po").values():
        meant = text.id[1] if isinstance(text.id, tuple) else text.id
        for form in forms_of(text):
            assert sorted(PARTS.findall(form)) == sorted(PARTS.findall(meant)), form
            assert form == form.strip()


@pytest.fixture(scope="module")
def english(pages_in):
    """Return the English text of every page."""
    return {name: read_on(page) for name, page in pages_in("en").items()}


def read_on(page) -> set[str]:
    """Return the visible and spoken text of `page`, in pieces of two words or more, without country names."""
    page = re.sub(r"<(option|meta name=.(?:viewport|color-scheme))[^>]*>[^<]*", "", page)
    said = re.findall(r'(?:alt|aria-label|title|content|label|data-[a-z-]+)="([^"]+)"', page)
    page = re.sub(r'<textarea[^>]*lang="en"[^>]*>[^<]*', "", page)  # English in every language: it says so
    said += re.findall(r">([^<>]+)<", page)
    pieces = {" ".join(unescape(text).split()).removesuffix(" · Love Always Wins") for text in said}
    return {text for text in pieces if re.search(r"[^\W\d_]{2,},? [^\W\d_]{2,}", text)} - UNTRANSLATED


@pytest.mark.slow
@each_language
def test_every_page_is_in_its_language_throughout(pages_in, english, language):
    for name, page in pages_in(language).items():
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page, name
        assert language == "en" or read_on(page) & english[name] == set(), name


@pytest.mark.parametrize("path", ["", "privacy"])
def test_search_engines_find_all_languages(campaign, path):
    page = campaign.client.get(f"/ru/{path}").text
    default = f"en/{path}" if path else ""
    told = dict(re.findall(r'<link rel="alternate"\s+hreflang="([\w-]+)"\s+href="([^"]+)">', page))
    assert told == {
        **{language: f"http://127.0.0.1:8000/{language}/{path}" for language in LANGUAGES},
        "x-default": f"http://127.0.0.1:8000/{default}",
    }


@pytest.mark.parametrize(
    ("wants", "language"), [("pt-BR,en;q=0.5", "pt"), ("ru-RU", "ru"), ("ar-EG", "ar"), ("tlh", "en"), ("", "en")]
)
def test_the_front_door_and_errors_follow_the_browser(campaign, wants, language):
    headers = {"Accept-Language": wants}
    assert campaign.client.get("/", headers=headers).headers["Location"] == f"/{language}/"
    assert f'lang="{language}"' in campaign.client.get("/nothing", headers=headers).text


def test_a_wrong_address_is_explained_in_the_language_it_begins_with(campaign):
    assert 'lang="ar" dir="rtl"' in campaign.client.get("/ar/nothing", headers={"Accept-Language": "de"}).text


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1</strong> человек"), (2, "2</strong> человека"), (5, "5</strong> человек")]
)
def test_plurals_are_those_of_the_language(campaign, number, words):
    for one in range(number):
        campaign.persona("Ada", email=f"ada{one}@example.org").confirms()
    assert words in campaign.client.get("/ru/").text


def test_countries_are_named_and_sorted_in_the_language(campaign):
    page = campaign.client.get("/de/").text
    options = re.findall(r'<option value="([A-Z]{2})"', page)
    assert options[: len(_LIKELY["de"])] == list(_LIKELY["de"])
    assert options.index("AT", 3) < options.index("PL") < options.index("CY")  # Österreich, Polen, Zypern
    assert "selected>" not in page


@pytest.mark.parametrize("language", TRANSLATED)
def test_mistakes_are_explained_in_the_language_of_the_form(campaign, language):
    ada = campaign.persona("", email="no address", country="", lang=language)
    errors = ada.posts(headers={"Accept": "application/json"}).json["errors"]
    texts = texts_of(TRANSLATIONS / f"{language}.po")
    assert errors["given_name"] == [texts["Enter your first name"].string]
    assert errors["country"] == [texts["Choose your country"].string]


@pytest.mark.parametrize("language", TRANSLATED)
def test_mail_and_receipt_are_in_the_signers_language(campaign, language):
    ada = campaign.persona("Ada", email="ada@example.org", lang=language)
    receipt = ada.confirms()
    [mail] = ada.mails()
    texts = texts_of(TRANSLATIONS / f"{language}.po")
    assert mail["Subject"] == texts["Please confirm your email address"].string
    assert texts["Hello,"].string in mail.get_body(("plain",)).get_content()
    assert texts["Thank you. Your signature counts."].string in campaign.client.get(receipt).text


def test_a_private_page_can_be_read_in_another_language(campaign, ada):
    ada.signs()
    link = ada.link()
    assert 'lang="ru"' in campaign.client.get(f"{link}?lang=ru").text
    receipt = campaign.client.post(f"{link}?lang=ru").headers["Location"]
    assert receipt.endswith("?lang=ru")
    assert 'lang="ru"' in campaign.client.get(receipt).text


def test_a_link_that_fails_is_explained_in_the_language_that_is_asked_for(campaign):
    assert '<html lang="ru"' in campaign.client.get("/confirm/abc?lang=ru", headers={"Accept-Language": "en"}).text


def test_without_javascript_typed_values_survive_a_change_of_language(campaign, ada):
    page = ada.posts(switch="ru", email="not yet an addr", message="For those who stay").text
    assert '<html lang="ru"' in page
    for typed in ('value="Ada"', 'value="Lovelace"', 'value="not yet an addr"', "For those who stay"):
        assert typed in page
    assert "aria-invalid" not in page
    assert ada.mails() == []


def test_without_javascript_the_change_of_language_keeps_how_one_came(campaign, ada):
    came = {**FROM_OUR_PAGE, "Referer": "http://127.0.0.1:8000/en/?ref=AAAAAAAAAAA&via=whatsapp"}
    page = ada.posts(headers=came, switch="ru", again="a token", waited="another").text
    assert '<input type="hidden" name="again" value="a token">' in page
    assert '<input type="hidden" name="waited" value="another">' in page
    assert '<input type="hidden" name="ref" value="AAAAAAAAAAA">' in page
    assert '<input type="hidden" name="via" value="whatsapp">' in page
    assert "/sign#sign" in page


def test_another_site_cannot_have_the_form_filled_in_by_a_change_of_language(campaign, ada):
    assert ada.posts(headers={"Sec-Fetch-Site": "cross-site"}, switch="ru").status_code == 403


def test_an_unknown_language_in_the_form_is_answered_in_the_browsers(campaign, ada):
    page = ada.posts(headers={**FROM_OUR_PAGE, "Accept-Language": "fr"}, lang="xx", email="typo").text
    assert '<html lang="fr"' in page


def test_share_texts_are_in_the_language(campaign):
    target = campaign.client.get("/share/telegram?lang=ar").headers["Location"]
    assert "%D8" in target  # the first byte of an Arabic letter
