"""The relying party of the campaign's passkeys (W3C, Web Authentication)."""

from campaign.accounts import passkeys
from campaign.context import state


def place() -> passkeys.Place:
    """Return where passkeys of this campaign are good."""
    return passkeys.Place(state().settings.public_url)
