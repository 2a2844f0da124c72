"""oEmbed: within the room that the other site has, and as its specification wants it."""

from xml.etree import ElementTree

import pytest

from campaign.sharing.oembed import BAR, Embedded, Thumbnail, oembed_response, size, to_xml

FILM = Embedded(
    url="https://example.org/en/embed?ref=a&x=1",
    title='Love "Always" <Wins>',
    provider="Love",
    provider_url="https://example.org/",
    ratio=16 / 9,
    thumbnails=tuple(Thumbnail(f"https://example.org/{width}.jpg", width, width * 9 // 16) for width in (640, 960)),
)


@pytest.mark.parametrize(
    ("room", "frame"),
    [
        ({}, (640, 360 + BAR)),
        ({"maxwidth": 320}, (320, 180 + BAR)),
        ({"maxwidth": 2000}, (640, 360 + BAR)),
        ({"maxheight": 200}, (640, 200)),
        ({"maxwidth": 320, "maxheight": 100}, (320, 100)),
    ],
)
def test_the_frame_keeps_within_the_room(room, frame):
    assert size(16 / 9, **room) == frame


def test_an_upright_film_gets_a_slender_frame():
    assert size(9 / 16) == (360, 640 + BAR)


@pytest.mark.parametrize(("room", "width"), [({}, 960), ({"maxwidth": 700}, 640), ({"maxheight": 400}, 640)])
def test_the_thumbnail_is_the_largest_that_fits(room, width):
    assert oembed_response(FILM, **room)["thumbnail_width"] == width


def test_no_thumbnail_is_named_where_none_fits():
    assert not [name for name in oembed_response(FILM, maxwidth=100) if name.startswith("thumbnail")]


def test_xml_says_the_same_as_json():
    told = oembed_response(FILM)
    assert {part.tag: part.text for part in ElementTree.fromstring(to_xml(told))} == {
        name: str(value) for name, value in told.items()
    }


def test_nothing_in_a_title_or_an_address_becomes_markup():
    html = oembed_response(FILM)["html"]
    assert 'src="https://example.org/en/embed?ref=a&amp;x=1"' in html
    assert 'title="Love &quot;Always&quot; &lt;Wins&gt;"' in html
