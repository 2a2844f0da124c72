"""Detection of a proxy that the settings do not mention, and that makes all visitors look like one."""

import structlog
from flask import Flask, current_app, request

from campaign.config.settings import Settings

_HEADERS = ("X-Forwarded-For", "Forwarded")  # RFC 7239
_EXTENSION = "unknown proxy"  # in app.extensions

log = structlog.get_logger(__name__)


def init_proxy_check(app: Flask, settings: Settings) -> None:
    """Warn once, in the log, when a proxy announces itself and `CAMPAIGN_PROXIES` is 0."""
    if settings.proxies:
        return

    @app.before_request
    def look() -> None:
        if _EXTENSION not in app.extensions and any(name in request.headers for name in _HEADERS):
            app.extensions[_EXTENSION] = True
            log.warning(
                "X-Forwarded-For is present but CAMPAIGN_PROXIES is 0, so all visitors share one rate limit; "
                "set it to the number of proxies in front of this server"
            )


def is_unknown() -> bool:
    """Return whether a proxy announced itself to this process that the settings do not know."""
    return _EXTENSION in current_app.extensions
