"""Validators of settings: each reports the fault and the fix."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from email_validator import EmailNotValidError, validate_email
from limits import parse_many
from pydantic import BeforeValidator, ValidationInfo
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

MAIL_SCHEMES = ("file", "smtp", "smtps")
DATABASES = ("postgresql", "postgresql+psycopg", "sqlite", "sqlite+pysqlite")
DEFAULT_POSTGRESQL_PORT = "5432"
MIN_SECRET_LENGTH = 32
DEFAULT_PORT = 8000
_HOSTS = re.compile(  # of PostgreSQL's own addresses with several hosts (libpq, 32.1.1.2)
    r"^(?P<start>postgresql(?:\+psycopg)?://(?:[^@/?]*@)?)(?P<hosts>[^/?,]+(?:,[^/?,]+)+)(?P<path>/[^?]*)?(?P<rest>(?:\?.*)?)$"
)
FILM_PATTERN = re.compile(r"|youtube:[A-Za-z0-9_-]{11}|vimeo:[0-9]{5,12}(/[0-9a-f]{6,16})?|[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class TrustedNetwork:
    """A network that may sign more often than others, and its limit as the `limits` library writes it."""

    network: IPv4Network | IPv6Network
    limit: str


@dataclass(frozen=True, slots=True)
class Bind:
    """Where the server listens: at a port of an IP address, or on a Unix socket, where `host` is empty."""

    host: str = ""
    port: int = 0
    socket: Path | None = None

    def local_url(self) -> str:
        """The page's address on this machine; a Unix socket has none, so it is the default one."""
        return f"http://127.0.0.1:{self.port or DEFAULT_PORT}"

    def __str__(self) -> str:
        if self.socket:
            return f"unix:{self.socket}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def choice(*allowed: str) -> BeforeValidator:
    """Return a check that a value is one of `allowed`."""

    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"unknown value {value!r}; use {' or '.join(allowed)}")
        return value

    return BeforeValidator(check)


def database_url(value: str) -> str:
    """Return the address of a database we know."""
    value = re.sub("^postgres://", "postgresql://", value)
    value = _HOSTS.sub(_hosts_as_parameters, value)
    try:
        url = make_url(value or "sqlite:///default")
    except (ArgumentError, ValueError):  # the text of either may quote a password
        raise ValueError("this is not a database URL; use postgresql://… or sqlite:///…") from None
    if url.drivername not in DATABASES:
        raise ValueError(f"{url.drivername!r} is not a supported database; use postgresql://… or sqlite:///…")
    if url.drivername.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise ValueError("a database in memory is lost at exit; use sqlite:///file, or leave it empty")
    return value


def _hosts_as_parameters(parts: re.Match[str]) -> str:
    """Return an address with several hosts as SQLAlchemy reads it: the hosts among the parameters."""
    hosts = [re.fullmatch(r"(\[.*\]|[^:]*)(?::(\d*))?", host) for host in parts["hosts"].split(",")]
    if not all(hosts):
        raise ValueError("this is not a database URL; use postgresql://user:password@host:5432,host:5432/name")
    names = ",".join(host[1].strip("[]") for host in hosts if host)
    ports = ",".join(host[2] or DEFAULT_POSTGRESQL_PORT for host in hosts if host)
    return f"{parts['start']}{parts['path'] or '/'}?host={names}&port={ports}" + parts["rest"].replace("?", "&", 1)


def redis_url(value: str) -> str:
    """Return the address of a Redis, or nothing."""
    if value and _split(value, "redis://host:6379/0").scheme not in ("redis", "rediss"):
        raise ValueError("this is not a Redis URL; use redis://host:6379/0, or leave it empty")
    return value


def film(value: str) -> str:
    """Return the name of an imported film, `youtube:ID`, `vimeo:ID` or nothing."""
    if not FILM_PATTERN.fullmatch(value):
        raise ValueError(f"{value!r} is not a film; use youtube:ID, vimeo:ID or the name of an imported film")
    return value


def mail_url(value: str) -> str:
    """Return the validated URL of the mail server."""
    parts = _split(value, "smtp://user:password@host:587")
    if parts.scheme not in MAIL_SCHEMES:
        raise ValueError(f"unknown scheme {parts.scheme!r}; use file:, smtp:// or smtps://")
    if parts.scheme == "file" and (parts.netloc or parts.path):
        raise ValueError("emails are always written to <instance>/mail; use only file:")
    if parts.scheme != "file" and not parts.hostname:
        raise ValueError("the mail server is missing; use smtp://user:password@host:587")
    for sender in parse_qs(parts.query, keep_blank_values=True).get("from", ()):
        _require_address(sender)
    return value


def sender_of(mail_url: str) -> str:
    """Return the sender that `?from=` of `mail_url` names, or an empty string."""
    return parse_qs(urlsplit(mail_url).query).get("from", [""])[0]


def bind(value: str) -> str:
    """Return where to listen, as `parse_bind` reads it."""
    return str(parse_bind(value))


def parse_bind(value: str) -> Bind:
    """Return the meaning of `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/campaign/app.sock`, or only a port.

    Raises `ValueError` with the fault and the remedy.
    """
    if value.startswith("unix:"):
        if not (path := Path(value.removeprefix("unix:"))).is_absolute():
            raise ValueError(f"{value!r} does not name a socket; use for example unix:/run/campaign/app.sock")
        return Bind(socket=path)
    host, _, port = (value or str(DEFAULT_PORT)).rpartition(":")
    try:
        address = ip_address((host or "127.0.0.1").removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(f"{host!r} is not an IP address; use 127.0.0.1:8000, 0.0.0.0:8000 or unix:/path") from None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is not a port number; use 127.0.0.1:8000, 0.0.0.0:8000 or unix:/path")
    return Bind(str(address), int(port))


def public_url(value: str, info: ValidationInfo) -> str:
    """Return the page's address in its plain form; where there is none, the one of this machine."""
    if not value:
        return parse_bind(info.data.get("bind", "")).local_url()
    parts = _split(value, "https://example.org")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("this is not a web URL; use for example https://example.org")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("the URL must not have a path or user; use for example https://example.org")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def films_url(value: str) -> str:
    """Return the URL of a folder, without a slash at its end, or none. Raises `ValueError`."""
    if not value:
        return ""
    parts = _split(value, "https://films.example.org")
    is_here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_here)
    if not is_safe or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("use the URL of a folder, with https, for example https://films.example.org")
    if not re.fullmatch(r"[A-Za-z0-9.:/\[\]_~-]+", value):
        raise ValueError("the URL may only have letters, digits and -._~; use for example https://films.example.org")
    return value.rstrip("/")


def sentry_dsn(value: str) -> str:
    """Return the address of a project of Sentry, or none. Raises `ValueError`, also where its package is missing."""
    if not value:
        return ""
    parts = _split(value, "https://key@sentry.example.org/1")
    is_here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_here)
    if not is_safe or not parts.hostname or not parts.username or not parts.path.strip("/"):
        raise ValueError("use the DSN that Sentry shows, with https, for example https://key@sentry.example.org/1")
    if find_spec("sentry_sdk") is None:
        raise ValueError("it needs the package sentry-sdk: install the campaign with its extra, '.[sentry]'")
    return value


def sign_limit(value: str) -> str:
    """Return limits as the `limits` library writes them."""
    if value and not _is_limit(value):
        raise ValueError("this is not a rate limit; use '5 per minute;50 per day', or leave it empty for none")
    return value


def trusted_networks(value: str) -> str:
    """Return networks with their limits, as `parse_trusted_networks` reads them."""
    parse_trusted_networks(value)
    return value


@cache
def parse_trusted_networks(value: str) -> tuple[TrustedNetwork, ...]:
    """Return the networks of `203.0.113.0/24=500 per hour; 2001:db8::/32=1000 per hour`.

    A network with several limits has commas between them. Raises `ValueError` with the fault and the remedy.
    """
    networks: dict[IPv4Network | IPv6Network, TrustedNetwork] = {}
    for entry in filter(None, map(str.strip, value.split(";"))):
        network_text, equals, limit = (part.strip() for part in entry.partition("="))
        if not equals:
            raise ValueError(f"{entry!r} has no limit; use for example 203.0.113.0/24=500 per hour")
        try:
            network = ip_network(network_text)
        except ValueError:
            raise ValueError(
                f"{network_text!r} is not a network; use for example 203.0.113.0/24 or 2001:db8::/32"
            ) from None
        if network in networks:
            raise ValueError(f"{network_text} appears twice; use it once")
        if not _is_limit(limit):
            raise ValueError(f"{limit!r} is not a rate limit; use '500 per hour' or '500 per hour, 2000 per day'")
        networks[network] = TrustedNetwork(network, limit)
    return tuple(networks.values())


def secret(value: str) -> str:
    """Return a secret that is long enough, or none."""
    if value and len(value.strip()) < MIN_SECRET_LENGTH:
        raise ValueError(f"too short; use at least {MIN_SECRET_LENGTH} random characters, or remove the setting")
    return value


def metrics_token(value: str) -> str:
    """Return a token that can be sent in a header and is long enough, or none."""
    if value and not re.fullmatch(r"[!-~]{16,200}", value):
        raise ValueError("use 16 to 200 letters, digits and signs of ASCII, without spaces, or remove the setting")
    return value


def directory(value: object) -> object:
    """Return a folder that has a name."""
    if value == "":
        raise ValueError("the folder has no name; choose one, or remove the setting")
    return value


def whole_number(what: str, *, least: int = 0, most: int) -> BeforeValidator:
    """Return a check that a value is a number from `least` to `most`; `what` says of what."""

    def check(value: object) -> object:
        text = str(value)
        if not (text.isdecimal() and text.isascii() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise ValueError(f"this is not a number of {what}; use a whole number from {least} to {most}")
        return value

    return BeforeValidator(check)


def _is_limit(text: str) -> bool:
    try:
        return all(item.amount for item in parse_many(text))
    except ValueError:
        return False


def _require_address(text: str) -> None:
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise ValueError("the sender is not an email address; use ?from=name@example.org") from None


def _split(value: str, example: str) -> SplitResult:
    """Split an address, its port checked as well, which `urlsplit` leaves until it is read."""
    try:
        parts = urlsplit(value)
        is_wrong = parts.port == 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # its text may quote a password
        is_wrong = True
    if is_wrong:
        raise ValueError(f"this is not a URL; use for example {example}")
    return parts
