"""Checks of the DNS records that make other mail servers trust the sender."""

from collections.abc import Iterator
from typing import Any

import dns.exception
import dns.resolver

from campaign.checks.finding import Finding
from campaign.config.settings import Settings
from campaign.mail.transports import sender

LOOKUP_SECONDS = 5
# Names under which mail services publish their keys; DNS has no list of them.
_SELECTORS = (
    "default",
    "dkim",
    "mail",
    "selector1",
    "selector2",
    "google",
    "s1",
    "s2",
    "k1",
    "k2",
    "key1",
    "smtp",
    "mx",
)
_SPAM = "Many mail servers refuse such emails or put them into the spam folder."


def spf(settings: Settings) -> Iterator[Finding]:
    """The domain names the servers that may send for it (RFC 7208)."""
    domain = _domain(settings)
    records = [record for record in _texts(domain) if record.lower().split(" ")[0] == "v=spf1"]
    if len(records) != 1:
        yield Finding(
            "error" if records else "warning",
            f"{domain} has {len(records) or 'no'} SPF record{'s' if records else ''}",
            "With several, all are invalid. " + _SPAM if records else _SPAM,
            f'one TXT record of {domain}: "v=spf1 include:<your mail service> -all"',
        )


def dkim(settings: Settings) -> Iterator[Finding]:
    """The domain publishes a key for signing emails (RFC 6376)."""
    domain = _domain(settings)
    if not any("p=" in record for name in _SELECTORS for record in _texts(f"{name}._domainkey.{domain}")):
        yield Finding(
            "warning",
            f"no DKIM key of {domain} was found under the usual names",
            _SPAM,
            f"the TXT record that your mail service shows, at <its selector>._domainkey.{domain}",
        )


def dmarc(settings: Settings) -> Iterator[Finding]:
    """The domain says what becomes of forged emails (RFC 7489)."""
    domain = _domain(settings)
    if not any(record.replace(" ", "").lower().startswith("v=dmarc1;") for record in _texts(f"_dmarc.{domain}")):
        yield Finding(
            "warning",
            f"{domain} has no DMARC record",
            "Others can send emails in the campaign's name. " + _SPAM,
            f'a TXT record of _dmarc.{domain}: "v=DMARC1; p=quarantine"',
        )


def mail_exchanger(settings: Settings) -> Iterator[Finding]:
    """The sender's domain can receive emails."""
    domain = _domain(settings)
    if not (_lookup(domain, "MX") or _lookup(domain, "A") or _lookup(domain, "AAAA")):
        yield Finding(
            "error",
            f"{domain}, the domain of the sender, does not exist in the DNS",
            "Most mail servers refuse emails from such a sender.",
            "CAMPAIGN_MAIL_URL=smtp://…?from=name@your.domain",
        )


def _domain(settings: Settings) -> str:
    return sender(settings).rpartition("@")[2]


def _texts(name: str) -> list[str]:
    return [b"".join(record.strings).decode(errors="replace") for record in _lookup(name, "TXT")]


def _lookup(name: str, kind: str) -> list[Any]:
    try:
        return list(dns.resolver.resolve(name, kind, lifetime=LOOKUP_SECONDS, search=False))
    except (dns.exception.DNSException, OSError):
        return []
