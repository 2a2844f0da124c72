"""The files that browsers and phones ask every site for: icons, the web manifest, well-known addresses."""

import io
import re
from itertools import product
from math import dist

import pytest
from PIL import Image

from campaign.config.paths import ROOT
from campaign.core.languages import LANGUAGES

DAY = 86400  # seconds
PROBES = ["/.well-known/traffic-advice", "/.well-known/appspecific/com.chrome.devtools.json", "/browserconfig.xml"]
PROBES += ["/apple-app-site-association", "/.well-known/apple-app-site-association"]


@pytest.fixture
def backend() -> str:
    """Icons do not depend on the database."""
    return "sqlite"


def age(response) -> int:
    """The seconds for which every cache may keep a response."""
    return int(re.fullmatch(r"public, max-age=(\d+)", response.headers["Cache-Control"])[1])


def test_the_favicon_has_the_sizes_that_desktops_show(campaign):
    response = campaign.client.get("/favicon.ico", buffered=True)
    assert (response.status_code, response.mimetype) == (200, "image/vnd.microsoft.icon")
    assert Image.open(io.BytesIO(response.data)).ico.sizes() == {(16, 16), (32, 32), (48, 48)}
    assert age(response) >= DAY
    again = campaign.client.get("/favicon.ico", headers={"If-None-Match": response.headers["ETag"]}, buffered=True)
    assert again.status_code == 304


@pytest.mark.parametrize("variant", ["", "-precomposed", "-120x120", "-152x152-precomposed"])
def test_the_icon_of_a_home_screen_is_square_and_opaque(campaign, variant):
    response = campaign.client.get(f"/apple-touch-icon{variant}.png", buffered=True)
    image = Image.open(io.BytesIO(response.data))
    assert (response.status_code, response.mimetype, image.size) == (200, "image/png", (180, 180))
    assert image.convert("RGBA").getchannel("A").getextrema() == (255, 255)  # iOS paints transparency black
    assert age(response) >= DAY


@pytest.mark.parametrize("path", ["/apple-touch-icon-x.png", "/apple-touch-icon-1000x1000.png"])
def test_no_other_name_is_an_icon(campaign, path):
    assert campaign.client.get(path).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_manifest_is_in_the_language_of_the_page_and_installs_nothing(campaign, language):
    [path] = re.findall(r'<link rel="manifest"\s+href="([^"]+)"', campaign.client.get(f"/{language}/").text)
    response = campaign.client.get(path)
    manifest = response.get_json(force=True)
    assert (response.status_code, response.mimetype) == (200, "application/manifest+json")
    assert (manifest["lang"], manifest["start_url"], manifest["display"]) == (language, f"/{language}/", "browser")
    assert manifest["dir"] == ("rtl" if language == "ar" else "ltr")
    assert age(response) > 0
    sizes = {}
    for icon in manifest["icons"]:
        answer = campaign.client.get(icon["src"], buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = Image.open(io.BytesIO(answer.data)).size
            assert icon["sizes"] == f"{width}x{height}"
            sizes.setdefault(icon.get("purpose", "any"), set()).add(width)
    assert sizes == {"any": {192, 512}, "maskable": {512}}


def test_a_mask_cuts_nothing_off_the_icon(campaign):
    image = Image.open(ROOT / "static" / "icons" / "icon-maskable-512.png").convert("RGB")
    background = image.getpixel((0, 0))
    places = product(range(0, 512, 4), repeat=2)
    outside = [place for place in places if dist(place, (256, 256)) > 0.4 * 512]
    assert {image.getpixel(place) for place in outside} == {background}


@pytest.mark.parametrize("path", ["/en/", "/nothing", "/organise/sign-in"])
def test_the_policy_allows_the_manifest(campaign, path):
    assert "manifest-src 'self'" in campaign.client.get(path).headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PROBES)
def test_a_probe_for_a_missing_file_gets_a_short_cacheable_response(campaign, path):
    response = campaign.client.get(path)
    assert (response.status_code, response.mimetype) == (404, "text/plain")
    assert len(response.data) < 100
    assert age(response) >= 3600
