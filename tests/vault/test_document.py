"""The document to hand in: every name in its script, whole, with its country; numbered pages."""

import io
from contextlib import closing
from unicodedata import normalize

import pypdfium2
import pytest

from campaign.typefaces import ARABIC, EVERY, HAN, KOREAN, LATIN
from campaign.vault.document import Name, Words, document, drawable, typeface_of

WORDS = Words(
    title="Love Always Wins",
    day="22 November 2013",
    cover=["Dear all,", "Please answer."],
    letter_to="To the Committee",
    letter=["Speak out."],
    totals="Signatures by country",
    total="In all",
    names="Names",
    elsewhere="elsewhere",
    page="page {page} of {pages}",
)
SCRIPTS = {
    "Zażółć Nguyễn Åse": LATIN,
    "Мария Ёлкина": LATIN,
    "Ελένη": LATIN,
    "ليلى الحسن": ARABIC,
    "王小明 さくら": HAN,
    "김민준": KOREAN,
}


def pages(names: list[Name], words: Words = WORDS) -> list[str]:
    pdf = document(words, {"United Kingdom": len(names)}, names, lambda _done: None)
    texts = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(io.BytesIO(pdf))]
    return [normalize("NFC", " ".join(text.split())) for text in texts]  # one shape may be of several letters


@pytest.mark.parametrize(("name", "face"), SCRIPTS.items())
def test_a_name_is_set_in_letters_of_its_script(name, face):
    assert typeface_of(name) == face


@pytest.mark.parametrize("name", [name for name, face in SCRIPTS.items() if face != ARABIC])
def test_a_name_stands_in_the_document_as_it_was_typed(name):
    assert name in pages([Name("1", name, "Japan")])[3]


def test_arabic_letters_are_joined():
    """Four letters of which none stands alone: what is drawn has none of the isolated forms' widths."""
    from campaign.vault.document import Document  # noqa: PLC0415

    with closing(Document(WORDS)) as sheet:
        sheet.set_font(ARABIC.stem, size=20)
        sheet.set_text_shaping(True)
        joined = sheet.get_string_width("ليلى")
        assert joined < sum(sheet.get_string_width(letter) for letter in "ليلى") * 0.9


def test_a_long_name_is_whole():
    name = "Wolfeschlegelsteinhausenbergerdorff " * 5
    text = pages([Name("1", drawable(name), "Germany")])[3]
    assert text.count("Wolfeschlegelsteinhausen") == 5


def test_a_name_of_two_scripts_is_whole():
    assert "Мария" in pages([Name("1", "Мария 김민준", "Russia")])[3]


@pytest.mark.parametrize(("typed", "set_"), [("Anna 🌈 Berg", "Anna Berg"), ("🌈", "–"), ("Ada", "Ada")])
def test_pictures_in_names_are_left_out(typed, set_):
    assert drawable(typed) == set_


def test_every_page_has_its_number_and_the_day():
    texts = pages([Name(str(number), "Ada", "Italy") for number in range(1, 301)])
    assert len(texts) == 6
    for number, text in enumerate(texts, start=1):
        assert f"22 November 2013 · page {number} of 6" in text
    assert "300" in texts[-1]


def test_letters_totals_and_names_follow_each_other():
    texts = pages([Name("1", "Ada", "Italy")])
    for text, wanted in zip(texts, ["Please answer.", "Speak out.", "United Kingdom", "Ada"], strict=True):
        assert wanted in text


def test_every_typeface_is_there():
    assert all(path.exists() for path in EVERY)
    assert len(EVERY) == 10
