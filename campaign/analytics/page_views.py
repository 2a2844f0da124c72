"""Page views: counts per hour and language of the steps towards a signature that leave no row."""

from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.analytics.counters import Counters
from campaign.models import PageViewCount

Step = Literal["viewed", "signed"]


def count_page_view(tallies: Counters, step: Step, *, language: str) -> None:
    """Count one visitor at `step`, in microseconds and without the database."""
    tallies.count(PageViewCount, step=step, language=language)


def page_views(session: Session) -> dict[str, int]:
    """Return how many have come as far as each step."""
    rows = session.execute(select(PageViewCount.step, func.sum(PageViewCount.number)).group_by(PageViewCount.step))
    return {step: int(number) for step, number in rows}
