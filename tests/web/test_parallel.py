"""Every public page, asked for by many threads at the same moment, on the real server."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import cycle, islice
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.core.languages import LANGUAGES
from campaign.web.admin.access import EVERYONE

THREADS = 16
REQUESTS = [100, pytest.param(400, marks=pytest.mark.long)]  # by each thread

# Values for the parts of an address; a route with another part needs one here.
VALUES = {
    "channel": ["x", "telegram", "qr", "mastodon"],
    "ending": ["png", "avif"],
    "lang": LANGUAGES,
    "name": ["change-password"],
    "size": ["a4", "a5", "letter"],
    "token": ["unknown"],
    "variant": ["-precomposed", "-120x120"],
    "version": ["0123456789ab"],
}
# What routes answer that do not answer 200; nobody has the token "unknown".
STATUSES = {"petition.index": 302, "sharing.share": 302, "login.two_factor": 303, "browser_files.absent": 404}
QUERIES = {"embed.oembed": "?url=http%3A//127.0.0.1%3A8000/en/"}


def public_addresses(app: Flask) -> list[tuple[str, int]]:
    """Return an address of each public GET route, in each of its forms, and the status to expect."""
    routes = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and _is_public(app, rule)]
    with app.test_request_context():
        return [
            (
                url + QUERIES.get(rule.endpoint, ""),
                404 if "token" in rule.arguments else STATUSES.get(rule.endpoint, 200),
            )
            for rule in routes
            for url in _forms(app, rule)
        ]


def _is_public(app: Flask, rule: Rule) -> bool:
    needs = getattr(app.view_functions[rule.endpoint], "needs", None)
    return not rule.rule.startswith("/organise") or needs == EVERYONE


def _forms(app: Flask, rule: Rule) -> list[str]:
    """Return addresses in which each value of each part of `rule` occurs."""
    choices = {part: VALUES[part] for part in rule.arguments}
    number = max([len(choice) for choice in choices.values()], default=1)
    each = ({part: choice[index % len(choice)] for part, choice in choices.items()} for index in range(number))
    return [app.url_map.bind("127.0.0.1").build(rule.endpoint, values) for values in each]


@pytest.mark.slow
@pytest.mark.parametrize("requests", REQUESTS)
def test_parallel_requests_for_every_page_leave_the_server_whole(ready, backend, tmp_path, requests):
    addresses = public_addresses(create_app(Settings.load(instance=tmp_path / "routes")))
    with ready.site(tmp_path, backend, CAMPAIGN_PUBLIC_URL="http://127.0.0.1:8000").served() as site:
        workers = site.worker_pids()
        wrong = _ask(site.url, addresses, 0, len(addresses))  # one after the other, so that all pictures are drawn
        with ThreadPoolExecutor(THREADS) as pool:
            answers = pool.map(lambda number: _ask(site.url, addresses, number, requests), range(THREADS))
            for answer in answers:
                wrong.update(answer)
        assert wrong == {}
        assert site.worker_pids() == workers
        others = [line for line in site.log.read_text().splitlines() if "[info     ] request " not in line]
        assert len(others) == 1  # the address it serves at


def _ask(url: str, addresses: list[tuple[str, int]], start: int, number: int) -> Counter[str]:
    """Request `number` addresses from the one at `start`, and return the answers that are not as expected."""
    wrong: Counter[str] = Counter()
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        for path, expected in islice(cycle(addresses), start, start + number):
            status = _status(connection, path)
            if status != expected:
                wrong[f"{path} {status}"] += 1
    return wrong


def _status(connection: HTTPConnection, path: str) -> int | str:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except OSError as error:
        connection.close()
        return type(error).__name__
    return answer.status
