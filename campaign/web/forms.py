"""The form that people sign with."""

import re
from collections.abc import Callable
from typing import Any, TypeVar
from unicodedata import category, normalize
from urllib.parse import parse_qs, parse_qsl, urlsplit

from flask import abort, request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, StringField, TextAreaField
from wtforms.validators import DataRequired, StopValidation, ValidationError

from campaign.errors import InvalidAddress
from campaign.petition import addresses
from campaign.petition.countries import CODES
from campaign.petition.sealing import Person
from campaign.petition.signatures import Arrival, Signer
from campaign.sharing.channels import ARRIVALS
from campaign.web import languages

URLENCODED = "application/x-www-form-urlencoded"
FORM_TYPES = (URLENCODED, "multipart/form-data")
NAME_LENGTH = 100
EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1, as corrected by erratum 1690
MESSAGE_LENGTH = 1000
_CODE = re.compile(r"[A-Za-z0-9_-]{11}")

# What turns the direction of reading (it can make a name read as another), letters that nobody sees, and the mark for
# bytes that were no UTF-8.
_UNREADABLE = re.compile("[\u202a-\u202e\u2066-\u2069\u115f\u1160\u3164\uffa0\ufffd\ufffe\uffff]")


def trimmed(value: str | None) -> str:
    """Return Unicode in its composed form (NFC), lines ended alike, without space around."""
    return normalize("NFC", value or "").replace("\r\n", "\n").strip()


def _readable(*, lines: bool) -> Callable[[Any, Field], None]:
    allowed = "\n\t" if lines else ""

    def check(_form: Any, field: Field) -> None:
        control = any(category(letter) in ("Cc", "Cs", "Zl", "Zp") and letter not in allowed for letter in field.data)
        if control or _UNREADABLE.search(field.data):
            raise StopValidation(_("There is a character here that we cannot read. Please type it again."))

    return check


def _has_a_letter(_form: Any, field: Field) -> None:
    if not any(letter.isalnum() for letter in field.data):
        raise StopValidation(_("Please enter your first name."))


def at_most(length: int) -> Callable[[Any, Field], None]:
    """Return what refuses more than `length` characters."""

    def check(_form: Any, field: Field) -> None:
        if len(field.data or "") > length:
            raise StopValidation(_("Please use at most %(length)s characters.", length=length))

    return check


def email_field() -> StringField:
    """Return the field for an e-mail address."""
    missing, most = DataRequired(_("Please enter your e-mail address.")), at_most(EMAIL_LENGTH)
    return StringField(filters=[trimmed], validators=[missing, _readable(lines=False), most])


class LinkForm(FlaskForm):  # type: ignore[misc]
    """Reads and checks the address of somebody who asks for the link to their signature again."""

    class Meta:
        # The page is the same for everyone, so it can hold no token. `guard` does what a token would.
        csrf = False

    email = email_field()

    def validate_email(self, field: Field) -> None:
        """Put the address as it will be written to in place of what was typed."""
        try:
            self.address = addresses.normalised(field.data)
        except InvalidAddress:
            raise ValidationError(
                _("This does not look like an e-mail address. It should be like name@example.org.")
            ) from None


Form = TypeVar("Form", bound=LinkForm)


class SignForm(LinkForm):
    """Reads and checks what a supporter typed; everything typed stays in it."""

    given_name = StringField(
        filters=[trimmed],
        validators=[
            DataRequired(_("Please enter your first name.")),
            _readable(lines=False),
            _has_a_letter,
            at_most(NAME_LENGTH),
        ],
    )
    family_name = StringField(filters=[trimmed], validators=[_readable(lines=False), at_most(NAME_LENGTH)])
    email = email_field()  # again, so that it stands in its place among the mistakes
    country = StringField(filters=[trimmed], validators=[DataRequired(_("Please choose your country."))])
    message = TextAreaField(filters=[trimmed], validators=[_readable(lines=True), at_most(MESSAGE_LENGTH)])
    updates = BooleanField(false_values=(False, "", "0", "false", "off"))
    show_name = BooleanField(false_values=(False, "", "0", "false", "off"))
    ref = StringField()
    via = StringField()
    website = StringField()

    def validate_country(self, field: Field) -> None:
        """A set is looked up far faster than 249 choices of a select field are compared."""
        if field.data not in CODES:
            raise ValidationError(_("Please choose your country from the list."))

    def is_bot(self) -> bool:
        """Whether the field that people cannot see was filled in."""
        return bool(self.website.data)

    def signer(self) -> Signer:
        """Return who signs; the form must be valid."""
        typed = {name: str(value or "") for name, value in self.data.items()}
        return Signer(
            Person(typed["given_name"], typed["family_name"], self.address, typed["message"]),
            country=typed["country"],
            language=languages.current(),
            updates=bool(self.updates.data),
            show_name=bool(self.show_name.data),
        )

    def arrival(self) -> Arrival:
        """Return how the signer came; what we do not know is left out."""
        return arrival(ref=self.ref.data, via=self.via.data)

    def take_arrival(self, arrived: Arrival) -> None:
        """Fill in how the signer came where the form does not say: without JavaScript only the address does."""
        self.ref.data = self.ref.data or arrived.ref
        self.via.data = self.via.data or arrived.via


def read(kind: type[Form]) -> Form:
    """Return the form of this `kind` as it was sent; it is answered in the language that it names."""
    sent = _submitted()
    languages.use(sent.get("lang"))
    return kind(sent)


def refusal(form: LinkForm, tokens: dict[str, str]) -> dict[str, Any]:
    """Return what is wrong by field, for JSON, and new tokens if any; what is of no field stands under "form"."""
    errors = {name or "form": errors for name, errors in form.errors.items()}
    return {"errors": errors} | ({"tokens": tokens} if tokens else {})


def came_by(address: str | None) -> Arrival:
    """Return what the `address` of a page says of how its visitor came."""
    try:
        asked = parse_qs(urlsplit(address or "").query)
    except ValueError:
        return Arrival()
    return arrival(ref=asked.get("ref", [None])[0], via=asked.get("via", [None])[0])


def arrival(*, ref: str | None, via: str | None) -> Arrival:
    """Return what is well-formed of a referral; what is not is ignored."""
    return Arrival(
        via=via if via in ARRIVALS else None,
        ref=ref if ref and _CODE.fullmatch(ref) else None,
    )


def _submitted() -> MultiDict[str, str]:
    """Return the form as it was sent, with U+FFFD for bytes that are no UTF-8.

    Werkzeug would keep such bytes percent-encoded, as if somebody had typed it so. Raises
    `werkzeug.exceptions.UnsupportedMediaType` for what is no form.
    """
    if request.mimetype not in FORM_TYPES:
        abort(415)
    if request.mimetype != URLENCODED:
        return request.form
    sent = request.get_data().decode("utf-8", "replace")
    return MultiDict(parse_qsl(sent, keep_blank_values=True, errors="replace"))
