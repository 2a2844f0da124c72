"""The channels that people share by: how each network wants its address, in one table."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

HASHTAG = "LoveAlwaysWins"
MESSAGE_LENGTH = 200  # characters of a message, which fits every network in every language with any link
MAX_URL_LENGTH = 2000  # characters, percent-encoded: mail programs and old phones cut longer URLs


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to share.

    `template` is the network's URL with {url}, {title} and {text}, percent-encoded; `source` documents it. `limit` is
    the maximum length of a post in characters, of which the link takes `link` (0: its own length). It is listed first
    for readers of the languages in `home` (BCP 47) and on that `device`.
    """

    key: str
    name: str
    template: str
    source: str
    limit: int = 0
    link: int = 0
    home: tuple[str, ...] = ()
    device: Literal["", "phone"] = ""

    @property
    def takes_text(self) -> bool:
        """Whether the network accepts a message along with the link; the others only show the page's preview."""
        return "{text}" in self.template

    @property
    def needs_instance(self) -> bool:
        """Whether each part of the network has an address of its own."""
        return "{instance}" in self.template


_CHANNELS = (
    Channel(
        "whatsapp",
        "WhatsApp",
        "https://wa.me/?text={text}%20{url}",
        "faq.whatsapp.com, How to use click to chat",
        device="phone",
    ),
    Channel(
        "facebook",
        "Facebook",
        "https://www.facebook.com/sharer/sharer.php?u={url}",
        "developers.facebook.com, Sharing: links without a dialog",
    ),
    Channel(
        "x",
        "X",
        "https://twitter.com/intent/tweet?text={text}&url={url}",
        "developer.x.com, Web intents; Counting characters",
        limit=280,
        link=23,
    ),
    Channel(
        "telegram",
        "Telegram",
        "https://t.me/share/url?url={url}&text={text}",
        "core.telegram.org/widgets/share",
        home=("ru", "uk", "fa"),
    ),
    Channel("email", "", "mailto:?subject={title}&body={text}%0D%0A%0D%0A{url}", "RFC 6068"),
    Channel("sms", "SMS", "sms:?&body={text}%20{url}", "RFC 5724; the & is what iOS wants", device="phone"),
    Channel(
        "bluesky",
        "Bluesky",
        "https://bsky.app/intent/compose?text={text}%20{url}",
        "docs.bsky.app, Action intent links",
        limit=300,
    ),
    Channel(
        "threads",
        "Threads",
        "https://www.threads.net/intent/post?text={text}&url={url}",
        "developers.facebook.com, Threads web intents",
        limit=500,
    ),
    Channel(
        "mastodon",
        "Mastodon",
        "https://{instance}/share?text={text}%20{url}",
        "docs.joinmastodon.org; the same on every instance",
        limit=500,
        link=23,
    ),
    Channel(
        "vk", "VK", "https://vk.com/share.php?url={url}&title={text}", "dev.vk.com, Share", home=("ru", "be", "kk")
    ),
    Channel(
        "reddit",
        "Reddit",
        "https://www.reddit.com/submit?url={url}&title={text}",
        "reddit.com/dev/api, submit",
        limit=300,
    ),
    Channel(
        "tumblr",
        "Tumblr",
        "https://www.tumblr.com/widgets/share/tool?posttype=link&canonicalUrl={url}&content={url}&title={title}"
        f"&caption={{text}}&tags={HASHTAG}",
        "tumblr.com, Share button documentation",
    ),
    Channel(
        "linkedin",
        "LinkedIn",
        "https://www.linkedin.com/sharing/share-offsite/?url={url}",
        "learn.microsoft.com, Share on LinkedIn",
    ),
    Channel(
        "line",
        "LINE",
        "https://social-plugins.line.me/lineit/share?url={url}&text={text}",
        "developers.line.biz, Using Share buttons",
        home=("ja", "th", "zh-TW"),
        device="phone",
    ),
)
CHANNELS = {channel.key: channel for channel in _CHANNELS}

# Ways that lead to no network: a copied link, the device's own share sheet, the QR code.
OFFLINE_CHANNELS = frozenset({"copy", "sheet", "qr"})

# The channels through which a visitor may arrive.
REFERRAL_CHANNELS = frozenset(CHANNELS) | OFFLINE_CHANNELS | {"embed", "poster"}


def ordered_channels(language: str) -> list[Channel]:
    """Return the channels, those first that are at home where `language` is spoken."""
    return sorted(_CHANNELS, key=lambda channel: language not in channel.home)


def landing_url(public_url: str, *, language: str | None, via: str, ref: str | None = None) -> str:
    """Return the page's address as it is shared by channel `via`, with the supporter's code if there is one.

    Without a language it is the front door, which chooses one.
    """
    page = f"/{language}/" if language else "/"
    ref_part = f"ref={quote(ref, safe='')}&" if ref else ""
    return f"{public_url}{page}?{ref_part}via={quote(via, safe='')}"


def share_url(channel: Channel, *, url: str, title: str, text: str, instance: str = "") -> str:
    """Return the URL that shares `url` with `text` through `channel`; `instance` is the host of a Mastodon instance.

    Texts of up to `MESSAGE_LENGTH` characters fit every network.
    """
    values = {"url": url, "title": title, "text": text}
    encoded = {name: quote(value, safe="") for name, value in values.items()}
    return channel.template.format(**encoded, instance=instance)


def share_template(channel: Channel, *, url: str, title: str) -> str:
    """Return the share URL with {text} as a placeholder: the supporter's own words never reach this server."""
    encoded = {name: quote(value, safe="") for name, value in {"url": url, "title": title}.items()}
    return channel.template.format(**encoded, text="{text}", instance="{instance}")
