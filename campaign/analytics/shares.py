"""How often each way to share is used: a number an hour, by channel and language, and nothing about anybody."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.analytics.counters import Tallies
from campaign.models import ShareTally


def count_share(tallies: Tallies, *, channel: str, language: str) -> None:
    """Count one use of a share link. It takes microseconds and no database."""
    tallies.count(ShareTally, channel=channel, language=language)


def shared(session: Session) -> dict[str, int]:
    """Return how often each channel was used."""
    used = select(ShareTally.channel, func.sum(ShareTally.shares)).group_by(ShareTally.channel)
    return {channel: int(number) for channel, number in session.execute(used)}
