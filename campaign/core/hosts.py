"""Host names and addresses."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
