"""The application factory, the only module that knows every package."""

import gc
import os
import shutil
import sys

import structlog
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from campaign import cli, web
from campaign.config.paths import TEMPLATES
from campaign.config.settings import Settings, unknown_settings
from campaign.context import context_of, init_context, mail_worker, require_ready
from campaign.core import database
from campaign.core.atomic_files import make_private_dir
from campaign.core.database import ConnectionOptions
from campaign.core.error_reports import ErrorReports
from campaign.core.logging import configure_logging
from campaign.core.metrics import Metrics
from campaign.core.migrations import init_migrations
from campaign.core.process import lock_memory
from campaign.errors import ConfigError
from campaign.maintenance import start_maintenance
from campaign.web import film_player, kept_pages, last_known, request_log, static_files
from campaign.web.event_loop import EventLoopApp
from campaign.web.header_bounds import HeaderBounds


def create_app(settings: Settings | None = None, *, is_server: bool = False) -> Flask:
    """Build the campaign application. Raises `ConfigError` with the remedy when a setting is wrong.

    In a server, statements may only take a limited time; a command may need longer.
    """
    settings = settings or Settings.load()
    app = Flask("campaign", template_folder=str(TEMPLATES), static_folder=None)
    configure_logging(settings.log_format, ErrorReports(settings.sentry_dsn) if settings.sentry_dsn else None)
    _warn_of_unknown_settings()
    _create_instance_dir(settings)
    init_context(app, settings, Metrics.of_server(settings.instance) if is_server else Metrics())
    options = ConnectionOptions(settings.database_timeout if is_server else None, settings.pgbouncer == "yes")
    database.init_db(app, settings.database(), pool=settings.connection_count(), options=options)
    if is_server:
        database.count_connections(app, context_of(app).metrics.connections_in_use)
    init_migrations(app)
    web.init_app(app, settings)
    cli.register_commands(app)
    _trust_proxies(app, settings)
    app.wsgi_app = HeaderBounds(app.wsgi_app)  # type: ignore[method-assign]
    kept_pages.init_page_cache(app, settings)
    request_log.init_request_log(app, settings, is_server=is_server)
    return app


def load_for_server(settings: Settings) -> Flask:
    """Build the application for a server: it may be shared by processes, each of which then starts it.

    Raises `ConfigError` when a setting is wrong, or the database is not ready.
    """
    lock_memory()  # it holds the secret key
    film_player.require_film(settings)
    _create_instance_dir(settings)
    shutil.rmtree(settings.instance / "jobs", ignore_errors=True)  # where releases before revision 0014 kept documents
    static_files.compress_files(settings)
    app = create_app(settings, is_server=True)
    require_ready(app)
    with app.app_context():
        last_known.read_all()  # so that it is known when the database goes away
        database.db.session.close()
        database.db.engine.dispose()  # processes must not share connections
    return app


def start(app: Flask) -> EventLoopApp:
    """Start background work in this process. Returns the application for granian's event loop."""
    lock_memory()  # a lock is not inherited, and passphrases pass through
    start_maintenance(app)
    pages = kept_pages.page_cache(app)
    pages.start()
    settings = context_of(app).settings
    if settings.mail_worker == "embedded":
        mail_worker(app).start()
    # What exists now stays: looking through it again and again takes time, and writes to memory that workers share.
    gc.collect()
    gc.freeze()
    return EventLoopApp(app, pages, request_log.request_log(app), settings.threads)


def serve() -> Flask:
    """Build and start the application for a WSGI server."""
    try:
        app = load_for_server(Settings.load())
    except ConfigError as error:
        sys.exit(f"Error: {error}")
    start(app)
    return app


def _create_instance_dir(settings: Settings) -> None:
    try:
        make_private_dir(settings.instance)
    except OSError as error:
        where = f"CAMPAIGN_INSTANCE: {settings.instance}"
        raise ConfigError(f"{where} cannot be created ({error.strerror}); choose another folder") from None


def _warn_of_unknown_settings() -> None:
    for name in unknown_settings(os.environ):
        structlog.get_logger(__name__).warning("unknown setting, ignored", setting=name)


def _trust_proxies(app: Flask, settings: Settings) -> None:
    if hops := settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
