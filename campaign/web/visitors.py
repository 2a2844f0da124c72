"""Visitors without names: a keyed hash of the network address that is another one tomorrow."""

import hmac
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from flask import request

from campaign.db import utcnow
from campaign.state import state


def visitor_hash() -> str:
    """Return what stands for this visitor's network address today; nobody can turn it back without our key."""
    return _hash_of(utcnow())


def lately() -> tuple[str, str]:
    """Return the visitor's hash of today and that of yesterday, for what lives past midnight."""
    return visitor_hash(), _hash_of(utcnow() - timedelta(days=1))


def _hash_of(moment: datetime) -> str:
    day = moment.date().isoformat()
    return hmac.new(state().visitor_key, f"{day} {_network()}".encode(), "sha256").hexdigest()[:32]


def _network() -> str:
    """The visitor's address; of IPv6 its first 64 bits, since one connection has all the rest (RFC 6177)."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or int(address) >> 64)
    return str(address)
