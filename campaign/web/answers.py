"""What kind of answer a request asks for, and when it gets it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

SIGNING_SECONDS = 0.01  # a bit more than signing takes while mail is being sent beside it


def wants_json() -> bool:
    """Whether the client would rather have JSON than a page."""
    accepts = request.accept_mimetypes
    return accepts.best_match(("text/html", "application/json")) == "application/json"


@contextmanager
def taking_its_time() -> Iterator[None]:
    """Let the block take `SIGNING_SECONDS` or more, so that small differences cannot be told from outside."""
    began = time.monotonic()
    yield
    time.sleep(max(0.0, began + SIGNING_SECONDS - time.monotonic()))
