"""Getting a page as somebody else would: under their name, without following where it leads."""

from email.message import Message
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from campaign.sharing.preview_checker.crawlers import Answer

SECONDS = 10.0


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        """Follow nothing."""


def fetch(url: str, agent: str, most: int) -> Answer:
    """Return what `url` answers to `agent`, and at most so many bytes of it."""
    if not url.startswith(("http://", "https://")):
        return Answer(0)
    request = Request(url, headers={"User-Agent": agent, "Accept-Language": "en"})  # noqa: S310 - checked above
    try:
        with build_opener(_Stay).open(request, timeout=SECONDS) as answer:
            return _answer(answer, answer.read(most + 1), most)
    except HTTPError as error:
        with error:
            return Answer(error.code, location=error.headers.get("Location", ""))
    except (URLError, OSError, HTTPException):
        return Answer(0)


def _answer(answer: Any, body: bytes, most: int) -> Answer:
    return Answer(answer.status, answer.headers.get_content_type(), body[:most], cut=len(body) > most)
