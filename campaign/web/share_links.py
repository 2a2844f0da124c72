"""Share links and messages for the templates."""

from dataclasses import dataclass

from flask import url_for

from campaign.context import current_context
from campaign.petition.status import PetitionStatus
from campaign.sharing.channels import (
    MESSAGE_LENGTH,
    Channel,
    landing_url,
    ordered_channels,
    share_template,
)
from campaign.web import i18n, share_texts
from campaign.web.embed_code import embed_snippet


@dataclass(frozen=True, slots=True)
class ShareLinks:
    """What templates need to offer sharing; `ref` is the supporter's code, on their own page."""

    stage: PetitionStatus
    ref: str | None = None
    longest: int = MESSAGE_LENGTH

    @property
    def description(self) -> str:
        """What the campaign is about."""
        return share_texts.description(self.stage)

    @property
    def message(self) -> str:
        """The default message that is shared along with the link."""
        return share_texts.message(self.stage, has_signed=self.ref is not None)

    @property
    def embed_snippet(self) -> str:
        """What puts the film into another site's page."""
        return embed_snippet()

    @property
    def channels(self) -> list[Channel]:
        """The networks, the most fitting first."""
        return ordered_channels(i18n.get_language())

    def url(self, via: str) -> str:
        """Return the page's address as `via` passes it on."""
        return landing_link(via, self.ref)

    def link(self, channel: str) -> str:
        """Return our own URL that counts a share and redirects to `channel`."""
        return url_for("sharing.share", channel=channel, lang=i18n.get_language(), ref=self.ref)

    def template(self, channel: Channel) -> str:
        """Return the network's address with {text} left open, "" where it takes none or has many addresses."""
        if channel.needs_instance:
            return f"{self.link(channel.key)}#{{text}}"
        if not channel.takes_text:
            return ""
        return share_template(channel, url=self.url(channel.key), title=share_texts.title())


def share_links(stage: PetitionStatus, ref: str | None = None) -> ShareLinks:
    """Return the share links for a page in this status; `ref` is the supporter's code on their own page."""
    return ShareLinks(stage, ref)


def landing_link(via: str, ref: str | None) -> str:
    """Return the URL of the page in the current language, with its source `via` and referral code."""
    return landing_url(current_context().settings.public_url, language=i18n.get_language(), via=via, ref=ref)
