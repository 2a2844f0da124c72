"""How long things live: unconfirmed signatures, the links in our mails, and refusals."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from campaign.core.database import utcnow
from campaign.errors import CampaignError, ExpiredLink, UnknownLink

LINK_LIFETIME = timedelta(days=30)  # of a link that nobody confirmed by; then its signature goes as well
SUPPRESSION_PERIOD = timedelta(days=30)  # how long "this wasn't me" keeps mail away
_VERSION_7_TIME = 80  # the bits of a UUID version 7 below its milliseconds (RFC 9562, 5.7)


def has_expired(*, signed_at: datetime, confirmed_at: datetime | None) -> bool:
    """Return whether a signature was not confirmed before its link expired."""
    return confirmed_at is None and signed_at <= utcnow() - LINK_LIFETIME


def link_error(signature_id: UUID) -> CampaignError:
    """Return what to say of a link whose signature is gone; whether it was purged, the age in its id tells."""
    made_at = datetime.fromtimestamp((signature_id.int >> _VERSION_7_TIME) / 1000, UTC)
    return ExpiredLink() if made_at <= utcnow() - LINK_LIFETIME else UnknownLink()
