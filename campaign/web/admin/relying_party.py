"""The relying party of the campaign's passkeys (W3C, Web Authentication)."""

from campaign.accounts import passkeys
from campaign.context import current_context


def relying_party() -> passkeys.RelyingParty:
    """Return where passkeys of this campaign are good."""
    return passkeys.RelyingParty(current_context().settings.public_url)
