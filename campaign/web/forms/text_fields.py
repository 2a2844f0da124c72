"""Form fields for text: bounded and cleaned (`campaign.core.text`) before any validator sees it."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import StopValidation
from wtforms.widgets import TextArea

from campaign.core.text import clean
from campaign.errors import TextTooLong, UnusableCharacter


class TextField(StringField):
    """A line of text of at most `max_length` characters. Text that is refused stays as it was typed."""

    multiline = False

    def __init__(self, label: str | None = None, *, max_length: int, **options: Any) -> None:
        super().__init__(label, **options)
        self.max_length = max_length

    def process_data(self, value: Any) -> None:
        """Set the default, "" if there is none."""
        super().process_data(value or "")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Set the cleaned text. Raises `ValueError`, with a message to show beside the field."""
        super().process_formdata(valuelist)
        try:
            self.data = clean(self.data or "", max_length=self.max_length, multiline=self.multiline)
        except TextTooLong as error:
            raise ValueError(_("Use %(length)s characters or fewer", length=error.max_length)) from None
        except UnusableCharacter as error:
            text = _(
                "We can’t read one of these characters: number %(place)s (%(code)s). Delete it and type it again.",
                place=error.place,
                code=error.code,
            )
            raise ValueError(text) from None

    def pre_validate(self, _form: Any) -> None:
        """Stop validation of text that was refused."""
        if self.process_errors:
            raise StopValidation


class MultilineField(TextField):
    """Several lines of text."""

    multiline = True
    widget = TextArea()
