"""How a message leaves: as a file in a folder, or by SMTP."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from campaign.config.settings import Settings
from campaign.config.validators import sender_of
from campaign.core.atomic_files import atomic_write, make_private_dir
from campaign.core.hosts import is_loopback
from campaign.mail.messages import Message, to_ascii_address
from campaign.mail.refusals import SERVICE_UNAVAILABLE, DeliveryError, Step

TIMEOUT = 20  # seconds to wait for a reply
CONTENT_TIMEOUT = 60  # the same after the content, which many servers scan first
_ACCEPTED = (250, 251)
_PORTS = {"smtp": 587, "smtps": 465}


class Transport(Protocol):
    """Sends messages, and may keep a connection open between them until `close`."""

    def send(self, message: Message) -> None:
        """Send `message`. Raises `DeliveryError` when it is not accepted."""

    def check(self, sender: str) -> None:
        """Do all that comes before a recipient is named. Raises `DeliveryError` when that fails."""

    def certificate_expiry(self) -> datetime | None:
        """Return when the server's certificate ends; None where no connection with one is open."""

    def close(self) -> None:
        """Close any connection."""


def transport_for(settings: Settings) -> Transport:
    """Return the transport for the mail URL in `settings`."""
    url = urlsplit(settings.mail_url)
    return FileTransport(settings.mail_folder()) if url.scheme == "file" else SmtpTransport(url)


def sender(settings: Settings) -> str:
    """Return the sender's address in ASCII: the configured one, or one at the page's own host."""
    host = urlsplit(settings.public_url).hostname or "localhost"
    return to_ascii_address(sender_of(settings.mail_url) or f"no-reply@{'localhost' if is_loopback(host) else host}")


class FileTransport:
    """Writes each message as one `.eml` file, whole or not at all, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made when the first message comes."""
        self._folder = folder

    def send(self, message: Message) -> None:
        """Write `message` under its name, so that a second try replaces the first."""
        self.check(message.sender)
        with _failing_at(Step.CONNECTION), atomic_write(self._folder / f"{message.name}.eml") as file:
            file.write(message.content)

    def check(self, _sender: str) -> None:
        """Make the folder if it is missing."""
        with _failing_at(Step.CONNECTION):
            make_private_dir(self._folder)

    def certificate_expiry(self) -> None:
        """Return None: files need no server."""

    def close(self) -> None:
        """There is nothing to close."""


class SmtpTransport:
    """Sends over one SMTP connection, opened when needed, encrypted unless the server is on this machine."""

    def __init__(self, url: SplitResult) -> None:
        """Use the server, user and password in `url`, which is smtp://user:password@host:port or smtps://… alike."""
        self._url = url
        self._connection: smtplib.SMTP | None = None

    def send(self, message: Message) -> None:
        """Send `message`, on a new connection if the server has closed the one before or ends it now."""
        self._begin(message.sender, message=message)

    def check(self, sender: str) -> None:
        """Connect and name the sender, as before a message."""
        self._begin(sender, message=None)

    def _begin(self, sender: str, *, message: Message | None) -> None:
        is_used = self._connection is not None
        try:
            self._transact(self._connected(), sender, message)
        except DeliveryError as error:
            # Not after content without a reply: the server may have accepted it.
            is_certain = error.code is not None or error.step is not Step.CONTENT
            if not (is_used and is_certain and (self._connection is None or error.is_limit)):
                raise
            self.close()  # it served others before: the server ends it after a time or a number of messages
            self._transact(self._connected(), sender, message)

    def _transact(self, connection: smtplib.SMTP, sender: str, message: Message | None) -> None:
        """Run one mail transaction (RFC 5321, 3.3), or only its beginning without a message."""
        try:
            with _failing_at(Step.SENDER):
                size = [f"size={len(message.content)}"] if message and connection.has_extn("size") else []
                _require(Step.SENDER, connection.mail(sender, size))
            if message is None:
                connection.rset()
                return
            with _failing_at(Step.RECIPIENT, to=message.to):
                _require(Step.RECIPIENT, connection.rcpt(message.to), to=message.to)
            with _failing_at(Step.CONTENT, to=message.to), _content_timeout(connection):
                _require(Step.CONTENT, connection.data(message.content), to=message.to)
        except DeliveryError as error:
            self._reset(error)
            raise

    def _reset(self, error: DeliveryError) -> None:
        """Make the connection ready for the next message after a refusal; close it where that is not possible."""
        try:
            if error.code is None or error.code == SERVICE_UNAVAILABLE or self._connection is None:
                self.close()
            else:
                self._connection.rset()
        except OSError:
            self.close()

    def certificate_expiry(self) -> datetime | None:
        """Return when the server's certificate ends; None where no connection with one is open."""
        channel = self._connection.sock if self._connection else None
        certificate = channel.getpeercert() if isinstance(channel, ssl.SSLSocket) else None
        if not certificate:
            return None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            with _failing_at(Step.CONNECTION):
                connection = self._open()
            try:
                self._introduce(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _open(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port or _PORTS[self._url.scheme]
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=TIMEOUT)

    def _introduce(self, connection: smtplib.SMTP) -> None:
        if self._url.scheme == "smtp" and not is_loopback(self._url.hostname or ""):
            with _failing_at(Step.ENCRYPTION):
                connection.starttls(context=ssl.create_default_context())
        if self._url.username:
            with _failing_at(Step.LOGIN):
                connection.login(unquote(self._url.username), unquote(self._url.password or ""))
        with _failing_at(Step.CONNECTION):
            connection.ehlo_or_helo_if_needed()


def _require(step: Step, reply: tuple[int, bytes], *, to: str = "") -> None:
    """Raise `DeliveryError` unless the server has accepted the command."""
    code, words = reply
    if code not in _ACCEPTED:
        raise DeliveryError(step, code if code > 0 else None, words, to=to)


@contextmanager
def _failing_at(step: Step, *, to: str = "") -> Iterator[None]:
    """Turn every fault of the connection within the block into a `DeliveryError`."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(step, error.smtp_code if error.smtp_code > 0 else None, error.smtp_error, to=to) from None
    except ssl.SSLError as error:
        words = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        raise DeliveryError(step, None, f"no encrypted connection: {words}", to=to) from None
    except TimeoutError:
        raise DeliveryError(step, None, "no reply in time", to=to) from None
    except smtplib.SMTPException as error:
        raise DeliveryError(step, None, str(error), to=to) from None
    except OSError as error:
        raise DeliveryError(step, None, error.strerror or type(error).__name__, to=to) from None
    except UnicodeError:
        raise DeliveryError(step, None, "user name or password contains characters beyond ASCII", to=to) from None


@contextmanager
def _content_timeout(connection: smtplib.SMTP) -> Iterator[None]:
    """Wait longer for replies within the block."""
    connection.sock.settimeout(CONTENT_TIMEOUT)  # type: ignore[union-attr]
    try:
        yield
    finally:
        if connection.sock is not None:
            connection.sock.settimeout(TIMEOUT)
