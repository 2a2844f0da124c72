"""Backups: the database at one moment, in one file that can be checked, and back from it.

A backup is a tar archive, compressed with gzip and, if wanted, encrypted with age. `manifest.json` in it describes
`database`, which is SQLite's file or what pg_dump writes in its custom format.
"""

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import pyrage
from sqlalchemy import Connection, inspect, text

from campaign.config.settings import Settings
from campaign.core.atomic_files import atomic_write
from campaign.core.database import db, iso, utcnow
from campaign.core.migrations import migrate
from campaign.crypto.age import encrypt_file, is_encrypted
from campaign.crypto.secret_key import fingerprint, require_fingerprint
from campaign.errors import CampaignError

FORMAT = 1  # of the archive
_DATABASE, _MANIFEST = "database", "manifest.json"
_BLOCK = 1024 * 1024  # bytes
_COMPRESSION = 6  # of gzip; most of a backup is ciphertext, which does not become smaller
_COUNTS = "SELECT count(*), count(confirmed_at) FROM signatures"
_VARIABLES = {  # of libpq, by the names of its parameters; a command line could be read by other users
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


class BackupError(CampaignError):
    """A backup cannot be made, read or restored."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: the kind of database, its revision, and its signatures at the moment `made_at` (UTC)."""

    format: int
    made_at: str
    kind: str
    revision: str
    secret_key_fingerprint: str
    signatures: int
    confirmed: int
    sha256: str


def back_up(settings: Settings, output: Path, *, recipient: str | None = None) -> Manifest:
    """Write a backup to `output`, readable by its owner only, while servers go on; encrypted to an age `recipient`.

    Until it is complete, it is in the instance folder: the place of the backup may not see it in plain. Raises
    `BackupError`.
    """
    with _reporting(output), TemporaryDirectory(dir=settings.instance) as name:
        folder = Path(name)
        manifest = _dump(settings, folder / _DATABASE)
        (folder / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=2))
        archive = folder / "archive"
        with gzip.open(archive, "wb", _COMPRESSION) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
            for member in (_MANIFEST, _DATABASE):
                tar.add(folder / member, member)
        with archive.open("rb") as source, atomic_write(output, replace=False) as file:
            if recipient:
                encrypt_file(source, recipient, file)
            else:
                shutil.copyfileobj(source, file)
    return manifest


def restore(settings: Settings, source: Path, *, identity: str | None = None) -> Manifest:
    """Fill the empty database that `settings` name from a backup, and migrate it; `identity` is an age secret key.

    Raises `BackupError`: when the database is not empty, the backup is damaged, or the secret key is another one.
    """
    with _reporting(source), TemporaryDirectory(dir=settings.instance) as name:
        database = Path(name) / _DATABASE
        manifest = _unpack(source, identity, database)
        if manifest.secret_key_fingerprint != (own := fingerprint(settings)):
            raise BackupError(
                f"the backup belongs to another secret key ({manifest.secret_key_fingerprint}) than this one ({own}); "
                "put the right one into place first"
            )
        kind = db.engine.dialect.name
        if manifest.kind != kind:
            raise BackupError(f"the backup is of {manifest.kind}, and CAMPAIGN_DATABASE_URL names {kind}")
        if inspect(db.engine).get_table_names():
            raise BackupError("the database is not empty; name another, since nothing is overwritten")
        if kind == "sqlite":
            _restore_sqlite(database)
        else:
            options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
            _run("pg_restore", *options, f"--dbname={_parameters().get('dbname', '')}", database)
    migrate()
    require_fingerprint(db.session, settings)
    return manifest


def _dump(settings: Settings, target: Path) -> Manifest:
    """Write the database of one moment to `target`, and return the manifest."""
    made_at = iso(utcnow())
    if db.engine.dialect.name == "sqlite":
        _dump_sqlite(target)
        with closing(sqlite3.connect(target)) as copy:
            signatures, confirmed = copy.execute(_COUNTS).fetchone()
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    else:
        with _snapshot() as (connection, snapshot):
            _run("pg_dump", "--format=custom", "--compress=0", f"--snapshot={snapshot}", f"--file={target}")
            signatures, confirmed = connection.execute(text(_COUNTS)).one()
            revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    kind, own = db.engine.dialect.name, fingerprint(settings)
    return Manifest(FORMAT, made_at, kind, revision, own, signatures, confirmed, _sha256(target))


def _dump_sqlite(target: Path) -> None:
    """Copy the database by SQLite's own way: whole, and without stopping writers."""
    target.touch(mode=0o600)
    with closing(sqlite3.connect(db.engine.url.database or "")) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _restore_sqlite(database: Path) -> None:
    path = Path(db.engine.url.database or "")
    db.session.close()
    db.engine.dispose()
    with database.open("rb") as source, atomic_write(path) as file:
        shutil.copyfileobj(source, file)
    for leftover in (f"{path}-wal", f"{path}-shm"):  # of the empty database
        Path(leftover).unlink(missing_ok=True)


@contextmanager
def _snapshot() -> Iterator[tuple[Connection, str]]:
    """Yield a connection that sees the database as it is now, and the name under which pg_dump sees the same."""
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        yield connection, str(connection.scalar(text("SELECT pg_export_snapshot()")))


def _run(program: str, *arguments: object) -> None:
    """Run a program of PostgreSQL on our database. Raises `BackupError`."""
    named = {_VARIABLES[name]: str(value) for name, value in _parameters().items() if name in _VARIABLES}
    command = [program, *map(str, arguments)]
    try:
        result = subprocess.run(command, env={**os.environ, **named}, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    except FileNotFoundError:
        raise BackupError(f"{program} is not installed; install postgresql-client") from None
    if result.returncode:
        # Only the first line, since others may quote rows
        raise BackupError(f"{program} failed: {(result.stderr.strip().splitlines() or ['no message'])[0]}")


def _parameters() -> dict[str, Any]:
    """Return the connection parameters of our database, as libpq names them."""
    _, parameters = db.engine.dialect.create_connect_args(db.engine.url)
    return dict(parameters)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(source: Path, identity: str | None, target: Path) -> Manifest:
    """Write the database of a backup to `target`, and return the manifest. Raises `BackupError` if it is damaged."""
    described: dict[str, Any] = {}
    with (
        source.open("rb") as file,
        _decrypted(file, identity, target.parent) as archive,
        gzip.open(archive) as packed,
        tarfile.open(fileobj=packed, mode="r|") as tar,
    ):
        for member in tar:
            content = tar.extractfile(member)
            if content and member.name == _MANIFEST:
                described = json.load(content)
            elif content and member.name == _DATABASE:
                target.touch(mode=0o600)
                with target.open("wb") as copy:
                    shutil.copyfileobj(content, copy)
        while packed.read(_BLOCK):  # to the end, where gzip has its checksum
            pass
    if described.get("format") != FORMAT or not target.exists():
        raise BackupError(f"{source} is not a backup that this release can read")
    if _sha256(target) != described["sha256"]:
        raise BackupError(f"{source} is damaged: its checksum is wrong")
    return Manifest(**described)


@contextmanager
def _decrypted(file: BinaryIO, identity: str | None, folder: Path) -> Iterator[BinaryIO]:
    if not is_encrypted(file):
        yield file
        return
    if identity is None:
        raise BackupError("the backup is encrypted; give the age secret key with --identity FILE")
    with (folder / "decrypted").open("w+b") as plain:
        try:
            pyrage.decrypt_io(file, plain, [pyrage.x25519.Identity.from_str(identity)])
        except (pyrage.DecryptError, pyrage.IdentityError):
            raise BackupError("this age secret key does not open the backup") from None
        plain.seek(0)
        yield plain


@contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn errors of the files within the block into a `BackupError`."""
    try:
        yield
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, KeyError, TypeError):
        raise BackupError(f"{path} is not a backup, or is damaged") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be used ({error.strerror})") from None
    except sqlite3.Error as error:
        raise BackupError(f"the database cannot be copied ({error.__class__.__name__})") from None
