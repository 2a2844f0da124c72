"""Measures how fast one worker empties the outbox into a local mail server:  python -m benchmarks.drain [MAILS]."""

import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert, select

from benchmarks.databases import databases
from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.context import context_of
from campaign.core.database import db, transaction
from campaign.mail import outbox
from campaign.mail.queue_status import queue_status
from campaign.models import OutboxMessage, Signature
from tests.live_server import Site, ready_site
from tests.smtp_sink import sink

MAILS = 10_000


def main(mails: int) -> None:
    """Print how long it takes on each database."""
    for backend, url in databases():
        with tempfile.TemporaryDirectory() as name, sink(taken := (folder := Path(name)) / "taken") as port:
            mail_url = f"smtp://127.0.0.1:{port}?from=hello@example.org"
            site = ready_site(folder, CAMPAIGN_DATABASE_URL=url, CAMPAIGN_MAIL_URL=mail_url)
            fill(site, url, mails)
            began = time.perf_counter()
            site.flask("mail", "work", "--once")
            seconds = time.perf_counter() - began
            arrived = len(set(taken.read_text().split()))
            print(f"{backend:<12}{arrived:,} mails in {seconds:.1f} s: {arrived / seconds:.0f} a second", flush=True)


def fill(site: Site, url: str, mails: int) -> None:
    """Queue `mails` confirmations in the outbox."""
    site.flask("signatures", "seed", str(mails))
    app = create_app(Settings.load(instance=site.instance, database_url=url))
    with app.app_context():
        key = context_of(app).keys.outbox
        ids = db.session.scalars(select(Signature.id)).all()
        with transaction(db.session):
            db.session.execute(insert(OutboxMessage), [row(key, number, of) for number, of in enumerate(ids)])
        assert queue_status(db.session).waiting == mails
        db.engine.dispose()


def row(key: bytes, number: int, signature_id: UUID) -> dict[str, object]:
    """Return a message of the outbox."""
    letter = outbox.Recipient(f"ada{number}@example{number % 100}.org", "en")
    return asdict(outbox.new_message(key, letter)) | {"kind": "confirmation", "signature_id": signature_id}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MAILS)
