"""The channels that people share by: how each network wants its address, in one table."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to share. `template` is the network's address, with {text} and {url} where they go, percent-encoded."""

    key: str
    name: str
    template: str


# WhatsApp: faq.whatsapp.com, "How to use click to chat". Facebook: developers.facebook.com, "Share dialog", which reads
# its text from the page itself. X: developer.x.com, "Web intents". Telegram: core.telegram.org, "Sharing button".
# E-mail: RFC 6068.
_CHANNELS = (
    Channel("whatsapp", "WhatsApp", "https://wa.me/?text={text}%20{url}"),
    Channel("facebook", "Facebook", "https://www.facebook.com/sharer/sharer.php?u={url}"),
    Channel("x", "X", "https://twitter.com/intent/tweet?text={text}&url={url}"),
    Channel("telegram", "Telegram", "https://t.me/share/url?url={url}&text={text}"),
    Channel("email", "E-mail", "mailto:?subject={title}&body={text}%0D%0A%0D%0A{url}"),
)
CHANNELS = {channel.key: channel for channel in _CHANNELS}

# What a visitor may have come by: the channels, and a link that was copied.
ARRIVALS = frozenset(CHANNELS) | {"copy"}


def landing_url(public_url: str, *, language: str, via: str, ref: str | None = None) -> str:
    """Return the page's address as it is shared by channel `via`, with the supporter's code if there is one."""
    ref_part = f"ref={quote(ref, safe='')}&" if ref else ""
    return f"{public_url}/{language}/?{ref_part}via={quote(via, safe='')}"


def share_url(channel: Channel, *, url: str, title: str, text: str) -> str:
    """Return where to send somebody who shares `url` with `text` by `channel`; e-mail takes `title` as its subject."""
    values = {"url": url, "title": title, "text": text}
    return channel.template.format(**{name: quote(value, safe="") for name, value in values.items()})
