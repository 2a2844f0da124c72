"""Logging: structured, on standard error, and without personal data.

An exception's message can contain typed text (PostgreSQL quotes values in its errors), and so can a URL. Therefore only
the exception's type and location are logged.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType

import structlog
from structlog.typing import EventDict, Processor

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logging(log_format: str) -> None:
    """Send all logs, also those of libraries, to standard error as `console` or `json` lines."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exception_without_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(log_format)],
        )
    )
    threading.excepthook = _log_thread_failure
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("campaign").setLevel(logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs addresses of pages, and some are secret
    for name in ("alembic", "sqlalchemy"):  # Flask-Alembic gives them handlers of their own
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).setLevel(logging.WARNING)


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    """Log a failed thread like any other failure: Python would print the exception's message."""
    error = (failure.exc_type, failure.exc_value, failure.exc_traceback)
    structlog.get_logger("campaign").error(
        "thread failed", thread=failure.thread and failure.thread.name, exc_info=error
    )


def _renderer(log_format: str) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _exception_without_values(_logger: object, _method: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    exc_info = sys.exc_info() if exc_info is True else exc_info
    if isinstance(exc_info, tuple) and exc_info[0] is not None:
        event["error"] = exc_info[0].__name__
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(exc_info[2])]
    return event
