"""Forms of the export page."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, DateField, Field
from wtforms.validators import DataRequired, Optional, ValidationError

from campaign.core.languages import LANGUAGES
from campaign.crypto.age import require_recipient
from campaign.errors import InvalidAgeKey
from campaign.exports.columns import LAYOUTS
from campaign.exports.export import ExportFilter
from campaign.exports.formats import FORMATS
from campaign.petition.countries import CODES
from campaign.web.forms.admin import OrganiserForm, secret_field
from campaign.web.forms.sign import CODE_LENGTH
from campaign.web.forms.text_fields import TextField

REASON_LENGTH = 200
RECIPIENT_LENGTH = 2100  # characters; a post-quantum key of age has about 2,000


class ChoiceForm(OrganiserForm):
    """Which signatures, for what. A period is of whole days, UTC, the last one included."""

    purpose = TextField(max_length=CODE_LENGTH, default="full")
    dialect = TextField(max_length=CODE_LENGTH, default="xlsx")
    since = DateField(validators=[Optional()])
    until = DateField(validators=[Optional()])
    country = TextField(max_length=CODE_LENGTH)
    language = TextField(max_length=CODE_LENGTH)
    unconfirmed = BooleanField()

    def validate_purpose(self, field: Field) -> None:
        """Accept only known purposes."""
        _require(field.data in LAYOUTS)

    def validate_dialect(self, field: Field) -> None:
        """Accept only known dialects."""
        _require(field.data in FORMATS)

    def validate_country(self, field: Field) -> None:
        """Accept any country, or none."""
        _require(not field.data or field.data in CODES)

    def validate_language(self, field: Field) -> None:
        """Accept the page's languages, or none."""
        _require(not field.data or field.data in LANGUAGES)

    def is_clear(self) -> bool:
        """Return whether the filter fields are valid, whatever other fields contain."""
        return not any(self[name].errors for name in ChoiceForm(formdata=None).data)

    def choice(self) -> ExportFilter:
        """Return which signatures are meant; the form must be valid."""
        return ExportFilter(
            country=self.country.data or None,
            language=self.language.data or None,
            since=_midnight(self.since.data),
            until=_midnight(self.until.data, days=1),
            include_unconfirmed=bool(self.unconfirmed.data),
            opted_in=LAYOUTS[str(self.purpose.data)].opted_in,
        )


class DownloadForm(ChoiceForm):
    """The same with a reason, the passphrase, and an optional recipient for encryption."""

    reason = TextField(max_length=REASON_LENGTH, validators=[DataRequired(_("Choose what the export is for."))])
    recipient = TextField(max_length=RECIPIENT_LENGTH)
    passphrase = secret_field(_("Enter your export passphrase."))

    def validate_recipient(self, field: Field) -> None:
        """Accept an age public key, or none."""
        try:
            field.data = require_recipient(field.data) if field.data else ""
        except InvalidAgeKey:
            raise ValidationError(gettext("Enter a public age key. It begins with age1.")) from None

    def asked(self) -> dict[str, Any]:
        """Return how the file is to be, beside which signatures it has."""
        return {
            "purpose": self.purpose.data,
            "dialect": self.dialect.data,
            "recipient": self.recipient.data or None,
        }


def _require(value: object) -> None:
    if not value:
        raise ValidationError(gettext("Choose from the list."))


def _midnight(day: Any, *, days: int = 0) -> datetime | None:
    try:
        return datetime.combine(day + timedelta(days=days), time(), UTC) if day else None
    except OverflowError:
        return None  # after the last day of the calendar nothing was signed
