"""The process that private keys are opened in. It reads one task, says what came of it, and ends with all it knew."""

import ctypes
import json
import resource
import sys
from contextlib import suppress
from typing import Any

from flask import Flask

from campaign import db
from campaign.errors import CampaignError
from campaign.vault import tasks

_ALL_MEMORY = 3  # MCL_CURRENT | MCL_FUTURE, mlockall(2)
_DUMPABLE = 4  # PR_SET_DUMPABLE, prctl(2)


def main() -> None:
    """Carry out the task that standard input holds."""
    _keep_in_memory()
    told = json.loads(sys.stdin.buffer.read())
    app = Flask("vault")
    db.connect(app, told["database"])
    with app.app_context():
        try:
            rest = getattr(tasks, told["task"])(**told["arguments"])
        except CampaignError as error:
            _say({"error": type(error).__name__, "message": str(error)})
            return
        _say(rest.answer)
        sys.exit(rest.carry_on(sys.stdout.buffer))


def _keep_in_memory() -> None:
    """Let nothing of this process reach a swap file or a core dump, as far as the system allows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):  # elsewhere than on Linux
        libc = ctypes.CDLL(None)
        libc.prctl(_DUMPABLE, 0)
        libc.mlockall(_ALL_MEMORY)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
