"""How often each way to share is used: a number an hour, by channel and language, and nothing about anybody."""

from campaign.models import ShareTally
from campaign.tallies import Tallies


def count_share(tallies: Tallies, *, channel: str, language: str) -> None:
    """Count one use of a share link. It takes microseconds and no database."""
    tallies.count(ShareTally, channel=channel, language=language)
