"""The application context: settings, keys and counters of one process."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from campaign.analytics.counters import Counters
from campaign.config.settings import Settings
from campaign.core.database import db
from campaign.core.metrics import Metrics
from campaign.core.migrations import require_current
from campaign.crypto.data_keys import DataKeys
from campaign.crypto.secret_key import require_fingerprint, server_key
from campaign.mail.worker import MailWorker
from campaign.petition.signatures import Keys, Signing
from campaign.petition.status import petition_status


@dataclass(frozen=True, slots=True)
class AppContext:
    """The settings, keys and queue for signing, the keys for other purposes (32 bytes each), counters and metrics."""

    settings: Settings
    keys: Keys
    signing: Signing
    link_key: bytes
    form_key: bytes
    visitor_key: bytes
    challenge_key: bytes
    factor_key: bytes
    activity_key: bytes
    session_key: bytes
    tallies: Counters
    metrics: Metrics


def init_context(app: Flask, settings: Settings, metrics: Metrics) -> None:
    """Derive the keys and keep them, and `metrics`, with `app`."""
    keys = Keys(
        addresses=server_key(settings, "addresses of signers"),
        outbox=server_key(settings, "letters in the outbox"),
        data=DataKeys(),
    )
    app.extensions["campaign"] = AppContext(
        settings,
        keys,
        Signing(),
        link_key=server_key(settings, "links in mails"),
        form_key=server_key(settings, "forms sent again"),
        visitor_key=server_key(settings, "visitors of a day"),
        challenge_key=server_key(settings, "challenges of the bot check"),
        factor_key=server_key(settings, "second factors of organisers"),
        activity_key=server_key(settings, "what organisers did"),
        session_key=server_key(settings, "sessions of organisers"),
        tallies=Counters(),
        metrics=metrics,
    )


def context_of(app: Flask) -> AppContext:
    """Return the state of `app`."""
    return cast("AppContext", app.extensions["campaign"])


def require_ready(app: Flask) -> None:
    """Raise `ConfigError` unless the database can be reached and used, with the secret key of this server."""
    require_current(app)
    with app.app_context():
        require_fingerprint(db.session, context_of(app).settings)


def mail_worker(app: Flask) -> MailWorker:
    """Return a mail worker for `app`."""
    of = context_of(app)
    return MailWorker(
        app,
        of.settings,
        letters=of.keys.outbox,
        links=of.link_key,
        delivered_on=lambda session: petition_status(session).delivered_on,
        gives_way=lambda: of.signing.is_busy,
        on_result=lambda result: of.metrics.emails.labels(result).inc(),
    )


def current_context() -> AppContext:
    """Return the state of the current application."""
    return context_of(current_app)
