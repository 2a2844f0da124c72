"""Emails: how fast workers send them, and what pages take while many wait."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from benchmarks.databases import databases
from benchmarks.report import Row, show
from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.context import context_of
from campaign.core.database import db, transaction
from campaign.mail import outbox
from campaign.models import OutboxMessage, Signature
from tests.conftest import dispose
from tests.live_server import Site, ready_site, wait_for
from tests.smtp_sink import sink

EMAILS = 10_000
WORKERS = 2
WAITING = 300_000
REQUESTS = 50


def emails() -> Iterator[Row]:
    """Measure how fast two workers send what waits, into a mail server of this machine."""
    for backend, url in databases(durable=True):
        with tempfile.TemporaryDirectory() as name, sink(taken := (folder := Path(name)) / "taken") as port:
            mail_url = f"smtp://127.0.0.1:{port}?from=hello@example.org"
            site = ready_site(folder, CAMPAIGN_DATABASE_URL=url, CAMPAIGN_MAIL_URL=mail_url, CAMPAIGN_DOMAIN_LIMIT="0")
            _fill(site, url, EMAILS)
            workers = [site.command("mail", "work", "--once") for _ in range(WORKERS)]
            wait_for(taken.read_text, "the first email")
            began, first = time.perf_counter(), len(taken.read_text().split())
            assert [worker.wait() for worker in workers] == [0] * WORKERS
            seconds = time.perf_counter() - began
            assert len(set(taken.read_text().split())) == EMAILS
        note = f"{EMAILS:,} in {seconds:.1f} s from the first to the last"
        per_second = (EMAILS - first) / seconds
        yield show(Row(f"emails sent by two workers, {backend}", per_second, "/s", target="≥ 1,000/s", note=note))


def waiting() -> Iterator[Row]:
    """Measure pages that ask about the outbox, empty and with many messages."""
    for backend, url in databases():
        with tempfile.TemporaryDirectory() as name:
            site = ready_site(Path(name), CAMPAIGN_DATABASE_URL=url)
            app = create_app(Settings.load(instance=site.instance, database_url=url))
            empty = {path: _milliseconds(app.test_client(), path) for path in ("/en/thanks", "/readyz")}
            _fill(site, url, WAITING)
            for path, before in empty.items():
                now = _milliseconds(app.test_client(), path)
                what = f"GET {path}, {WAITING:,} emails wait, {backend}"
                yield show(Row(what, now, "ms", before, target="flat", note="rendered anew each time"))
            dispose(app)


def _milliseconds(client: FlaskClient, path: str) -> float:
    """Return what `path` takes: the median of some requests."""
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        assert client.get(path).status_code == 200
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _fill(site: Site, url: str, number: int) -> None:
    """Queue as many confirmations."""
    site.flask("signatures", "seed", str(min(number, EMAILS)))
    app = create_app(Settings.load(instance=site.instance, database_url=url))
    with app.app_context():
        ids = db.session.scalars(select(Signature.id)).all()
        for first in range(0, number, EMAILS):
            rows = [_row(app, first + place, ids[place]) for place in range(EMAILS)]
            with transaction(db.session):
                db.session.execute(insert(OutboxMessage), rows)
    dispose(app)


def _row(app: Flask, number: int, signature_id: UUID) -> dict[str, object]:
    recipient = outbox.Recipient(f"ada{number}@example{number % 100}.org", "en")
    message = outbox.new_message(context_of(app).keys.outbox, recipient)
    return asdict(message) | {"kind": "confirmation", "signature_id": signature_id}
