"""What owners set."""

from flask_babel import gettext
from wtforms import DateField, Field
from wtforms.validators import ValidationError

from campaign.core.database import utcnow
from campaign.errors import InvalidAddress
from campaign.petition import email_addresses
from campaign.petition.email_addresses import EMAIL_LENGTH
from campaign.web.forms.admin import OrganiserForm
from campaign.web.forms.sign import CODE_LENGTH
from campaign.web.forms.text_fields import MultilineField, TextField

LETTER_LENGTH = 5000
GOALS_LENGTH = 300
MOST_GOALS = 30
HIGHEST_GOAL = 10**9
GOALS_LENGTH = MOST_GOALS * len(f"{HIGHEST_GOAL} ")


class DayForm(OrganiserForm):
    """The day on which the petition was handed in."""

    day = DateField()

    def validate_day(self, field: Field) -> None:
        """Take a day that has come."""
        if field.data is None or field.data > utcnow().date():
            raise ValidationError(gettext("Please choose a day that has come."))


class GoalsForm(OrganiserForm):
    """The goals, as numbers with spaces between them, and the address to write to; both may be empty."""

    goals = TextField(max_length=GOALS_LENGTH)
    contact = TextField(max_length=EMAIL_LENGTH)

    def validate_goals(self, field: Field) -> None:
        """Take rising numbers."""
        words = field.data.replace(",", " ").split()
        goals = [int(word) for word in words if word.isascii() and word.isdigit()]
        rising = goals == sorted(set(goals)) and all(0 < goal <= HIGHEST_GOAL for goal in goals)
        if len(goals) != len(words) or not rising or len(goals) > MOST_GOALS:
            raise ValidationError(gettext("Please type numbers that rise, like 1000 5000 10000."))
        field.data = " ".join(map(str, goals))

    def validate_contact(self, field: Field) -> None:
        """Take an address, or none."""
        try:
            field.data = email_addresses.normalised(field.data) if field.data else ""
        except InvalidAddress:
            raise ValidationError(
                gettext("This does not look like an e-mail address. It should be like name@example.org.")
            ) from None


class LetterForm(OrganiserForm):
    """The letter in the language `of`; an empty line ends a paragraph."""

    of = TextField(max_length=CODE_LENGTH)
    text = MultilineField(max_length=LETTER_LENGTH)
