"""What owners set."""

from flask_babel import gettext
from wtforms import DateField, Field
from wtforms.validators import ValidationError

from campaign.core.database import utcnow
from campaign.errors import InvalidEmailAddress
from campaign.petition import email_addresses
from campaign.petition.email_addresses import MAX_LENGTH
from campaign.web.forms.admin import OrganiserForm
from campaign.web.forms.sign import CODE_LENGTH
from campaign.web.forms.text_fields import MultilineField, TextField

LETTER_LENGTH = 5000
GOALS_LENGTH = 300
MAX_GOALS = 30
MAX_GOAL = 10**9
GOALS_LENGTH = MAX_GOALS * len(f"{MAX_GOAL} ")


class DayForm(OrganiserForm):
    """The day of the delivery."""

    day = DateField()

    def validate_day(self, field: Field) -> None:
        """Accept today or an earlier day."""
        if field.data is None or field.data > utcnow().date():
            raise ValidationError(gettext("Choose today or an earlier date."))


class GoalsForm(OrganiserForm):
    """The goals, as numbers with spaces between them, and the address to write to; both may be empty."""

    goals = TextField(max_length=GOALS_LENGTH)
    contact = TextField(max_length=MAX_LENGTH)

    def validate_goals(self, field: Field) -> None:
        """Accept ascending numbers."""
        words = field.data.replace(",", " ").split()
        goals = [int(word) for word in words if word.isascii() and word.isdigit()]
        rising = goals == sorted(set(goals)) and all(0 < goal <= MAX_GOAL for goal in goals)
        if len(goals) != len(words) or not rising or len(goals) > MAX_GOALS:
            raise ValidationError(gettext("Enter rising numbers, such as 1000 5000 10000."))
        field.data = " ".join(map(str, goals))

    def validate_contact(self, field: Field) -> None:
        """Accept an email address, or none."""
        try:
            field.data = email_addresses.normalize_email(field.data) if field.data else ""
        except InvalidEmailAddress:
            raise ValidationError(gettext("Enter an email address in the format name@example.org")) from None


class PetitionTextForm(OrganiserForm):
    """The petition text in the language `of`, with empty lines between paragraphs."""

    of = TextField(max_length=CODE_LENGTH)
    text = MultilineField(max_length=LETTER_LENGTH)
