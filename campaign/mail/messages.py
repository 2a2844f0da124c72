"""The texts of all emails, one function per kind, and their rendering.

Subjects do not mention the campaign, since others may see a supporter's inbox. No typed text is repeated, not even the
name: otherwise anyone could use us to send their words to anyone.
"""

import quopri
from dataclasses import asdict, dataclass
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache

import idna
from flask import render_template
from flask_babel import force_locale, get_locale, gettext

from campaign.core import dates
from campaign.mail.outbox import ClaimedMessage, Kind, Recipient

_NOTICES = ("already_signed", "link_request")  # about a signature that is confirmed
_LINK = "\x01"  # placeholder of the link, in a body that is rendered once for all


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered message: its name, sender, recipient, and content as bytes (RFC 5322)."""

    name: str
    sender: str
    to: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MessageText:
    """The text of a message, `before` and `after` its link; in HTML the link is a `button` as well."""

    subject: str
    before: str
    button: str
    after: tuple[str, ...]


def render_message(
    message: ClaimedMessage, letter: Recipient, *, link: str, sender: str, delivered_on: date | None = None
) -> Message:
    """Return the rendered message in its language. Needs an application context, for the templates.

    After the delivery of the petition (`delivered_on`), a request to confirm says that it is too late.
    """
    # The same name at each attempt, so that a mail server can detect a repetition; a reminder gets a new one.
    name, to = f"{message.id}-2" if message.kind == "reminder" else str(message.id), to_ascii_address(letter.to)
    head = (
        f"Message-ID: <{name}@{sender.rpartition('@')[2]}>\r\n"
        f"Date: {format_datetime(message.created_at)}\r\n"
        f"To: {to}\r\n"
    )
    body = _body(message.kind, letter.language, sender, delivered_on)
    return Message(name, sender, to, head.encode("ascii") + _with_link(body, link))


def to_ascii_address(address: str) -> str:
    """Return `address` with its domain in ASCII (RFC 5891), which every mail server accepts."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode() if not domain.isascii() else domain}"


def confirmation() -> MessageText:
    """Return the email that asks a new signer to confirm."""
    return MessageText(
        subject=gettext("Please confirm your email address"),
        before=gettext(
            "This email address was used to sign the petition to the International Olympic Committee. To make the "
            "signature count, open this page and press the button:"
        ),
        button=gettext("Confirm your signature"),
        after=(
            gettext("Wasn’t it you? You can delete the entry on the same page."),
            gettext(
                "Keep this email: its link lets you see or withdraw your signature at any time. We can no longer "
                "read your address, so if you lose the email, ask for a new link on our page “Your data and your "
                "privacy”."
            ),
            gettext("Does anyone else read your email? Then delete this message once you’ve confirmed."),
        ),
    )


def already_signed() -> MessageText:
    """Return the email that tells a supporter that their email address was used to sign again."""
    return MessageText(
        subject=gettext("Your link"),
        before=gettext(
            "Someone used this email address to sign the petition to the International Olympic Committee again. It "
            "already has a signature from this address, so nothing has changed. Here you can see or withdraw the "
            "signature:"
        ),
        button=gettext("Your signature"),
        after=(gettext("Wasn’t it you? You don’t need to do anything."),),
    )


def link_request() -> MessageText:
    """Return the email for a supporter who asked for the link to their signature."""
    return MessageText(
        subject=gettext("Your link"),
        before=gettext(
            "You asked for the link to your signature on the petition to the International Olympic Committee. Here you "
            "can see or withdraw the signature:"
        ),
        button=gettext("Your signature"),
        after=(gettext("Wasn’t it you? You don’t need to do anything."),),
    )


def reminder() -> MessageText:
    """Return the only reminder for a supporter who has not confirmed."""
    return MessageText(
        subject=gettext("One last step"),
        before=gettext(
            "A little while ago this email address was used to sign the petition to the International Olympic "
            "Committee. The signature doesn’t count yet. To confirm it, open this page and press the button:"
        ),
        button=gettext("Confirm your signature"),
        after=(
            gettext("Wasn’t it you, or have you changed your mind? Do nothing and the entry will be deleted."),
            gettext("This is our only reminder. Does anyone else read your email? Then delete this message."),
        ),
    )


def too_late(delivered_on: date) -> MessageText:
    """Return the email for a supporter whose message waited until after the delivery of the petition."""
    day = dates.format_long_date(delivered_on, str(get_locale()))
    return MessageText(
        subject=gettext("Sorry, it’s too late"),
        before=gettext(
            "This email address was used to sign the petition to the International Olympic Committee. The petition "
            "was delivered on %(day)s, before the signature was confirmed, so it wasn’t included. The entry "
            "deletes itself after 30 days. To delete it now, open this page:",
            day=day,
        ),
        button=gettext("Delete the entry"),
        after=(gettext("Wasn’t it you? You don’t need to do anything."),),
    )


def _with_link(body: bytes, link: str) -> bytes:
    """Insert the link into the body, between soft line breaks, so that no line is too long (RFC 2045, 6.7)."""
    return body.replace(b"=01", b"=\r\n" + quopri.encodestring(link.encode()).replace(b"\n", b"\r\n") + b"=\r\n")


@cache
def _body(kind: Kind, language: str, sender: str, delivered_on: date | None) -> bytes:
    """Return the part that is the same for everyone: rendering it takes longer than sending it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    with force_locale(language):
        words = too_late(delivered_on) if delivered_on and kind not in _NOTICES else _WORDS[kind]()
        text, html = (render_template(f"email/message.{part}", **asdict(words), link=_LINK) for part in ("txt", "html"))
    message["Subject"] = words.subject
    message.set_content(text.strip() + "\n", cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary("=_letter")  # quoted-printable text has no "=_", and a random one could hold the link's place
    return message.as_bytes()


# A blank is written like a confirmation, since it must take as long, and then not sent.
_WORDS = {
    "confirmation": confirmation,
    "already_signed": already_signed,
    "link_request": link_request,
    "reminder": reminder,
    "blank": confirmation,
}
