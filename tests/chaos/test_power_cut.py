"""Power cuts under load: every successful response is stored, and no email is lost."""

import csv
import http.client
import io
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, select, text

from campaign.config.settings import Settings
from campaign.crypto.secret_key import server_key
from campaign.crypto.tokens import token_for
from campaign.mail.worker import BATCH
from campaign.models import Signature
from tests.live_server import Site, ready_site
from tests.smtp_sink import sink

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.chaos

ROUNDS = 20
CLIENTS = 16
WORKERS = 2
SECONDS = (0.3, 1.5)


class World:
    """A campaign under load, and the responses it has given so far."""

    def __init__(self, site: Site, database_url: str, taken: Path) -> None:
        self.site = site
        self.taken = taken
        self.engine: Engine = create_engine(database_url or f"sqlite:///{site.instance}/campaign.sqlite3")
        self.signed = set[str]()
        self.confirmed = set[UUID]()
        self.refused: list[int] = []
        self._numbers = count()
        self._link_key = server_key(Settings.load(instance=site.instance), "links in mails")

    def sign(self) -> None:
        """Sign with a new address, and remember that it was taken."""
        email = f"ada{next(self._numbers)}@example.org"
        self.site.sign({"given_name": "Ada", "email": email, "country": "GB"})
        self.signed.add(email)

    def confirm(self) -> None:
        """Confirm somebody's signature, and remember that it was taken."""
        with self.engine.connect() as connection:
            waits = select(Signature.id).where(Signature.confirmed_at.is_(None)).order_by(Signature.id.desc()).limit(1)
            signature_id = connection.scalar(waits)
        if signature_id is None:
            return
        with urlopen(f"{self.site.url}/confirm/{token_for(self._link_key, signature_id)}", b"", timeout=20) as response:
            assert "/receipt/" in response.url
        self.confirmed.add(signature_id)

    def round(self) -> None:
        """Serve and send under load; then kill the server and the mail worker at moments of chance."""
        server = self.site.start()
        worker = self.site.command("mail", "work", own_group=True)
        clients = [threading.Thread(target=self._until_it_fails, args=(self.sign,)) for _ in range(CLIENTS)]
        clients.append(threading.Thread(target=self._until_it_fails, args=(self.confirm,)))
        for client in clients:
            client.start()
        for process in random.sample([server, worker], 2):
            threading.Event().wait(random.uniform(*SECONDS))
            kill(process)
        for client in clients:
            client.join()

    def _until_it_fails(self, act: Callable[[], None]) -> None:
        """Act again and again until the server is gone."""
        with suppress(URLError, ConnectionError, http.client.HTTPException, TimeoutError):
            try:
                while True:
                    act()
            except HTTPError as error:
                self.refused.append(error.code)
                raise

    def send_the_rest(self) -> None:
        """Send the rest of the outbox. Messages claimed by a killed worker are due again after a pause, now past."""
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE outbox SET due_at = created_at"))
        self.site.flask("mail", "work", "--once")


def kill(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture
def world(database_url, tmp_path) -> Iterator[World]:
    with sink(tmp_path / "taken") as port:
        site = ready_site(
            tmp_path,
            CAMPAIGN_DATABASE_URL=database_url,
            CAMPAIGN_MAIL_URL=f"smtp://127.0.0.1:{port}",
            CAMPAIGN_MAIL_WORKER="external",
            CAMPAIGN_SIGN_LIMIT="",
            CAMPAIGN_WORKERS=str(WORKERS),
            CAMPAIGN_DOMAIN_LIMIT="0",
        )
        world = World(site, database_url, tmp_path / "taken")
        yield world
        world.engine.dispose()


def exported(site: Site) -> dict[str, dict[str, str]]:
    printed = site.flask("signatures", "export", "--include-unconfirmed", "--key-file", str(site.key_file))
    return {row["email"]: row for row in csv.DictReader(io.StringIO(printed, newline=""))}


@pytest.mark.timeout(900)
def test_what_was_answered_survives_kills_of_server_and_mail_worker(world):
    for _ in range(ROUNDS):
        world.round()
    assert world.refused == []
    assert len(world.signed) > ROUNDS * CLIENTS
    rows = exported(world.site)
    assert world.signed <= rows.keys()
    assert world.confirmed <= {UUID(row["id"]) for row in rows.values() if row["confirmed_at"]}
    assert "FAIL" not in world.site.flask("signatures", "check")
    world.send_the_rest()
    arrived = Counter(world.taken.read_text().split())
    needless = {email for email, row in rows.items() if row["confirmed_at"]}  # confirmed before the email was sent
    assert world.signed <= arrived.keys() | needless
    assert sum(times - 1 for times in arrived.values()) <= ROUNDS * BATCH  # what a killed worker had not noted as sent
    assert "waiting: 0" in world.site.flask("mail", "status")
