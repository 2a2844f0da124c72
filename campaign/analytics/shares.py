"""Shares: counts per hour, channel and language."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.analytics.counters import Counters
from campaign.models import ShareCount


def count_share(tallies: Counters, *, channel: str, language: str) -> None:
    """Count one use of a share link. It takes microseconds and no database."""
    tallies.count(ShareCount, channel=channel, language=language)


def share_counts(session: Session) -> dict[str, int]:
    """Return how often each channel was used."""
    query = select(ShareCount.channel, func.sum(ShareCount.shares)).group_by(ShareCount.channel)
    return {channel: int(number) for channel, number in session.execute(query)}
