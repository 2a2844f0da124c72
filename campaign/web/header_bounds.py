"""Headers and addresses of requests, bounded before anything parses them.

Werkzeug parses lists such as Accept-Language in more than linear time, and sorts them. The servers in front accept
headers of hundreds of kilobytes, so each header is cut or dropped here, whatever its name. A host that cannot be one
is dropped as well: no address can be made with it, not even that of the page that would say so.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MAX_PATH = 2048  # characters
MAX_QUERY = 16 * 1024
MAX_LIST = 1000  # of Accept and its kin, and of X-Forwarded-*; browsers send about 100
MAX_COOKIES = 16 * 1024
MAX_HOST = 300  # a host name has 253 characters at most, a port five
MAX_TYPE = 256  # a boundary has 70 characters at most (RFC 2046, 5.1.1); the time to find a long one grows squarely
MAX_OTHER = 4096

_LIMITS = {"HTTP_COOKIE": MAX_COOKIES, "HTTP_HOST": MAX_HOST, "CONTENT_TYPE": MAX_TYPE}
_PROXIES_APPEND = ("HTTP_X_FORWARDED", "HTTP_FORWARDED")

_LABEL = "[A-Za-z0-9-]{1,63}"  # RFC 1035, 2.3.4
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{0,5}})?")


class HeaderBounds:
    """WSGI middleware that shortens long lists, and drops other headers that are too long, as if never sent."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Answer the request, with every header in `environ` bounded."""
        for name in [name for name in environ if name.startswith(("HTTP_", "CONTENT_TYPE"))]:
            _bounded(environ, name)
        environ["PATH_INFO"] = environ.get("PATH_INFO", "")[:MAX_PATH]
        if len(query := environ.get("QUERY_STRING", "")) > MAX_QUERY:
            environ["QUERY_STRING"] = query[:MAX_QUERY].rpartition("&")[0]
        return self.app(environ, start_response)


def _bounded(environ: "WSGIEnvironment", name: str) -> None:
    value = environ[name]
    if name.startswith("HTTP_ACCEPT"):
        if len(value) > MAX_LIST:
            environ[name] = value[:MAX_LIST].rpartition(",")[0]
    elif name.startswith(_PROXIES_APPEND):
        if len(value) > MAX_LIST:
            environ[name] = value[-MAX_LIST:].partition(",")[2]  # proxies append, so the end is the part to trust
    elif len(value) > _LIMITS.get(name, MAX_OTHER):
        del environ[name]
    if name in ("HTTP_HOST", "HTTP_X_FORWARDED_HOST"):
        hosts = environ.get(name, "").split(",")
        if not all(_HOST.fullmatch(host.strip()) for host in hosts):
            environ.pop(name, None)
