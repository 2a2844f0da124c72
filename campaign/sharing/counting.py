"""How often each way to share is used: a number an hour, by channel and language, and nothing about anybody."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.models import ShareTally, Signature
from campaign.tallies import Tallies


def count_share(tallies: Tallies, *, channel: str, language: str) -> None:
    """Count one use of a share link. It takes microseconds and no database."""
    tallies.count(ShareTally, channel=channel, language=language)


def shared(session: Session) -> dict[str, tuple[int, int]]:
    """Return by channel how often it was used, and how many confirmed signatures came by it."""
    used = select(ShareTally.channel, func.sum(ShareTally.shares)).group_by(ShareTally.channel)
    came = select(Signature.via, func.count()).where(Signature.via.is_not(None), Signature.confirmed_at.is_not(None))
    shares = {channel: int(number) for channel, number in session.execute(used)}
    signatures = {str(via): number for via, number in session.execute(came.group_by(Signature.via))}
    channels = sorted({*shares, *signatures}, key=lambda channel: (-shares.get(channel, 0), channel))
    return {channel: (shares.get(channel, 0), signatures.get(channel, 0)) for channel in channels}
