"""The document to hand in: every name in its script, whole, with its country; numbered pages."""

import io
import re
import unicodedata
from collections import Counter
from contextlib import closing

import numpy as np
import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.core.fonts import DISPLAY, REGULAR, characters, closest_form, clusters, is_rtl, runs
from campaign.core.typesetting import Typesetter
from campaign.exports.delivery_pdf import Document, Name, Words, render_document

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

# A name, or the name of the script, in each living script.
NAMES = """
Zażółć Nguyễn Åse
Мария Ёлкина
Ελένη
ليلى الحسن
آیدا ٹھاکر
王小明 さくら
김민준
நடிகர் செல்வி
తెలుగు లక్ష్మి
ગુજરાતી પટેલ
ਗੁਰਪ੍ਰੀਤ ਕੌਰ
മലയാളം മേനോൻ
សុខា ចាន់
អ្នកស្រី
အောင်ဆန်း
አበበ ተሰማ
𠮷野 太郎
𡈽屋 𩸽
髙﨑
ලංකා පෙරේරා
ಕನ್ನಡ ರಾವ್
ଓଡ଼ିଆ ଦାସ
हिन्दी शर्मा
বাংলা সেন
สมหญิง น้ำใจ
ລາວ ສຸກ
བོད་ཡིག
ᠮᠣᠩᠭᠣᠯ
ܣܘܪܝܝܐ
ދިވެހި
נעמה כהן
Հայկ
ქართული
ᏣᎳᎩ
ᐃᓄᒃᑎᑐᑦ
ߒߞߏ
ⵜⵉⴼⵉⵏⴰⵖ
ꦗꦮ
ᬩᬮᬶ
𞤀𞤣𞤤𞤢𞤥
ꆈꌠ
ꕙꔤ
ᱚᱞ
ꯃꯤꯇꯩ
𑄌𑄋𑄴𑄟𑄳𑄦
ꤊꤢꤛꤢ꤭
ꓡꓲꓢꓴ
ᨠᩣᩴᨾᩮᩬᩥᨦ
Ọ̀ṣun Ɛ́kɔ́
D'Arcy مثال
مثال D'Arcy
Мария ليلى 김민준
Keihanaikukauakahihuliheekahaunaele
""".strip().splitlines()


def made(names: list[Name], words: Words = WORDS) -> bytes:
    return render_document(words, {"United Kingdom": len(names)}, names, lambda _done: None)


def pages(names: list[Name], words: Words = WORDS) -> list[str]:
    opened = pypdfium2.PdfDocument(io.BytesIO(made(names, words)))
    texts = [page.get_textpage().get_text_range() for page in opened]
    return [unicodedata.normalize("NFC", " ".join(text.split())) for text in texts]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_set_by_faces_that_have_all_its_characters(name):
    assert closest_form(name, REGULAR).is_exact
    for run in runs(name, REGULAR):
        letters = {ord(letter) for letter in run.text if not letter.isspace()}
        assert letters <= characters(run.face), run


def test_a_name_stands_in_the_document_as_it_was_typed():
    """No glyph is missing, and searches find the name; the order of marks is lost in some scripts."""
    text = pages([Name(str(number), name, "Japan") for number, name in enumerate(NAMES, start=1)])[3]
    assert "\ufffe" not in text
    shown = text.replace(" ", "")
    for name in NAMES:
        whole = unicodedata.normalize("NFC", name).replace(" ", "")
        has_marks = any(unicodedata.category(letter)[0] == "M" for letter in whole)
        if (has_marks and is_rtl(name)) or max(name) > "\uffff":
            assert not Counter(whole) - Counter(shown), name
        else:
            assert whole in shown, name


def test_no_name_is_set_with_a_missing_glyph():
    """Glyph 0 is what a face draws for a character that it does not have."""
    with closing(Document(WORDS)) as sheet:
        sheet.set_names([Name("1", name, "Japan") for name in NAMES], lambda _done: None)
        used = {key: face.subset.items() for key, face in sheet.fonts.items()}
    assert {
        key for key, glyphs in used.items() for glyph, _id in glyphs if glyph.glyph_name == ".notdef" and _id
    } == set()


def test_all_names_are_equally_heavy():
    weights = set()
    for name in NAMES:
        for run in runs(name, REGULAR):
            with TTFont(run.face, lazy=True) as face:
                weights.add(face["OS/2"].usWeightClass)
    assert weights == {400}
    assert b"Bold" not in b"".join(re.findall(rb"/BaseFont /(\S+)", made([Name("1", "D'Arcy مثال", "Japan")])))


@pytest.mark.parametrize("faces", [REGULAR, DISPLAY])
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("D'Arcy مثال", ["D'Arcy ", "مثال"]),
        ("(مثال) 12", ["(", "مثال", ") 12"]),
        ("Ada 𠮷野", ["Ada ", "𠮷", "野"]),
        ("Ọ̀ṣun", ["Ọ̀ṣun"]),
    ],
)
def test_a_face_is_chosen_for_each_run_and_marks_stay_with_their_letters(name, parts, faces):
    together = [run.text for run in runs(name, faces)]
    assert "".join(together) == name
    if name.startswith("("):
        assert "مثال" in together[0] or "مثال" in together[1]
    else:
        assert together == parts


@given(st.text(st.sampled_from("aé ́م٣1 -'(🌈𠮷野한த்ிक्ष\u200d\ufe0f"), max_size=12))
@settings(deadline=None)
def test_runs_are_the_text_and_clusters_are_never_divided(text):
    assert "".join(run.text for run in runs(text, REGULAR)) == text
    assert "".join(clusters(text)) == text
    assert closest_form(closest_form(text, REGULAR).text, REGULAR).is_exact


def drawn(text: str) -> np.ndarray:
    """Where `text` is dark on a sheet, true and false by row and column, from its first to its last column."""
    sheet = Typesetter(size=(400, 200))
    sheet.add_page()
    sheet.use_faces(REGULAR, size=20)
    sheet.set_xy(10, 10)
    with sheet.as_text(text):
        sheet.cell(380, 30, text)
    dark = np.array(pypdfium2.PdfDocument(bytes(sheet.output()))[0].render(scale=2).to_pil().convert("L")) < 128
    columns = np.flatnonzero(dark.any(axis=0))
    return dark[:, columns[0] : columns[-1] + 1]


def test_text_of_two_directions_is_set_in_the_order_of_reading():
    """A reader of Latin goes on to Arabic on the right; a reader of Arabic goes on to Latin on the left."""
    stem = drawn("D'Arcy")[:, :6]  # of the D
    assert not np.array_equal(drawn("مثال")[:, :6], stem)
    for name in ("D'Arcy مثال", "مثال D'Arcy"):
        both = drawn(name)
        assert np.array_equal(both[:, :6], stem)
        assert both.shape[1] == pytest.approx(drawn("D'Arcy").shape[1] + drawn(" مثال").shape[1] + 10, abs=8)


def test_arabic_letters_are_joined():
    """The drawn widths of four joined letters differ from those of their isolated forms."""
    with closing(Document(WORDS)) as sheet:
        sheet.use_faces(REGULAR, size=20)
        joined = sheet.width_of("ليلى")
        assert joined < sum(sheet.width_of(letter) for letter in "ليلى") * 0.9


@pytest.mark.parametrize("name", ["Wolfeschlegelsteinhausenbergerdorff " * 5, "က္ကျွန်ုပ်" * 20, "ạ̈" * 200, "한" * 300])
def test_a_long_name_is_whole_and_stays_in_its_column(name):
    name = closest_form(name, REGULAR).text
    page = pypdfium2.PdfDocument(io.BytesIO(made([Name("1", name, "Germany")])))[3].get_textpage()
    shown = "".join(page.get_text_range().split())
    assert unicodedata.normalize("NFC", shown).count(name[:1]) >= name.count(name[:1])
    text = page.get_text_range()
    country = page.get_charbox(text.index("Germany"))[0]
    boxes = [page.get_charbox(at) for at in range(page.count_chars()) if not page.get_text_range(at, 1).isspace()]
    names = [box for box in boxes if 100 < box[1] < 740 and box[0] < country]  # between the heading and the foot
    assert len(names) > 50
    assert max(box[2] for box in names) <= country


def test_a_name_that_is_a_little_too_long_is_set_smaller_on_one_line():
    with closing(Document(WORDS)) as sheet:
        assert sheet._lines("Keihanaikukauakahihuliheekahaunaele", 150) == ["Keihanaikukauakahihuliheekahaunaele"]
        assert len(sheet._lines("Keihanaikukauakahihuliheekahaunaele", 80)) == 2


@pytest.mark.parametrize(
    ("typed", "form", "is_exact"),
    [
        ("Anna 🌈 Berg", "Anna Berg", False),
        ("🌈", "–", False),
        ("Ada", "Ada", True),
        ("  Ada \u00a0 King", "Ada King", True),
        ("Zoe\u0301", "Zoé", True),
        ("𝓐da", "Ada", False),
        ("\U00030000野", "〓野", False),
        ("\U00010900da", "□da", False),
        ("Ada\u202e", "Ada", True),
        ("葛\U000e0100城", "葛\U000e0100城", True),
    ],
)
def test_characters_without_a_font_are_replaced_and_reported(typed, form, is_exact):
    closest = closest_form(typed, REGULAR)
    assert (closest.text, closest.is_exact) == (form, is_exact)


def test_a_name_is_no_placeholder():
    assert "{nb}" in pages([Name("1", "{nb}", "Italy")])[3]


def test_a_cover_letter_is_set_in_any_script():
    words = Words(**{name: getattr(WORDS, name) for name in WORDS.__slots__} | {"cover": ["Дорогие, 𠮷野\nதமிழ்"]})
    assert "Дорогие, 𠮷野" in pages([], words)[0]


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


def test_every_typeface_is_there_and_small_enough_for_the_repository():
    for face in {*REGULAR, *DISPLAY}:
        assert face.stat().st_size < 4 * 1024 * 1024
