"""The status of the petition: open, closed or delivered. Pages, form, emails and API follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy.orm import Session

from campaign.core.database import transaction
from campaign.models import FeatureFlag
from campaign.petition import feature_flags


@dataclass(frozen=True, slots=True)
class PetitionStatus:
    """Whether people can sign, and the day of the delivery, if any."""

    is_open: bool = True
    delivered_on: date | None = None

    @property
    def name(self) -> str:
        """The stage in one word: open, closed or delivered."""
        return "delivered" if self.delivered_on else "open" if self.is_open else "closed"


def petition_status(session: Session) -> PetitionStatus:
    """Return the stage that the petition is in."""
    return status_of(feature_flags.enabled_since(session))


def status_of(since: Mapping[str, datetime]) -> PetitionStatus:
    """Return the stage that follows from the features that are on, each with the time since when."""
    if delivered := since.get("delivered"):
        return PetitionStatus(is_open=False, delivered_on=delivered.date())
    return PetitionStatus(is_open="closed" not in since)


def reopen(session: Session) -> bool:
    """Allow signing and confirming again. Returns whether this changed anything."""
    return feature_flags.disable(session, "closed", "delivered")


def close(session: Session) -> bool:
    """Accept no more signatures; earlier ones can still be confirmed. Returns whether that changed anything."""
    return feature_flags.enable(session, "closed", instead_of=("delivered",))


def deliver(session: Session, day: date) -> bool:
    """Record the delivery of the petition on `day`; from then on nothing can be signed or confirmed.

    Returns whether this changed anything.
    """
    since = datetime.combine(day, time(), UTC)
    with transaction(session, locks=FeatureFlag):
        if petition_status(session).delivered_on == day:
            return False
        return feature_flags.enable(session, "delivered", since=since, instead_of=("closed", "delivered"))
