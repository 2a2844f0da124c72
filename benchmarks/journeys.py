"""Whole journeys of supporters: sign, open the emailed link, confirm, read the receipt."""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, select

from benchmarks import servers
from benchmarks.databases import databases
from benchmarks.load import FORMS, wrk
from benchmarks.report import Row, show
from campaign.config.settings import Settings
from campaign.crypto.secret_key import server_key
from campaign.crypto.tokens import token_for
from campaign.models import Signature
from tests.live_server import Site

JOURNEY = Path(__file__).parent / "journey.lua"
REQUESTS = 4  # of one journey


def journeys() -> Iterator[Row]:
    """Measure on each database, with submissions of the seconds before to confirm."""
    for backend, url in databases(durable=True):
        with servers.campaign(url) as site:
            wrk(site.url, seconds=8, script=FORMS)
            tokens = site.instance / "tokens"
            tokens.write_text("".join(f"{token}\n" for token in waiting(site, url)))
            load = wrk(site.url, seconds=8, script=JOURNEY, environment={**os.environ, "TOKENS": str(tokens)})
        note = f"p50 {load.p50:.0f} ms, p99 {load.p99:.0f} ms a request, 32 connections"
        what = f"journeys (sign, open, confirm, receipt), {backend}"
        yield show(Row(what, load.per_second / REQUESTS, "/s", target="≥ 300/s", note=note))


def waiting(site: Site, url: str) -> list[str]:
    """Return the tokens of the submissions that wait for confirmation."""
    key = server_key(Settings.load(instance=site.instance), "links in mails")
    engine = create_engine(url or f"sqlite:///{site.instance}/campaign.sqlite3")
    with engine.connect() as connection:
        ids = connection.scalars(select(Signature.id).where(Signature.confirmed_at.is_(None))).all()
    engine.dispose()
    return [token_for(key, each) for each in ids]
