"""Visitors without names: a keyed hash of the network address that is another one tomorrow."""

import hmac
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import request

from campaign.config.validators import TrustedNetwork, parse_trusted_networks
from campaign.context import current_context
from campaign.core.database import utcnow

# The sizes of IPv6 networks that one customer may have (RFC 6177: a /64 is one connection, a home or a company may have
# a /56 or a /48), each with its allowance as a multiple of that of one connection: phones of a provider share a /48.
_SIZES = ((64, 1), (56, 4), (48, 16))


def visitor_hash() -> str:
    """Return today's hash of this visitor's network address; it cannot be reversed without our key."""
    return _hash_of(_networks()[0][0], utcnow())


def recent_hashes() -> tuple[str, str]:
    """Return the visitor's hashes of today and yesterday, for tokens that span midnight."""
    return visitor_hash(), _hash_of(_networks()[0][0], utcnow() - timedelta(days=1))


def networks() -> list[tuple[str, int]]:
    """Return the hashes of the networks that this visitor is in, the smallest first.

    With each comes its allowance, as a multiple of that of one connection.
    """
    now = utcnow()
    return [(_hash_of(network, now), allowance) for network, allowance in _networks()]


def trusted_network() -> tuple[str, TrustedNetwork] | None:
    """Return the smallest trusted network that this visitor is in, if any, with its hash."""
    address = _client_address()
    trusted = parse_trusted_networks(current_context().settings.trusted_networks)
    around = [network for network in trusted if address is not None and address in network.network]
    if not around:
        return None
    smallest = max(around, key=lambda network: network.network.prefixlen)
    return _hash_of(f"trusted {smallest.network}", utcnow()), smallest


def _hash_of(network: str, moment: datetime) -> str:
    day = moment.date().isoformat()
    return hmac.new(current_context().visitor_key, f"{day} {network}".encode(), "sha256").hexdigest()[:32]


def _networks() -> list[tuple[str, int]]:
    address = _client_address()
    if isinstance(address, IPv6Address):
        return [(f"{int(address) >> (128 - bits)}/{bits}", allowance) for bits, allowance in _SIZES]
    return [(str(address or "unknown"), 1)]


def _client_address() -> IPv4Address | IPv6Address | None:
    """Return the visitor's address, None where there is none.

    Some proxies write the port with it: `192.0.2.1:443`, `[2001:db8::1]:443`. All their visitors would look like one.
    """
    text = request.remote_addr or ""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
