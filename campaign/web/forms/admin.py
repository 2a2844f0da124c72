"""Forms of the organisers' area. Their CSRF token is added by the template and checked by `admin.access`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, Form, StringField
from wtforms.validators import DataRequired, ValidationError

from campaign.accounts import passkeys, passwords
from campaign.accounts.organisers import EXPORT_ROLES, ROLES
from campaign.core.secret_text import normalize_secret
from campaign.errors import InvalidRecoveryKey, NoKeyHolder, Throttled, WrongCredential, WrongPassphrase
from campaign.petition import display_names
from campaign.web.forms.sign import CODE_LENGTH, LinkForm, email_field, limit_length
from campaign.web.forms.text_fields import MultilineField, TextField

COVER_LENGTH = 5000
SECRET_LENGTH = 1000  # several recovery keys, one after the other
MAX_NAME_LENGTH = COVER_LENGTH + 1  # characters; one more than fits, so that `limit_length` refuses it
FACTOR_LENGTH = 100  # a code may be pasted with surrounding text


class OrganiserForm(FlaskForm):  # type: ignore[misc]
    """A form of the organisers' area."""

    class Meta(LinkForm.Meta):
        csrf = False  # `access` has checked it
        get_translations = FlaskForm.Meta.get_translations  # date fields have no texts of ours

        def wrap_formdata(self, form: Form, formdata: Any) -> Any:  # noqa: ARG002 - WTForms names the arguments
            """Return the request's form fields, never JSON or files, and no value longer than the longest field."""
            if formdata is None:
                return None
            fields = formdata if isinstance(formdata, MultiDict) else request.form
            return MultiDict([(name, value[:MAX_NAME_LENGTH]) for name, value in fields.items(multi=True)])

    status = 422  # of the answer where something is wrong

    def refuse(self, field: Field, why: str) -> None:
        """Add `why` as an error of a field."""
        field.errors = (*field.errors, why)

    @contextmanager
    def refusing(self, field: Field, why: str) -> Iterator[None]:
        """Add `why` as an error of a field if its secret is wrong, or the waiting time after too many attempts."""
        try:
            yield
        except (WrongCredential, WrongPassphrase, NoKeyHolder, InvalidRecoveryKey):
            self.refuse(field, why)
        except Throttled as error:
            self.refuse(field, _wait_message(error))
            self.status = 429


def secret_field(missing: str) -> StringField:
    """Return a field for something secret, which is taken as it is typed."""
    return StringField(validators=[DataRequired(missing), limit_length(SECRET_LENGTH)])


class EmailForm(OrganiserForm, LinkForm):
    """An email address."""


class PasswordForm(OrganiserForm):
    """Email address and password for the log-in."""

    email = email_field()
    password = secret_field(_("Enter your password."))


class NewSecretForm(OrganiserForm):
    """Something secret that is chosen now, typed twice; `least` characters."""

    least = passwords.MIN_LENGTH
    chosen = secret_field(_("Enter a new password or passphrase."))
    again = secret_field(_("Type it a second time."))

    def validate_chosen(self, field: Field) -> None:
        """Reject passwords that are easy to guess."""
        if passwords.is_weak(field.data, least=self.least, known=self.known()):
            raise ValidationError(
                gettext(
                    "This is too easy to guess. Use at least %(least)s characters, ideally several random words.",
                    least=self.least,
                )
            )

    def validate_again(self, field: Field) -> None:
        """Refuse a slip."""
        if normalize_secret(field.data) != normalize_secret(self.chosen.data or ""):
            raise ValidationError(gettext("This doesn’t match the entry above. Type it again."))

    def known(self) -> tuple[str, ...]:
        """Return words that an attacker would try first."""
        return ()


class AccountForm(NewSecretForm, EmailForm):
    """The email address and password of a new organiser."""

    def known(self) -> tuple[str, ...]:
        """Return the address and its parts."""
        email = str(self.email.data).lower()
        return (email, *email.replace("@", ".").split("."))


class CodeForm(OrganiserForm):
    """The code of a second factor."""

    code = TextField(max_length=FACTOR_LENGTH, validators=[DataRequired(_("Enter the code."))])


class PassphraseForm(NewSecretForm):
    """An export passphrase. It must be strong, since a thief of the database has years to guess it."""

    least = 16


class MemberPassphraseForm(PassphraseForm):
    """The same for an active organiser: a stolen session must not be enough to get the keys of an invitation."""

    password = secret_field(_("Enter your password."))


class KeyForm(PassphraseForm):
    """The same, where the recovery key is asked for as well."""

    recovery_key = secret_field(_("Enter the recovery key."))


class StepUpForm(OrganiserForm):
    """The password or the digits of an app, given again."""

    secret = StringField(validators=[limit_length(SECRET_LENGTH)])


class CurrentSecretForm(OrganiserForm):
    """What an organiser has, before something of it is changed."""

    old = secret_field(_("Enter your current password or passphrase."))


class PasskeyForm(CurrentSecretForm):
    """A name for a new passkey, and the password."""

    name = TextField(max_length=passkeys.MAX_NAME_LENGTH)


class RemovalForm(CurrentSecretForm):
    """A passkey to remove, by its id, and the password."""

    passkey = StringField()

    def validate_passkey(self, field: Field) -> None:
        """Accept ids only: the page lists each passkey."""
        try:
            self.passkey_id = UUID(field.data)
        except (TypeError, ValueError):
            raise ValidationError(gettext("Choose from the list.")) from None


class ChangePasswordForm(CurrentSecretForm, NewSecretForm):
    """A new password in place of the old one."""


class ChangePassphraseForm(CurrentSecretForm, PassphraseForm):
    """A new export passphrase in place of the old one."""


class NameForm(OrganiserForm):
    """A part of a first name that the page shows."""

    name = TextField(max_length=display_names.MAX_LENGTH)


class DecryptForm(EmailForm):
    """An email address, and the passphrase that decrypts its data."""

    passphrase = secret_field(_("Enter your export passphrase."))


class DeliveryForm(OrganiserForm):
    """The cover letter of the PDF for delivery, and the passphrase."""

    cover = MultilineField(max_length=COVER_LENGTH, validators=[DataRequired(_("Write a cover letter."))])
    passphrase = secret_field(_("Enter your export passphrase."))


class InviteForm(EmailForm):
    """The email address and role of an invited person, and the passphrase if they may export."""

    role = TextField(max_length=CODE_LENGTH, default="organiser")
    exports = BooleanField()
    passphrase = StringField(validators=[limit_length(SECRET_LENGTH)])

    def validate_role(self, field: Field) -> None:
        """Accept only existing roles; a viewer cannot export."""
        if field.data not in ROLES or (self.exports.data and field.data not in EXPORT_ROLES):
            raise ValidationError(gettext("For export access, choose the role Organiser or Admin."))

    def validate_passphrase(self, field: Field) -> None:
        """Require the passphrase when the export right is granted."""
        if self.exports.data and not field.data:
            raise ValidationError(gettext("Enter your export passphrase."))


def _wait_message(error: Throttled) -> str:
    minutes = -(-error.seconds // 60)
    text = ngettext(
        "Too many wrong attempts. Try again in %(num)s minute.",
        "Too many wrong attempts. Try again in %(num)s minutes.",
        minutes,
    )
    return str(text)
