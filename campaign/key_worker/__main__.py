"""The process that private keys are opened in. It reads one task, says what came of it, and ends with all it knew."""

import json
import os
import sys
from typing import Any

import structlog
from flask import Flask

from campaign.core import database
from campaign.core.logging import configure_logs
from campaign.core.process import keep_out_of_swap
from campaign.errors import CampaignError
from campaign.key_worker import tasks

log = structlog.get_logger("campaign.key_worker")


def main() -> None:
    """Carry out the task that standard input holds."""
    configure_logs(os.environ.get("CAMPAIGN_LOG_FORMAT") or "console")
    sys.excepthook = _log_failure
    keep_out_of_swap()
    told = json.loads(sys.stdin.buffer.read())
    app = Flask("vault")
    database.connect(app, told["database"])
    with app.app_context():
        try:
            rest = getattr(tasks, told["task"])(**told["arguments"])
        except CampaignError as error:
            _say({"error": type(error).__name__, "message": str(error)})
            return
        _say(rest.answer)
        sys.exit(rest.carry_on(sys.stdout.buffer))


def _log_failure(*failure: Any) -> None:
    """Log the type of an exception and where it happened: its message may hold personal data."""
    log.error("key process failed", exc_info=failure)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
