"""How a message leaves: as a file in a folder, or by SMTP."""

import smtplib
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from campaign.config import Settings
from campaign.files import own_folder, whole_file
from campaign.mail.messages import Message, in_ascii

TIMEOUT = 20  # seconds that a mail server may take for one answer
OK = 250
_PORTS = {"smtp": 587, "smtps": 465}


class Transport(Protocol):
    """Sends messages; keeps what it needs open between them, until `close`."""

    def send(self, message: Message) -> None:
        """Send `message`. Raises `OSError` (`smtplib.SMTPException` is one) when that fails."""

    def close(self) -> None:
        """Let go of any connection."""


def transport_for(settings: Settings) -> Transport:
    """Return the transport that the mail address of `settings` names."""
    url = urlsplit(settings.mail_url)
    return FileTransport(settings.mail_folder()) if url.scheme == "file" else SmtpTransport(url)


def sender(settings: Settings) -> str:
    """Return the address that mail comes from, in ASCII: as set, or one at the page's own host."""
    chosen = parse_qs(urlsplit(settings.mail_url).query).get("from")
    host = urlsplit(settings.public_url).hostname or "localhost"
    address = chosen[0] if chosen else f"no-reply@{'localhost' if _is_loopback(host) else host}"
    return in_ascii(address)


class FileTransport:
    """Writes each message as one `.eml` file, whole or not at all, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made when the first message comes."""
        self._folder = folder

    def send(self, message: Message) -> None:
        """Write `message` under its name, so that a second try replaces the first."""
        own_folder(self._folder)
        with whole_file(self._folder / f"{message.name}.eml") as file:
            file.write(message.content)

    def close(self) -> None:
        """Nothing is kept open."""


class SmtpTransport:
    """Sends over one SMTP connection, opened when needed, encrypted unless the server is on this machine."""

    def __init__(self, url: SplitResult) -> None:
        """Use the server, user and password in `url`, which is smtp://user:password@host:port or smtps://… alike."""
        self._url = url
        self._connection: smtplib.SMTP | None = None

    def send(self, message: Message) -> None:
        """Send `message`; a connection that the server has closed meanwhile is opened anew."""
        # Asked for before, and not tried again after: the server may have taken what it did not answer.
        if self._connection is not None and not _answers(self._connection):
            self.close()
        self._connected().sendmail(message.sender, message.to, message.content)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            connection = self._open()
            try:
                self._introduce(connection)
            except smtplib.SMTPNotSupportedError as error:
                connection.close()  # a fault of the server, not of the message that we came with
                raise smtplib.SMTPConnectError(502, str(error)) from None
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
        if self._url.scheme == "smtp" and not _is_loopback(self._url.hostname or ""):
            connection.starttls(context=ssl.create_default_context())
        if self._url.username:
            connection.login(unquote(self._url.username), unquote(self._url.password or ""))


def _answers(connection: smtplib.SMTP) -> bool:
    try:
        return connection.noop()[0] == OK
    except smtplib.SMTPServerDisconnected:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
