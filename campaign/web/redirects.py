"""Redirects are relative, so that a forged Host header has no effect."""

from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, request
from werkzeug.routing import RequestRedirect


def init_redirects(app: Flask) -> None:
    """Remove the host from redirects that routing makes (`/en` to `/en/`); all others name a path or a network."""

    @app.after_request
    def shorten(response: Response) -> Response:
        if isinstance(request.routing_exception, RequestRedirect) and response.location:
            _, _, path, query, _ = urlsplit(response.location)
            # Two slashes at the start would begin a host.
            response.location = urlunsplit(("", "", f"/{path.lstrip('/')}", query, ""))
        return response
