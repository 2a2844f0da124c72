"""Share links: as each network documents them, with texts that it takes whole, in every language."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from campaign.core.languages import LANGUAGES
from campaign.petition.status import PetitionStatus
from campaign.sharing.channels import (
    CHANNELS,
    MAX_URL_LENGTH,
    MESSAGE_LENGTH,
    landing_url,
    ordered_channels,
    share_template,
    share_url,
)
from campaign.web import share_texts
from campaign.web.i18n import set_language
from tests.conftest import campaign_on

# The documented URL and parameters of each network (sources: the table of channels).
DOCUMENTED = {
    "whatsapp": ("https://wa.me/", {"text"}),
    "facebook": ("https://www.facebook.com/sharer/sharer.php", {"u"}),
    "x": ("https://twitter.com/intent/tweet", {"text", "url"}),
    "telegram": ("https://t.me/share/url", {"url", "text"}),
    "email": ("mailto:", {"subject", "body"}),
    "sms": ("sms:", {"body"}),
    "bluesky": ("https://bsky.app/intent/compose", {"text"}),
    "threads": ("https://www.threads.net/intent/post", {"text", "url"}),
    "mastodon": ("https://mastodon.example/share", {"text"}),
    "vk": ("https://vk.com/share.php", {"url", "title"}),
    "reddit": ("https://www.reddit.com/submit", {"url", "title"}),
    "tumblr": (
        "https://www.tumblr.com/widgets/share/tool",
        {"posttype", "canonicalUrl", "content", "title", "caption", "tags"},
    ),
    "linkedin": ("https://www.linkedin.com/sharing/share-offsite/", {"url"}),
    "line": ("https://social-plugins.line.me/lineit/share", {"url", "text"}),
}
LONGEST_PAGE = landing_url("https://love-always-wins.example.org", language="en", via="bluesky", ref="a" * 11)
LIGHT = (range(4352), range(8192, 8206), range(8208, 8224), range(8242, 8248))  # developer.x.com, Counting characters


@pytest.fixture(scope="module")
def app(ready, tmp_path_factory):
    """An application for all tests, which change nothing in it."""
    with campaign_on(ready, "sqlite", tmp_path_factory.mktemp("channels")) as campaign:
        yield campaign.app


@pytest.fixture(params=LANGUAGES)
def said(request, app) -> tuple[str, str]:
    """Title and message in each language."""
    with app.test_request_context():
        set_language(request.param)
        return share_texts.title(), share_texts.message(PetitionStatus(), has_signed=False)


def weight(text: str) -> int:
    """How many characters `text` has for the network that counts hardest (X)."""
    return sum(1 if any(ord(letter) in light for light in LIGHT) else 2 for letter in text)


def test_every_channel_is_documented():
    assert set(DOCUMENTED) == set(CHANNELS)
    assert all(channel.source for channel in CHANNELS.values())


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))
def test_a_share_link_has_the_parameters_that_its_network_documents(channel, said):
    title, text = said
    target = share_url(channel, url=LONGEST_PAGE, title=title, text=text, instance="mastodon.example")
    address, parameters = DOCUMENTED[channel.key]
    assert target.partition("?")[0] == address
    values = dict(parse_qsl(urlsplit(target).query, strict_parsing=channel.key != "sms"))
    assert set(values) == parameters
    assert any(LONGEST_PAGE in value for value in values.values())
    assert channel.takes_text == any(text in value for value in values.values())


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))
def test_the_text_fits_in_every_language(channel, said):
    title, text = said
    target = share_url(channel, url=LONGEST_PAGE, title=title, text=text, instance="mastodon.example")
    assert len(target) <= MAX_URL_LENGTH
    assert len(text) <= MESSAGE_LENGTH
    if channel.limit:
        assert weight(text) + 1 + (channel.link or len(LONGEST_PAGE)) <= channel.limit


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))
@pytest.mark.parametrize("letter", ["a", "ж", "ع", "é"])
def test_a_message_of_ones_own_of_the_full_length_fits(channel, letter):
    text = letter * MESSAGE_LENGTH
    assert len(share_url(channel, url=LONGEST_PAGE, title="Love", text=text, instance="a.example")) <= MAX_URL_LENGTH
    if channel.limit:
        assert weight(text) + 1 + (channel.link or len(LONGEST_PAGE)) <= channel.limit


def test_nothing_in_a_text_becomes_a_part_of_the_address():
    text = "50% & more? #yes = no + {url} \r\n"
    target = share_url(CHANNELS["x"], url="https://example.org/?a=1&b=2", title="", text=text)
    assert dict(parse_qsl(urlsplit(target).query)) == {"text": text, "url": "https://example.org/?a=1&b=2"}


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))
def test_the_open_address_is_the_same_but_for_the_text(channel):
    known = {"url": LONGEST_PAGE, "title": "Love & more"}
    opened = share_template(channel, **known).replace("{text}", "My%20words").replace("{instance}", "a.example")
    assert opened == share_url(channel, text="My words", instance="a.example", **known)


def test_channels_of_the_languages_region_come_first():
    assert [channel.key for channel in ordered_channels("ru")][:2] == ["telegram", "vk"]
    assert ordered_channels("en")[0].key == "whatsapp"
    assert len(ordered_channels("ru")) == len(CHANNELS)


def test_an_e_mail_has_the_link_on_a_line_of_its_own():
    target = share_url(CHANNELS["email"], url=LONGEST_PAGE, title="Love", text="See this")
    assert unquote(target.partition("body=")[2]) == f"See this\r\n\r\n{LONGEST_PAGE}"
