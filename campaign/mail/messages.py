"""Every message that we send, one function each: the letter comes in, the message goes out.

Subjects say nothing of the campaign: others may read a supporter's inbox. And nothing that was typed into
the form is repeated, the name included: else anybody could have us send their words to anybody.
"""

from dataclasses import asdict, dataclass
from email.headerregistry import Address
from email.message import EmailMessage

from email_validator import validate_email
from flask import render_template
from flask_babel import force_locale, gettext

from campaign.mail.outbox import Letter, Waiting


@dataclass(frozen=True, slots=True)
class Words:
    """What a message says: its link stands between `before` and `after`."""

    subject: str
    before: str
    after: tuple[str, ...]


def written(waiting: Waiting, letter: Letter, *, link: str, sender: str) -> EmailMessage:
    """Return the message for a letter, in its language. Needs an application context, for the templates."""
    with force_locale(letter.language):
        message = _rendered(_WORDS[waiting.kind](), link=link)
    message["From"] = sender
    message["To"] = Address(addr_spec=_for_the_wire(letter.to))
    message["Date"] = waiting.created_at
    # The same each time it is tried, so that a mail server can tell a repetition.
    message["Message-ID"] = f"<{waiting.id}.{waiting.kind}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    return message


def confirmation() -> Words:
    """Ask a new signer to confirm."""
    return Words(
        subject=gettext("Please confirm"),
        before=gettext(
            "your e-mail address was entered under the petition to the International Olympic Committee. Open this page "
            "and press the button there, and your signature counts:"
        ),
        after=(
            gettext("Was it not you? The same page erases the entry."),
            gettext(
                "Keep this mail: its link lets you take your signature back at any time. Nobody here can read your "
                "address any more; if you lose the mail, enter your address on the page once more and it comes again."
            ),
            gettext("Do others read your mail? Then delete this one once you have confirmed."),
        ),
    )


def already_signed() -> Words:
    """Tell somebody that their address was entered again."""
    return Words(
        subject=gettext("You are on the list already"),
        before=gettext(
            "your e-mail address was entered once more under the petition to the International Olympic Committee. It "
            "is there already, so nothing has changed. This page confirms the signature, or shows it if that is done:"
        ),
        after=(gettext("Was it not you? Then you need do nothing."),),
    )


def reminder() -> Words:
    """Remind somebody, once, that they have not confirmed."""
    return Words(
        subject=gettext("One step is left"),
        before=gettext(
            "a while ago your e-mail address was entered under the petition to the International Olympic Committee. It "
            "does not count yet. Open this page and press the button there, and it does:"
        ),
        after=(
            gettext("Was it not you, or do you not want to? You need do nothing, and the entry will be erased."),
            gettext("We do not remind you again. Do others read your mail? Then delete this one."),
        ),
    )


def _for_the_wire(address: str) -> str:
    """Return `address` with its domain in ASCII, which every mail server takes (RFC 5891), where its name allows it."""
    return validate_email(address, check_deliverability=False).ascii_email or address


def _rendered(words: Words, *, link: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = words.subject
    message.set_content(render_template("email/letter.txt", **asdict(words), link=link).strip() + "\n")
    message.add_alternative(render_template("email/letter.html", **asdict(words), link=link), subtype="html")
    return message


# A blank is written like a confirmation, since it must take as long, and then not sent.
_WORDS = {
    "confirmation": confirmation,
    "already_signed": already_signed,
    "reminder": reminder,
    "blank": confirmation,
}
