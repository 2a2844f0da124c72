"""Keeping the promises about time while the server runs: what has outlived its 30 days is erased every hour."""

from dataclasses import asdict
from threading import Thread
from time import sleep

import structlog
from flask import Flask

from campaign.db import db
from campaign.petition.erasing import purge
from campaign.state import state_of

EVERY_SECONDS = 3600.0

log = structlog.get_logger(__name__)


def keep_house(app: Flask) -> None:
    """Tidy now, and every hour for as long as this process lives."""
    Thread(target=_run, args=(app,), name="housekeeping", daemon=True).start()


def tidy(app: Flask) -> None:
    """Let go of what has outlived its time: rows, and a data key in memory."""
    state_of(app).keys.data.forget()
    with app.app_context():
        erased = asdict(purge(db.session))
    if any(erased.values()):
        log.info("outlived data was erased", **erased)


def _run(app: Flask) -> None:
    while True:
        try:
            tidy(app)
        except Exception as error:  # noqa: BLE001 - whatever failed, the next hour tries again
            log.warning("housekeeping failed", reason=type(error).__name__)
        sleep(EVERY_SECONDS)
