"""The request class: forms with bytes that are not UTF-8 are read with U+FFFD in their place."""

from typing import Any
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.utils import cached_property

URLENCODED = "application/x-www-form-urlencoded"


class FormRequest(Request):
    """A request whose form is parsed once.

    Werkzeug would keep percent-encoded bytes that are not UTF-8 as if they had been typed that way, and drop a form
    with such bytes as they are.
    """

    @cached_property
    def form(self) -> Any:
        """The fields of the form, whatever its encoding."""
        if self.mimetype != URLENCODED:
            return super().form
        body = self.get_data().decode("utf-8", "replace")
        return ImmutableMultiDict(parse_qsl(body, keep_blank_values=True, errors="replace"))
