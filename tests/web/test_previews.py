"""Programs that make previews read everything from the page, in every language, and have nothing to complain about."""

import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen
from xml.etree import ElementTree

import cv2
import pytest
from PIL import Image

from campaign.core.languages import LANGUAGES
from tests import previews, services
from tests.live_server import Site
from tests.previews import TAGS, Head, Preview

pytestmark = pytest.mark.slow

LOCALES = {
    "en": "en_GB",
    "ru": "ru_RU",
    "fr": "fr_FR",
    "es": "es_ES",
    "pt": "pt_BR",
    "de": "de_DE",
    "it": "it_IT",
    "nl": "nl_NL",
    "ar": "ar_AR",
}
CARD_SIZE = (1200, 630)  # pixels
CARD_BYTES = 300_000  # WhatsApp shows no larger ones

# What each client is made to find; some look for less than the page says.
CLIENTS = {
    "open-graph-scraper": set(TAGS),
    "unfurl.js": set(TAGS),
    "extruct": {name for name in TAGS if not name.startswith("player")},
    "metascraper": {"title", "description", "url", "locale", "image", "video"},
}
# metascraper knows languages only, and writes quotes its own way.
_AS_TYPED = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "..."})

every_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def site(ready, tmp_path_factory) -> Iterator[Site]:
    """A campaign that is served at the address that its pages name."""
    if reason := services.why_no_preview_clients():
        pytest.skip(reason)
    with ready.site(tmp_path_factory.mktemp("previews")).served() as site:
        yield site


@pytest.fixture(scope="module")
def readings(site) -> dict[str, dict[str, Preview]]:
    """What every client reads, by language and client."""
    found = previews.read(f"{site.url}/{language}/" for language in LANGUAGES)
    return dict(zip(LANGUAGES, found.values(), strict=True))


@pytest.fixture
def head(site, language) -> Head:
    """What the page says of itself."""
    return Head(fetched(f"{site.url}/{language}/")[1].decode())


def fetched(url: str) -> tuple[str, bytes]:
    """Return the media type and the content of a URL."""
    with urlopen(url) as response:
        return response.headers.get_content_type(), response.read()


def frame_size(file: Path) -> tuple[int, int]:
    """Return width and height of a video in pixels."""
    video = cv2.VideoCapture(str(file))
    return int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))


def plain(value: str | int | None) -> str | int | None:
    """Return a text with the quotes that are on a keyboard."""
    return value.translate(_AS_TYPED) if isinstance(value, str) else value


@every_language
def test_the_page_has_the_tags_that_networks_ask_for(site, head, language):
    said = head.preview()
    assert head.meta["twitter:card"] == "player"
    assert (said["type"], said["locale"]) == ("video.other", LOCALES[language])
    assert (said["image_type"], said["image_width"], said["image_height"]) == ("image/png", *CARD_SIZE)
    assert said["video_type"] == "video/mp4"
    assert said["url"] == head.links["canonical", ""] == f"{site.url}/{language}/"
    assert said["player"] == f"{site.url}/{language}/embed"
    assert all(said.values())


@every_language
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_reads_the_page_without_a_warning(readings, head, client, language):
    read, said, names = readings[language][client], head.preview(), CLIENTS[client]
    if client == "metascraper":
        said["locale"] = language
    assert read["warnings"] == []
    assert {name: plain(read[name]) for name in names} == {name: plain(said[name]) for name in names}


@pytest.mark.parametrize("name", ["description", "image", "image_alt", "player"])
def test_every_language_has_its_own(readings, name):
    assert len({readings[language]["open-graph-scraper"][name] for language in LANGUAGES}) == len(LANGUAGES)


@every_language
def test_the_other_locales_are_named(readings, language):
    others = [locale for locale in LOCALES.values() if locale != LOCALES[language]]
    assert sorted(readings[language]["extruct"]["locales"]) == sorted(others)


@every_language
def test_search_engines_find_the_film(readings, head, language):
    [film] = readings[language]["extruct"]["items"]
    assert (film["@context"], film["@type"], film["duration"]) == ("https://schema.org", "VideoObject", "PT56S")
    assert (film["name"], film["description"]) == (head.meta["og:title"], head.meta["og:description"])
    assert (film["contentUrl"], film["embedUrl"]) == (head.meta["og:video"], head.meta["twitter:player"])
    assert datetime.fromisoformat(film["uploadDate"])
    assert film["inLanguage"]
    assert film["transcript"]


@every_language
def test_search_engines_find_thumbnail_and_captions(readings, language):
    [film] = readings[language]["extruct"]["items"]
    [thumbnail] = film["thumbnailUrl"] if isinstance(film["thumbnailUrl"], list) else [film["thumbnailUrl"]]
    assert fetched(thumbnail)[0] == "image/jpeg"
    assert {caption["inLanguage"] for caption in film["caption"]} == set(LANGUAGES)
    assert {fetched(caption["contentUrl"])[0] for caption in film["caption"]} == {"text/vtt"}


@every_language
def test_an_oembed_client_finds_the_player(readings, head, language):
    read, said = readings[language]["oembed"], head.preview()
    assert (read["warnings"], read["type"]) == ([], "video")
    assert [read[name] for name in ("title", "player")] == [said[name] for name in ("title", "player")]
    assert (read["player_width"], read["player_height"]) == (said["player_width"], said["player_height"])
    assert read["site"]
    kind, content = fetched(read["image"])
    assert kind == "image/jpeg"
    assert Image.open(io.BytesIO(content)).size == (read["image_width"], read["image_height"])


@every_language
def test_oembed_says_the_same_as_json_and_as_xml(head, language):
    kinds = ("application/json", "text/xml")
    (json_type, as_json), (xml_type, as_xml) = (fetched(head.links["alternate", f"{kind}+oembed"]) for kind in kinds)
    assert (json_type, xml_type) == kinds
    told = {field.tag: field.text for field in ElementTree.fromstring(as_xml)}
    assert told == {name: str(value) for name, value in json.loads(as_json).items()}


@every_language
def test_the_image_has_the_declared_size_and_type(head, language):
    said = head.preview()
    kind, content = fetched(said["image"])
    picture = Image.open(io.BytesIO(content))
    assert (kind, picture.get_format_mimetype()) == (said["image_type"], "image/png")
    assert picture.size == (said["image_width"], said["image_height"])
    assert len(content) < CARD_BYTES


@every_language
def test_the_player_is_a_page(head, language):
    assert fetched(head.meta["twitter:player"])[0] == "text/html"


def test_the_video_has_the_declared_size_and_type(readings, tmp_path):
    names = ("video", "video_type", "video_width", "video_height")
    [(url, *stated)] = {tuple(readings[language]["unfurl.js"][name] for name in names) for language in LANGUAGES}
    kind, content = fetched(url)
    (file := tmp_path / "film.mp4").write_bytes(content)
    assert [kind, *frame_size(file)] == stated


def test_every_client_does_warn_where_there_is_no_page(site):
    address = f"{site.url}/en/there-is-no-such-page"
    [read] = previews.read([address]).values()
    assert [name for name, preview in read.items() if not preview["warnings"]] == []
