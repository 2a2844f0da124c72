"""What all tests share: an application on a real, migrated database, its personas, and which groups are left out."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from redis import Redis

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.context import context_of
from campaign.core.atomic_files import make_private_dir
from campaign.core.database import db
from campaign.core.migrations import migrate
from campaign.crypto.campaign_keys import ensure_campaign_key
from campaign.crypto.secret_key import record_fingerprint
from campaign.web import static_files
from tests import services
from tests.deploy.cluster_files import why_no_cluster_programs
from tests.live_server import Site
from tests.personas import Persona
from tests.postgresql_pool import DatabasePool, database_on, execute, new_database
from tests.sentry_server import SentryServer, sentry_server

if TYPE_CHECKING:
    from flask.testing import FlaskClient

# A shell lets what it starts in the background ignore Ctrl-C, and so would the programs that tests stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The environment of the person who runs the tests must not affect their results.
for name in [name for name in os.environ if name.startswith(("CAMPAIGN_", "DATABASE_URL", "REDIS_URL", "PORT"))]:
    del os.environ[name]

_GROUPS = {
    "PostgreSQL": services.why_no_postgresql,
    "Redis": services.why_no_redis,
    "browser": services.why_no_chromium,
    "Chromium by WebDriver": services.why_no_chromedriver,
    "Firefox": services.why_no_firefox,
    "WebKit": services.why_no_webkit,
    "layout": services.why_no_fonts,
    "ffmpeg": services.why_no_ffmpeg,
    "LibreOffice": services.why_no_libreoffice,
    "SpamAssassin": services.why_no_spamassassin,
    "markup": services.why_no_nu_checker,
    "high availability": why_no_cluster_programs,
    "preview": services.why_no_preview_clients,
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the groups of tests that were left out on this machine, with the reasons."""
    for group, why_not in _GROUPS.items():
        if reason := why_not():
            terminalreporter.write_line(f"LEFT OUT: {group} tests ({reason})", yellow=True)


class Campaign:
    """A campaign that is ready to be signed: its application, its recovery key, its instance folder."""

    def __init__(self, app: Flask, recovery_key: str, settings: Settings) -> None:
        self.app = app
        self.recovery_key = recovery_key
        self.settings = settings
        self.client: FlaskClient = app.test_client()

    def command(self, *arguments: str, **options: object):
        """Run a `flask` command and return its result."""
        return self.app.test_cli_runner().invoke(args=arguments, **options)

    def send_mail(self) -> None:
        """Run the mail worker until no due message is left."""
        result = self.command("mail", "work", "--once")
        assert result.exit_code == 0, result.output

    def count(self) -> int:
        """Return the public count."""
        return self.client.get("/count.json").json["count"]

    def persona(self, given_name: str, **fields: str) -> Persona:
        """Return somebody who signs here."""
        return Persona(self, given_name, fields)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server of this test process."""
    if reason := services.why_no_postgresql():
        pytest.skip(reason)
    with services.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def redis_of_this_process() -> Iterator[str]:
    """A Redis server of this test process."""
    if reason := services.why_no_redis():
        pytest.skip(reason)
    with services.redis() as url:
        yield url


@pytest.fixture
def redis_server(redis_of_this_process: str) -> str:
    """A Redis server with nothing in it."""
    with Redis.from_url(redis_of_this_process) as client:
        client.flushall()
    return redis_of_this_process


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> "Ready":
    """Databases that were migrated and given keys once, for each test to copy."""
    return Ready(tmp_path_factory.mktemp("ready"), request)


class Ready:
    """Makes a fresh, ready database by copying one that was made ready before: far faster than migrating each time."""

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self._folder = folder
        make_private_dir(folder / "templates")
        self.compiled_templates = FileSystemBytecodeCache(str(folder / "templates"))
        self._request = request
        self._keys: dict[str, str] = {}
        self._pool: DatabasePool | None = None

    @contextmanager
    def database(self, backend: str, instance: Path) -> Iterator[tuple[str, str]]:
        """Yield the address and recovery key of a ready database that nothing uses after the block."""
        if backend == "sqlite":
            yield self.sqlite(instance)
            return
        pool = self._pool = self._pool or DatabasePool(self._ready_postgresql(), "ready")
        url = pool.take()
        try:
            yield url, self._keys["postgresql"]
        finally:
            pool.give_back(url)

    def copy_secret(self, instance: Path) -> None:
        """Give `instance` the secret key that the databases were made ready with."""
        shutil.copy(self._folder / "secret.key", instance / "secret.key")

    def sqlite(self, instance: Path) -> tuple[str, str]:
        """Return the address and recovery key of a fresh SQLite database in `instance`."""
        template = self._folder / "campaign.sqlite3"
        if "sqlite" not in self._keys:
            self._keys["sqlite"] = _made_ready(f"sqlite:///{template}", self._folder)
        shutil.copy(template, instance / "campaign.sqlite3")
        return "", self._keys["sqlite"]

    def postgresql(self, _instance: Path) -> tuple[str, str]:
        """Return the address and recovery key of a fresh PostgreSQL database."""
        return new_database(self._ready_postgresql(), "ready"), self._keys["postgresql"]

    def site(self, folder: Path, backend: str = "sqlite", **settings: str) -> Site:
        """Return a campaign to be served, with `settings` in its environment, as `flask init` leaves it."""
        static_files.compress_files(Settings.load(instance=self._folder))  # packed once, and not by each server
        instance = folder / "instance"
        make_private_dir(instance)
        shutil.copytree(self._folder / "static", instance / "static")
        database_url, recovery_key = getattr(self, backend)(instance)
        self.copy_secret(instance)
        site = Site(folder, CAMPAIGN_DATABASE_URL=database_url, **settings)
        site.key_file.write_text(recovery_key)
        return site

    def empty_postgresql(self) -> str:
        """Return the address of a PostgreSQL database with nothing in it."""
        return new_database(self._request.getfixturevalue("postgresql_server"))

    def _ready_postgresql(self) -> str:
        """Return the address of a PostgreSQL server with the database `ready`."""
        server = self._request.getfixturevalue("postgresql_server")
        if "postgresql" not in self._keys:
            execute(server, "CREATE DATABASE ready")
            self._keys["postgresql"] = _made_ready(database_on(server, "ready"), self._folder)
        return server


@pytest.fixture
def sentry(tmp_path: Path) -> Iterator[SentryServer]:
    """A server that takes reports of errors."""
    with sentry_server(tmp_path) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The database that a test runs on: each one once on SQLite and once on PostgreSQL."""
    return request.param


@pytest.fixture
def database_url(backend: str, ready: Ready) -> str:
    """The address of a database with nothing in it, as a deployer would set it; empty for SQLite."""
    return ready.empty_postgresql() if backend == "postgresql" else ""


@pytest.fixture
def campaign(request: pytest.FixtureRequest, backend: str, ready: Ready, tmp_path: Path) -> Iterator[Campaign]:
    """A campaign. Marker `settings(name=value)` changes its settings."""
    marker = request.node.get_closest_marker("settings")
    with campaign_on(ready, backend, tmp_path, **(marker.kwargs if marker else {})) as campaign:
        yield campaign


@pytest.fixture
def ada(campaign: Campaign) -> Persona:
    """Ada signs."""
    return campaign.persona("Ada", family_name="Lovelace", email="ada@example.org")


@pytest.fixture
def mallory(campaign: Campaign) -> Persona:
    """Mallory attacks."""
    return campaign.persona("Mallory", email="mallory@example.org")


@contextmanager
def campaign_on(ready: Ready, backend: str, instance: Path, **settings: object) -> Iterator[Campaign]:
    """A campaign on `backend` with its data in `instance`."""
    with ready.database(backend, instance) as (database_url, recovery_key):
        chosen = Settings.load(**{"sign_limit": "", "instance": instance, "database_url": database_url, **settings})
        ready.copy_secret(instance)
        app = create_app(chosen)
        app.jinja_env.bytecode_cache = ready.compiled_templates
        try:
            yield Campaign(app, recovery_key, chosen)
        finally:
            dispose(app)


def _made_ready(database_url: str, instance: Path) -> str:
    """Migrate the database, give it a campaign key, and return the recovery key."""
    recovery_keys: list[str] = []
    app = create_app(Settings.load(instance=instance, database_url=database_url))
    with app.app_context():
        migrate()
        record_fingerprint(db.session, context_of(app).settings)
        ensure_campaign_key(db.session, hand_over=recovery_keys.append)
    dispose(app)
    return recovery_keys[0]


def dispose(app: Flask) -> None:
    """Close what `app` keeps open."""
    with app.app_context():
        db.engine.dispose()
