"""What kind of answer a request asks for, and when it gets it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request


def wants_json() -> bool:
    """Whether the client would rather have JSON than a page."""
    accepts = request.accept_mimetypes
    return accepts.best_match(("text/html", "application/json")) == "application/json"


@contextmanager
def taking_at_least(seconds: float) -> Iterator[None]:
    """Let the block take `seconds` or more, so that small differences in its work cannot be told from outside."""
    began = time.monotonic()
    yield
    time.sleep(max(0.0, began + seconds - time.monotonic()))
