"""Checks of the mail server."""

from collections.abc import Iterator
from datetime import timedelta

from campaign.checks.finding import Finding
from campaign.config.settings import Settings
from campaign.core.database import utcnow
from campaign.mail.refusals import DeliveryError
from campaign.mail.transports import sender, transport_for

MIN_CERTIFICATE_DAYS = 14


def connection(settings: Settings) -> Iterator[Finding]:
    """The mail server accepts our sender, and its certificate stays valid."""
    transport = transport_for(settings)
    address = sender(settings)
    try:
        transport.check(address)
    except DeliveryError as error:
        yield Finding(
            "error",
            f"the mail server takes no emails from {address} ({error})",
            "Nobody gets the link that confirms a signature.",
            "CAMPAIGN_MAIL_URL=smtp://user:password@host:587?from=name@your.domain, as its operator says",
        )
        return
    finally:
        expiry = transport.certificate_expiry()
        transport.close()
    if expiry and expiry < utcnow() + timedelta(days=MIN_CERTIFICATE_DAYS):
        yield Finding(
            "warning",
            f"the certificate of the mail server ends on {expiry.date()}",
            "After that no email is sent, since the connection would not be safe.",
            "its operator renews it",
        )
