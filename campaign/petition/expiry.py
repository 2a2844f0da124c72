"""Expiry periods: of unconfirmed signatures, emailed links, and suppressions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from campaign.core.database import utcnow
from campaign.errors import CampaignError, ExpiredLink, UnknownLink

LINK_LIFETIME = timedelta(days=30)  # an unconfirmed signature is deleted together with its link
SUPPRESSION_PERIOD = timedelta(days=30)  # the effect of "this wasn't me"
_VERSION_7_TIME = 80  # the bits of a UUID version 7 below its milliseconds (RFC 9562, 5.7)


def has_expired(*, signed_at: datetime, confirmed_at: datetime | None) -> bool:
    """Return whether a signature was not confirmed before its link expired."""
    return confirmed_at is None and signed_at <= utcnow() - LINK_LIFETIME


def link_error(signature_id: UUID) -> CampaignError:
    """Return the error for a link whose signature is gone; the age in its id shows whether it expired."""
    made_at = datetime.fromtimestamp((signature_id.int >> _VERSION_7_TIME) / 1000, UTC)
    return ExpiredLink() if made_at <= utcnow() - LINK_LIFETIME else UnknownLink()
