"""The process in which private keys are decrypted. It runs one task from standard input, and then ends."""

import json
import sys
from typing import Any

import structlog
from flask import Flask

from campaign.config.settings import Settings
from campaign.core import database
from campaign.core.logging import configure_logging
from campaign.core.process import lock_memory
from campaign.errors import CampaignError
from campaign.key_worker.protocol import error_answer
from campaign.key_worker.tasks import TASKS

CONNECTIONS = 4  # of a task: it reads keys and counts while it reads rows

log = structlog.get_logger("campaign.key_worker")


def main() -> None:
    """Run the task that standard input describes, and exit with its status."""
    settings = Settings.load()
    configure_logging(settings.log_format)
    sys.excepthook = _log_failure
    lock_memory()
    request = json.loads(sys.stdin.buffer.read())
    app = Flask("key_worker")
    options = database.ConnectionOptions(has_pgbouncer=settings.pgbouncer == "yes")
    database.init_db(app, request["database"], pool=CONNECTIONS, options=options)
    with app.app_context():
        try:
            result = TASKS[request["task"]](**request["arguments"])
        except CampaignError as error:
            _answer(error_answer(error))
            return
        _answer(result.answer)
        sys.exit(result.run(sys.stdout.buffer))


def _log_failure(*failure: Any) -> None:
    """Log the type of an exception and where it was raised, without its message, which may hold personal data."""
    log.error("key worker failed", exc_info=failure)


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
