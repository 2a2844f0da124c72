"""What kind of answer a request asks for."""

from flask import request


def wants_json() -> bool:
    """Whether the client would rather have JSON than a page."""
    accepts = request.accept_mimetypes
    return accepts.best_match(("text/html", "application/json")) == "application/json"
