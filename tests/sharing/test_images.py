"""Cards, posters and QR codes: readable by people and by machines, in every script."""

import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import uharfbuzz
from PIL import Image, ImageChops

from campaign.core.fonts import DISPLAY, runs
from campaign.core.languages import LANGUAGES
from campaign.petition.goals import at_least
from campaign.petition.status import PetitionStatus
from campaign.sharing.images.cards import MAX_BYTES, SIZE, render_card, render_thumbnail
from campaign.sharing.images.content import ImageText
from campaign.sharing.images.layout import Box, Sheet
from campaign.sharing.images.posters import SIZES, CallToAction, display_url, render_poster
from campaign.web import share_texts
from campaign.web.film_player import current_film
from campaign.web.i18n import set_language
from tests.matrix import each_language
from tests.qr_reader import read_qr_code

pytestmark = pytest.mark.slow

URL = "https://love-always-wins.example.org/en/?via=poster"


@pytest.fixture
def backend() -> str:
    """The database does not matter here."""
    return "sqlite"


@pytest.fixture
def picture(campaign) -> Path:
    """The film's frame."""
    with campaign.app.app_context():
        return current_film().preview_file


def words_in(campaign, language: str, *, is_open: bool = True) -> ImageText:
    with campaign.app.test_request_context():
        set_language(language)
        return share_texts.image_text(PetitionStatus(is_open=is_open), 12_345)


def changed(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int]:
    """The box in which two pictures differ so much that somebody would see it."""
    far = ImageChops.difference(one.convert("L"), other.convert("L")).point(lambda value: 255 * (value > 60))
    return far.getbbox()


@each_language
def test_a_card_has_the_size_that_networks_want_and_all_words_on_it(campaign, picture, language):
    data = render_card(words_in(campaign, language), picture)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("PNG", SIZE)
    assert len(data) < MAX_BYTES
    empty = Image.open(io.BytesIO(render_card(ImageText(language, "", "", "", ""), picture)))
    left, top, right, bottom = changed(image, empty)
    assert 40 < left < right < SIZE[0] - 40
    assert 30 < top < bottom < SIZE[1] - 15


def test_what_our_page_shows_of_it_is_small(campaign, picture):
    data = render_thumbnail(words_in(campaign, "en"), picture)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("AVIF", (SIZE[0] // 2, SIZE[1] // 2))
    assert len(data) < 20_000


def test_a_card_shows_what_it_is_given(campaign, picture):
    one, other = (
        render_card(ImageText("en", "", "", "", figure), picture) for figure in ("Already 1,200", "Already 1,300")
    )
    assert changed(*(Image.open(io.BytesIO(data)) for data in (one, other)))


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_has_its_shape(campaign, language, is_open):
    words = words_in(campaign, language, is_open=is_open)
    for text in (words.title, words.question, words.ask, words.figure):
        for run in runs(text, DISPLAY):
            assert run.face in DISPLAY[:2]  # of the same weight
            font = uharfbuzz.Font(uharfbuzz.Face(run.face.read_bytes()))
            buffer = uharfbuzz.Buffer()
            buffer.add_str(run.text)
            buffer.guess_segment_properties()
            uharfbuzz.shape(font, buffer)
            assert [info.cluster for info in buffer.glyph_infos if info.codepoint == 0] == [], run.text


def ink(text: str) -> np.ndarray:
    """Where `text` is dark on a sheet in Arabic: true and false by row and column, without the blank around it."""
    sheet = Sheet((400, 200), ImageText("ar", "", "", "", ""))
    sheet.set_words(text, Box(20, 20, 360), size=100)
    dark = np.array(pypdfium2.PdfDocument(bytes(sheet.output()))[0].render().to_pil().convert("L")) < 128
    return dark[dark.any(axis=1)][:, dark.any(axis=0)]


def test_arabic_letters_are_joined_and_run_from_right_to_left():
    word, seen, alef = ink("سا"), ink("س"), ink("ا")
    assert word.shape[1] < seen.shape[1] + alef.shape[1]  # a seen that is joined ends without its tail
    columns = np.split(word.sum(axis=0), [word.shape[1] // 5, -word.shape[1] // 5])
    assert columns[0].max() > 1.5 * columns[2].max()  # the tall alef comes second, and so stands on the left


@pytest.mark.parametrize("size", SIZES)
@each_language
def test_a_poster_is_one_page_whose_code_can_be_read(campaign, picture, language, size):
    lead = CallToAction(call="Watch the film and sign", url=URL, address="love-always-wins.example.org")
    pdf = pypdfium2.PdfDocument(render_poster(words_in(campaign, language), lead, picture, size=size))
    assert len(pdf) == 1
    assert pdf[0].get_size() == pytest.approx(SIZES[size], abs=0.1)
    drawn = np.array(pdf[0].render(scale=2).to_pil().convert("RGB"))
    assert read_qr_code(drawn) == URL


@pytest.mark.parametrize("size", SIZES)
@each_language
def test_the_words_of_a_poster_stay_on_the_page_and_off_the_picture(campaign, picture, language, size):
    words = words_in(campaign, language)
    lead = CallToAction(call=words.ask, url=URL, address="a-rather-long-name-of-a-campaign.example.org")
    page = pypdfium2.PdfDocument(render_poster(words, lead, picture, size=size))[0]
    width, height = page.get_size()
    text = page.get_textpage()
    boxes = [text.get_rect(number) for number in range(text.count_rects())]
    assert min(box[0] for box in boxes) > width * 0.05
    assert max(box[2] for box in boxes) < width * 0.95
    assert min(box[1] for box in boxes) > height * 0.03
    assert max(box[3] for box in boxes) < height * 0.56


@pytest.mark.parametrize(
    ("public_url", "written"),
    [
        ("https://love.example.org", "love.example.org"),
        ("https://xn--e1afmkfd.xn--p1ai:8443", "пример.рф:8443"),
        ("https://xn--mgbh0fb.xn--kgbechtv", "مثال.إختبار"),
        ("https://xn--ls8h.la", "xn--ls8h.la"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
    ],
)
def test_the_address_is_written_as_people_read_it(public_url, written):
    assert display_url(public_url) == written


def test_a_poster_can_be_searched_and_read_out(campaign, picture):
    lead = CallToAction(call="Watch the film and sign", url=URL, address="love-always-wins.example.org")
    pdf = pypdfium2.PdfDocument(render_poster(words_in(campaign, "ru"), lead, picture, size="a4"))
    text = " ".join(pdf[0].get_textpage().get_text_range().split())
    assert words_in(campaign, "ru").ask in text
    assert "love-always-wins.example.org" in text


@pytest.mark.parametrize(
    "address", ["مثال.إختبار", "उदाहरण.परीक्षा", "例え.テスト", "உதாரணம்.பரிட்சை", "love-always-wins.example.org"]
)
def test_a_poster_shows_an_address_of_any_script(campaign, picture, address):
    lead = CallToAction(call="Watch the film and sign", url=URL, address=address)
    pdf = pypdfium2.PdfDocument(render_poster(words_in(campaign, "ar"), lead, picture, size="a4"))
    textpage = pdf[0].get_textpage()
    text = "".join(textpage.get_text_range(at, 1) for at in range(textpage.count_chars()))
    assert "\ufffe" not in text
    for letter in set(address) - {"."}:
        assert letter in text


@pytest.mark.parametrize(
    ("count", "told"), [(0, 0), (99, 0), (100, 100), (119, 110), (999, 990), (1_234, 1_200), (999_999, 990_000)]
)
def test_a_count_is_rounded_down_to_two_digits(count, told):
    assert at_least(count) == told
