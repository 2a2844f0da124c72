"""Background maintenance of a server: deletes expired data hourly and flushes counters every few seconds."""

from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.util import Finalize
from threading import Thread
from time import sleep

import structlog
from flask import Flask

from campaign.accounts import invitations, sessions, short_lived_tokens, throttling
from campaign.context import context_of
from campaign.core.database import db
from campaign.core.logging import error_code
from campaign.key_worker import results
from campaign.petition.cleanup import purge
from campaign.petition.totals import roll_up

CLEANUP_SECONDS = 3600.0
FLUSH_SECONDS = 5.0  # so old may the numbers be, and so much may a kill cost

log = structlog.get_logger(__name__)


def start_maintenance(app: Flask) -> None:
    """Delete expired data and flush counters periodically while this process runs, with a last flush at its end."""
    for act, seconds in ((delete_expired, CLEANUP_SECONDS), (flush_counters, FLUSH_SECONDS)):
        Thread(target=_run_periodically, args=(app, act, seconds), name=act.__name__, daemon=True).start()
    # Not atexit: Python before 3.13 does not come to it in a worker process that was forked.
    Finalize(None, _run_once, args=(app, flush_counters), exitpriority=0)


def delete_expired(app: Flask) -> None:
    """Delete expired rows, and discard an expired data key in memory."""
    context_of(app).keys.data.discard_expired()
    with app.app_context():
        erased = asdict(purge(db.session))
        for store in (invitations, sessions, short_lived_tokens, throttling, results):
            store.delete_expired(db.session)
    if any(erased.values()):
        log.info("expired data was deleted", **erased)


def flush_counters(app: Flask) -> None:
    """Write this process's counters to the database, and roll up confirmed and erased signatures."""
    with app.app_context():
        context_of(app).tallies.write(db.session)
        roll_up(db.session)


def _run_periodically(app: Flask, act: Callable[[Flask], None], seconds: float) -> None:
    while True:
        _run_once(app, act)
        sleep(seconds)


def _run_once(app: Flask, act: Callable[[Flask], None]) -> None:
    try:
        act(app)
        context_of(app).metrics.maintenance.labels(act.__name__).set_to_current_time()
    except Exception as error:  # noqa: BLE001 - whatever failed, the next time tries again
        log.warning("maintenance failed", task=act.__name__, reason=error_code(error))
