"""How often share links are used: a number an hour, by channel and language, and nothing about anybody."""

from sqlalchemy.orm import Session

from campaign.db import insert, transaction, utcnow
from campaign.models import ShareTally


def count_share(session: Session, *, channel: str, language: str) -> None:
    """Count one use of a share link."""
    hour = utcnow().replace(minute=0, second=0, microsecond=0)
    new = insert(session, ShareTally).values(hour=hour, channel=channel, language=language, shares=1)
    with transaction(session):
        session.execute(
            new.on_conflict_do_update(
                index_elements=["hour", "channel", "language"], set_={"shares": ShareTally.shares + 1}
            )
        )
