"""Reports of errors to Sentry, for campaigns that ask for them: the kind of error, its place in the code, and no more.

A report is made of a few known fields and not of whatever there is, since a message of an exception, a URL, a header or
a local variable can hold a supporter's data. The process that decrypts (`campaign.key_worker`) makes no reports.
"""

import sys
import traceback
from typing import TYPE_CHECKING, Any, cast

from structlog.typing import EventDict

from campaign import __version__
from campaign.core.logging import error_code

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.types import Event, Hint

_TAGS = {"page": "endpoint", "method": "method", "request": "request_id"}  # of our log, and as Sentry gets them
_KNOWN = ("event_id", "timestamp", "platform", "level", "release", "logentry", "tags", "exception")


class ErrorReports:
    """A structlog processor that reports the errors it meets, in a thread of its own."""

    def __init__(self, dsn: str) -> None:
        """Report to the project with this `dsn`. Raises `ImportError` where the package `sentry-sdk` is missing."""
        import sentry_sdk  # noqa: PLC0415 - an optional dependency

        self._client: Client = sentry_sdk.Client(
            dsn,
            release=__version__,
            server_name="",
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            send_client_reports=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            spotlight=False,
            before_send=_known_fields,
        )

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Report `event` if it is an error; returns it unchanged."""
        if event.get("level") == "error":
            self._client.capture_event(_report(event))
        return event


def _report(event: EventDict) -> "Event":
    report: Event = {
        "level": "error",
        "platform": "python",
        "logentry": {"message": str(event["event"])},
        "tags": {tag: str(event[name]) for name, tag in _TAGS.items() if event.get(name)},
    }
    exc_info = event.get("exc_info")
    error = sys.exc_info()[1] if exc_info is True else exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        report["exception"] = {"values": [{"type": error_code(error), "stacktrace": {"frames": _frames(error)}}]}
    return report


def _frames(error: BaseException) -> list[dict[str, Any]]:
    """Return where the error happened, the outermost call first."""
    return [
        {"module": frame.f_globals.get("__name__"), "function": frame.f_code.co_name, "lineno": line}
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]


def _known_fields(event: "Event", _hint: "Hint") -> "Event":
    """Leave out whatever the library adds of its own."""
    return cast("Event", {name: value for name, value in event.items() if name in _KNOWN})
