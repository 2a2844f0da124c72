"""Pages that several test modules read, made once for all test processes."""

import fcntl
import json
from collections.abc import Callable

import pytest

from tests.conftest import Ready, campaign_on
from tests.matrix import DATABASES
from tests.web.public_pages import every_page


@pytest.fixture(params=DATABASES)
def backend(request: pytest.FixtureRequest) -> str:
    """SQLite, and PostgreSQL in `make long`: what the statements do is tested on both where they are made."""
    return request.param


@pytest.fixture(scope="session")
def pages_in(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, str]]:
    """Return a function that returns every page in a language, by name.

    Making them takes several seconds, so the first process that needs a language stores its pages for the others.
    """
    shared = tmp_path_factory.getbasetemp().parent

    def pages_in(language: str) -> dict[str, str]:
        stored = shared / f"pages-{language}.json"
        with (shared / f"pages-{language}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not stored.exists():
                with campaign_on(ready, "sqlite", tmp_path_factory.mktemp(language)) as campaign:
                    stored.write_text(json.dumps(every_page(campaign, language)))
        return json.loads(stored.read_text())

    return pages_in
