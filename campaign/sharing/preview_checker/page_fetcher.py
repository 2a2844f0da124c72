"""Fetches a page as a crawler does, with its user agent and without following redirects."""

from email.message import Message
from http.client import HTTPException
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from campaign.sharing.preview_checker.crawlers import HttpResponse

TIMEOUT = 10.0


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        """Follow nothing."""


def fetch(url: str, agent: str, most: int) -> HttpResponse:
    """Return the response of `url` to the user agent `agent`, with a limited number of bytes."""
    if not url.startswith(("http://", "https://")):
        return HttpResponse(0)
    request = Request(url, headers={"User-Agent": agent, "Accept-Language": "en"})  # noqa: S310 - checked above
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as answer:
            body, media_type = answer.read(most + 1), answer.headers.get_content_type()
            return HttpResponse(answer.status, media_type, body[:most], cut=len(body) > most)
    except HTTPError as error:
        with error:
            return HttpResponse(error.code, location=error.headers.get("Location", ""))
    except (URLError, OSError, HTTPException):
        return HttpResponse(0)
