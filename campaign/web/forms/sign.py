"""The form that people sign with."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.utils import cached_property
from wtforms import BooleanField, Field, StringField
from wtforms.validators import DataRequired, StopValidation, ValidationError

from campaign.crypto.data_keys import Person
from campaign.errors import InvalidEmailAddress
from campaign.petition import email_addresses
from campaign.petition.countries import CODES
from campaign.petition.email_addresses import MAX_LENGTH
from campaign.petition.signatures import Referral, Signer
from campaign.sharing.channels import REFERRAL_CHANNELS
from campaign.web import i18n
from campaign.web.form_request import URLENCODED
from campaign.web.forms.text_fields import MultilineField, TextField
from campaign.web.link_repair import parameters

FORM_TYPES = (URLENCODED, "multipart/form-data")
NAME_LENGTH = 100
MESSAGE_LENGTH = 1000
CODE_LENGTH = 20  # of a country or a role; no honest form sends more

# Of a referral; undecoded quoted-printable puts 3D before them.
_CODE = re.compile(r"(?:3D)?([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-])")
_CHANNEL = re.compile(r"(?:3D)?([a-z]+)(?![A-Za-z0-9_-])")


def _has_a_letter(_form: Any, field: Field) -> None:
    if not any(letter.isalnum() for letter in field.data):
        raise StopValidation(_("Enter your first name"))


def limit_length(length: int) -> Callable[[Any, Field], None]:
    """Return a validator that refuses more than `length` characters."""

    def check(_form: Any, field: Field) -> None:
        if len(field.data or "") > length:
            raise StopValidation(_("Use %(length)s characters or fewer", length=length))

    return check


def email_field() -> TextField:
    """Return the field for an email address."""
    return TextField(max_length=MAX_LENGTH, validators=[DataRequired(_("Enter your email address"))])


class LinkForm(FlaskForm):  # type: ignore[misc]
    """The form to request the link of a signature again.

    `email` keeps the text as typed; `address` is the normalised address, once the form is valid.
    """

    class Meta:
        # The page is the same for everyone, so it contains no token; `csrf` checks the origin instead.
        csrf = False

        def get_translations(self, _form: object) -> None:
            """Use none of WTForms' own texts: all errors have ours, and a catalogue would be parsed each time."""

    email = email_field()

    @cached_property
    def address(self) -> str:
        """The normalised email address. Raises `InvalidEmailAddress`."""
        return email_addresses.normalize_email(str(self.email.data))

    def validate_email(self, _field: Field) -> None:
        """Reject text that is not an email address."""
        try:
            self.address  # noqa: B018 - computed here, and kept
        except InvalidEmailAddress:
            raise ValidationError(_("Enter an email address in the format name@example.org")) from None


Form = TypeVar("Form", bound=LinkForm)


class SignForm(LinkForm):
    """The form to sign; it keeps all typed values."""

    given_name = TextField(max_length=NAME_LENGTH, validators=[DataRequired(_("Enter your first name")), _has_a_letter])
    family_name = TextField(max_length=NAME_LENGTH)
    email = email_field()  # redefined, to keep the order of the fields in error lists
    country = TextField(max_length=CODE_LENGTH, validators=[DataRequired(_("Choose your country"))])
    message = MultilineField(max_length=MESSAGE_LENGTH)
    updates = BooleanField(false_values=(False, "", "0", "false", "off"))
    show_name = BooleanField(false_values=(False, "", "0", "false", "off"))
    ref = StringField()
    via = StringField()
    website = StringField()

    def validate_country(self, field: Field) -> None:
        """A set is looked up far faster than 249 choices of a select field are compared."""
        if field.data not in CODES:
            raise ValidationError(_("Choose your country from the list"))

    def is_bot(self) -> bool:
        """Whether the field that people cannot see was filled in."""
        return bool(self.website.data)

    def signer(self) -> Signer:
        """Return the signer of a valid form."""
        typed = {name: str(value or "") for name, value in self.data.items()}
        return Signer(
            Person(typed["given_name"], typed["family_name"], self.address, typed["message"]),
            country=typed["country"],
            language=i18n.get_language(),
            updates=bool(self.updates.data),
            show_name=bool(self.show_name.data),
        )

    def referral(self) -> Referral:
        """Return the signer's referral, without unknown codes and channels."""
        return parse_referral(ref=self.ref.data, via=self.via.data)

    def take_arrival(self, arrived: Referral) -> None:
        """Fill in how the signer came where the form does not say: without JavaScript only the address does."""
        self.ref.data = self.ref.data or arrived.ref
        self.via.data = self.via.data or arrived.via


def read_form(kind: type[Form]) -> Form:
    """Return the form of this `kind` as it was sent; it is answered in the language that it names.

    Raises `werkzeug.exceptions.UnsupportedMediaType` for other content types than those of forms.
    """
    if request.mimetype not in FORM_TYPES:
        abort(415)
    i18n.set_language(request.form.get("lang"))
    return kind(request.form)


def error_response(form: LinkForm, tokens: dict[str, str]) -> dict[str, Any]:
    """Return the errors by field as JSON, with new tokens if any; general errors are under "form"."""
    errors = {name or "form": errors for name, errors in form.errors.items()}
    return {"errors": errors} | ({"tokens": tokens} if tokens else {})


def referral_from_url(address: str | None) -> Referral:
    """Return the referral in the URL of a page."""
    query = parameters(address or "")
    return parse_referral(ref=query.get("ref"), via=query.get("via"))


def parse_referral(*, ref: str | None, via: str | None) -> Referral:
    """Return the valid part of a referral, without characters appended to the link; the rest is ignored."""
    code, channel = _CODE.match(ref or ""), _CHANNEL.match(via or "")
    return Referral(
        via=channel[1] if channel and channel[1] in REFERRAL_CHANNELS else None,
        ref=code[1] if code else None,
    )
