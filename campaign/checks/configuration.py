"""Checks of the settings."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from campaign.checks.finding import Finding
from campaign.config.settings import Settings
from campaign.config.validators import parse_bind
from campaign.core.hosts import is_loopback

_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def is_public(settings: Settings) -> bool:
    """Return whether people on other machines use the campaign."""
    return not is_loopback(urlsplit(settings.public_url).hostname or "")


def public_address(settings: Settings) -> Iterator[Finding]:
    """The public address is set, and begins with https."""
    bind = parse_bind(settings.bind)
    if not is_public(settings):
        if settings.proxies or bind.socket or not is_loopback(bind.host):
            yield Finding(
                "error",
                f"others can reach the server, but the public address is {settings.public_url}",
                "Links in emails and share links lead to the reader's own machine.",
                "CAMPAIGN_PUBLIC_URL=https://your.domain",
            )
    elif not settings.public_url.startswith("https:"):
        yield Finding(
            "error",
            f"the public address {settings.public_url} is not encrypted",
            "Whoever shares the network of a supporter can read who signs.",
            f"CAMPAIGN_PUBLIC_URL=https:{settings.public_url.partition(':')[2]}, with a proxy that has a certificate",
        )


def proxies(settings: Settings) -> Iterator[Finding]:
    """The number of proxies fits the addresses."""
    bind = parse_bind(settings.bind)
    if settings.public_url.startswith("https:") and not settings.proxies:
        yield Finding(
            "error",
            "a proxy answers https, but CAMPAIGN_PROXIES is 0",
            "All visitors seem to come from the proxy's address, so they share one limit for signing.",
            "CAMPAIGN_PROXIES=1, or as many as there are in front of each other",
        )
    if settings.proxies and bind.host in _ALL_ADDRESSES:
        yield Finding(
            "warning",
            f"the server listens at {bind}, and believes what X-Forwarded-For says",
            "Whoever reaches it past the proxy can pretend to have any address, and escape the limits.",
            "CAMPAIGN_BIND=127.0.0.1:8000, or a firewall that lets only the proxy in",
        )


def processes(settings: Settings) -> Iterator[Finding]:
    """Several processes share their limits."""
    if settings.worker_count() > 1 and not settings.redis_url:
        yield Finding(
            "warning",
            f"{settings.worker_count()} processes count the limits by themselves",
            f"One address may sign {settings.worker_count()} times as often as CAMPAIGN_SIGN_LIMIT says.",
            "CAMPAIGN_REDIS_URL=redis://127.0.0.1:6379/0, or CAMPAIGN_WORKERS=1",
        )


def mail_server(settings: Settings) -> Iterator[Finding]:
    """Emails leave the machine."""
    if settings.mail_url.startswith("file:") and is_public(settings):
        yield Finding(
            "error",
            f"emails are written to {settings.mail_folder()} and not sent",
            "Nobody gets the link that confirms a signature, so nobody is counted.",
            "CAMPAIGN_MAIL_URL=smtp://user:password@host:587?from=name@your.domain",
        )


def debug_mode(_settings: Settings) -> Iterator[Finding]:
    """Flask's debug mode is off."""
    if os.environ.get("FLASK_DEBUG", "0") not in ("", "0"):
        yield Finding(
            "error",
            "FLASK_DEBUG is set",
            "Error pages would show personal data, and let visitors run code.",
            "unset FLASK_DEBUG",
        )
