"""The plug is pulled under load: what was answered with success is there, and its mail goes out."""

import csv
import io
import json
import os
import random
import signal
import sqlite3
import threading
from contextlib import closing
from itertools import count
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.site import Site, ready_site

pytestmark = pytest.mark.chaos

ROUNDS = 5
CLIENTS = 4
SECONDS = (0.3, 1.5)


@pytest.mark.timeout(600)
def test_what_was_answered_survives_a_killed_server(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPAIGN_SIGN_LIMIT", "")
    site = ready_site(tmp_path)
    numbers, answered = count(), set[str]()
    for _ in range(ROUNDS):
        server = site.start()
        clients = [threading.Thread(target=sign_until_it_fails, args=(site, numbers, answered)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        threading.Event().wait(random.uniform(*SECONDS))
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        for client in clients:
            client.join()
    assert len(answered) > ROUNDS * CLIENTS
    assert answered <= exported(site)
    assert "FAIL" not in site.flask("signatures", "check")
    assert answered <= mailed(site)


def sign_until_it_fails(site: Site, numbers: "count[int]", answered: set[str]) -> None:
    while True:
        email = f"ada{next(numbers)}@example.org"
        form = urlencode({"given_name": "Ada", "email": email, "country": "GB"}).encode()
        try:
            with urlopen(Request(f"{site.url}/sign", form, {"Accept": "application/json"})) as response:
                assert json.load(response) == {"status": "check-email"}
        except HTTPError:
            raise
        except (URLError, OSError):
            return
        answered.add(email)


def exported(site: Site) -> set[str]:
    text = site.flask("signatures", "export", "--include-unconfirmed", "--key-file", str(site.key_file))
    return {row["email"] for row in csv.DictReader(io.StringIO(text, newline=""))}


def mailed(site: Site) -> set[str]:
    """Let a worker send the rest. What a killed one had taken comes back after a pause, which is over at once here."""
    with closing(sqlite3.connect(site.instance / "campaign.sqlite3")) as database:
        database.execute("UPDATE outbox SET due_at = created_at")
        database.commit()
    site.flask("mail", "work", "--once")
    return {mail["To"] for mail in site.mails(1)}
