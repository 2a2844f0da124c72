"""Migrations: from nothing and from every earlier revision, on both databases, with people's data in the tables."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe
from threading import Event
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from nacl.public import PrivateKey, SealedBox
from nacl.secret import Aead
from nacl.utils import random
from sqlalchemy import insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.context import context_of, mail_worker
from campaign.core import migrations
from campaign.core.database import Base, db, new_id, utcnow
from campaign.core.migrations import alembic, is_current, migrate, only_one, require_current
from campaign.crypto.data_keys import Decryptor, EncryptedPerson, Person
from campaign.crypto.padding import pad
from campaign.errors import ConfigError
from campaign.exports.integrity import findings
from campaign.models import CampaignKey, DataKey, OutboxMessage, Signature
from campaign.petition.email_addresses import email_hash
from campaign.petition.signatures import confirm, erase
from campaign.petition.totals import confirmed
from tests.conftest import dispose

MARIA = Person("Мария ليلى", "O'Hara", "maria@example.org", "За тех, кто остаётся.")
EARLIER = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012", "0013")


@pytest.fixture
def app(database_url, tmp_path) -> Iterator[Flask]:
    """A campaign whose database is empty."""
    app = create_app(Settings.load(instance=tmp_path, database_url=database_url))
    with app.app_context():
        yield app
    dispose(app)


# Names in the database before revision 0011, by the present ones
FORMER = {
    "data_keys": {"encrypted_key": "sealed"},
    "outbox": {"encrypted_message": "sealed", "reply_code": "refusal"},
    "signatures": {
        "email_hash": "address_hash",
        "encrypted_person": "sealed",
        "display_name": "shown_name",
        "referral_code": "code",
    },
}


class Past:
    """A campaign at an earlier revision: Maria has confirmed, and a message to her waits.

    Ada has signed with Maria's link and has not confirmed. Persons are encrypted as the first release did it, without a
    version.
    """

    def __init__(self, app: Flask) -> None:
        private_key = PrivateKey.generate()
        self.private_keys = [private_key]
        self._keys = context_of(app).keys
        self._data_key, self._data_key_id, campaign_key_id = random(Aead.KEY_SIZE), new_id(), new_id()
        public_key = private_key.public_key
        self._store(CampaignKey, {"id": campaign_key_id, "public_key": bytes(public_key), "created_at": utcnow()})
        encrypted_key = SealedBox(public_key).encrypt(self._data_key)
        data_key = {"id": self._data_key_id, "campaign_key_id": campaign_key_id, "encrypted_key": encrypted_key}
        self._store(DataKey, data_key | {"created_at": utcnow()})
        self.signature_id = new_id()
        self._store(Signature, self._signature(self.signature_id, MARIA) | {"confirmed_at": utcnow()})
        self.ada_id = self.store_submission("ada@example.org")
        self._store(OutboxMessage, self._message(new_id()))
        if "kind" in self._columns("outbox"):
            self._store(OutboxMessage, self._message(new_id()) | {"kind": "blank"})
        db.session.commit()

    def store_submission(self, email: str) -> UUID:
        """Store a pending submission with Maria's link."""
        identity = new_id()
        row = self._signature(identity, Person("Ada", "", email, ""))
        self._store(Signature, row | {"referred_by": self.signature_id})
        db.session.commit()
        return identity

    def _signature(self, identity: UUID, person: Person) -> dict[str, object]:
        fields = json.dumps([person.given_name, person.family_name, person.email, person.message]).encode()
        return {
            "id": identity,
            "email_hash": email_hash(self._keys.addresses, person.email),
            "mailbox_hash": email_hash(self._keys.addresses, person.email),
            "data_key_id": self._data_key_id,
            "encrypted_person": bytes(Aead(self._data_key).encrypt(pad(fields), aad=identity.bytes)),
            "country": "RU",
            "language": "en",
            "updates": True,
            "display_name": person.given_name,
            "referral_code": token_urlsafe(8),
            "consent_version": "2013-11a",
            "signed_at": utcnow(),
            "synthetic": False,
        }

    def _message(self, identity: UUID) -> dict[str, object]:
        """A message with all fields that any revision has had."""
        packed = {"kind": "already_signed", "to": MARIA.email, "language": "en", "token": "x" * 43}
        encrypted = bytes(Aead(self._keys.outbox).encrypt(json.dumps(packed).encode(), aad=identity.bytes))
        row = {"id": identity, "signature_id": self.signature_id, "encrypted_message": encrypted}
        return row | {"kind": "already_signed", "created_at": utcnow(), "due_at": utcnow(), "attempts": 0}

    def _columns(self, table: str) -> set[str]:
        return {column["name"] for column in inspect(db.session.connection()).get_columns(table)}

    def _store(self, model: type[Base], row: dict[str, object]) -> None:
        """Insert the columns of `row` that the table has at this revision, under their names of then."""
        name, types = model.__tablename__, Base.metadata.tables[model.__tablename__].c
        columns, values = [], {}
        for column, value in row.items():
            for known in {column, FORMER.get(name, {}).get(column, column)} & self._columns(name):
                columns.append(sa.column(known, types[column].type))
                values[known] = value
        db.session.connection().execute(insert(sa.table(name, *columns)).values(values))


def as_models_have_it() -> bool:
    return is_current() and alembic.compare_metadata() == []


def findings_that_fail() -> list[str]:
    return [finding.subject for finding in findings(db.session) if not finding.holds]


def test_an_empty_database_is_migrated(app):
    migrate()
    assert as_models_have_it()


def test_one_address_has_many_submissions_and_one_confirmed_signature(app):
    migrate()
    past = Past(app)
    for _ in range(2):
        past.store_submission(MARIA.email)
    with pytest.raises(IntegrityError, match=r"uq_signatures_confirmed_email|email_hash"):
        db.session.execute(update(Signature).values(confirmed_at=utcnow()))


def test_back_to_one_row_for_each_address_the_confirmed_or_newest_stays(app):
    migrate()
    past = Past(app)
    past.store_submission(MARIA.email)
    newest = past.store_submission("ada@example.org")
    alembic.downgrade("0005")
    migrate()
    assert set(db.session.scalars(select(Signature.id))) == {past.signature_id, newest}
    assert db.session.get(Signature, newest).referred_by == past.signature_id


@pytest.mark.slow
@pytest.mark.parametrize("revision", EARLIER)
def test_from_an_earlier_revision_nothing_is_lost(app, revision):
    alembic.upgrade(revision)
    past = Past(app)
    migrate()
    assert as_models_have_it()
    row = db.session.get(Signature, past.signature_id)
    sealed = EncryptedPerson(row.data_key_id, row.encrypted_person)
    assert Decryptor(db.session, past.private_keys).decrypt(sealed, identity=row.id) == MARIA
    assert confirmed(db.session) == 1
    assert findings_that_fail() == []
    assert mail_worker(app).drain() >= 1
    assert db.session.get(Signature, past.ada_id).referred_by == past.signature_id
    confirm(db.session, past.ada_id)
    erase(db.session, past.signature_id)
    assert (confirmed(db.session), findings_that_fail()) == (1, [])  # the triggers work


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("revision", [*reversed(EARLIER), "base"])
def test_downgrading_and_upgrading_again_works(app, revision):
    migrate()
    past = Past(app)
    alembic.downgrade(revision)
    migrate()
    assert as_models_have_it()
    assert (db.session.get(Signature, past.signature_id) is None) is (revision == "base")
    kinds = db.session.scalars(select(OutboxMessage.kind)).all()
    assert ("blank" in kinds) is (revision not in ("0001", "base"))  # before that, nobody knew not to send it


def test_every_earlier_revision_is_tried(app):
    known = [script.revision for script in alembic.log()]
    assert sorted(known)[:-1] == list(EARLIER)


def is_of_revision(revision: str, *, compatible_from: str) -> None:
    """Make the database look like that of a newer release."""
    now_compatible = f"UPDATE installation SET value = '{compatible_from}' WHERE name = 'compatible from'"
    for statement in (f"UPDATE alembic_version SET version_num = '{revision}'", now_compatible):
        db.session.execute(sa.text(statement))
    db.session.commit()


def test_code_goes_on_with_a_newer_database_that_allows_it(app):
    migrate()
    newest = max(script.revision for script in alembic.log())
    is_of_revision("9999", compatible_from=newest)
    assert is_current()
    require_current(app)
    migrate()  # changes nothing
    assert is_current()


def test_code_refuses_a_newer_database_that_it_does_not_fit(app):
    migrate()
    is_of_revision("9999", compatible_from="9998")
    assert not is_current()
    for act in (migrate, lambda: require_current(app)):
        with pytest.raises(ConfigError, match="the database belongs to a newer release"):
            act()


def test_an_older_database_needs_to_be_made_ready(app):
    alembic.upgrade("0012")
    assert not is_current()
    with pytest.raises(ConfigError, match="run 'flask init'"):
        require_current(app)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_migration_waits_for_nobody_while_others_wait_for_it(app, monkeypatch):
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.3)
    alembic.upgrade("0011")
    reading = "SELECT count(*) FROM outbox"
    with ThreadPoolExecutor(1) as pool:
        with db.engine.connect() as export, export.begin():
            export.execute(sa.text("LOCK TABLE outbox IN ROW EXCLUSIVE MODE"))

            def run() -> None:
                with app.app_context():
                    migrate()

            migrating = pool.submit(run)
            for _ in range(10):
                began = time.monotonic()
                with db.engine.begin() as reader:
                    reader.execute(sa.text(reading))
                    reader.execute(sa.text("DELETE FROM outbox"))
                assert time.monotonic() - began < 0.5
                assert not migrating.done()
                Event().wait(0.1)
        migrating.result(timeout=20)
    assert is_current()


@pytest.fixture
def impatient_role(app) -> None:
    """Time limits that every session begins with, as behind PgBouncer, where the application cannot set its own."""
    with db.engine.begin() as connection:
        for name in ("statement_timeout", "lock_timeout"):
            connection.exec_driver_sql(f"ALTER DATABASE {db.engine.url.database} SET {name} = '300ms'")
    db.engine.dispose()


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.usefixtures("impatient_role")
def test_limits_of_the_role_do_not_end_the_wait_for_another_init(app):
    def wait_for_turn() -> None:
        with app.app_context(), only_one():
            pass

    with ThreadPoolExecutor(1) as pool:
        with only_one():
            waiting = pool.submit(wait_for_turn)
            Event().wait(1)
            assert not waiting.done()
        waiting.result(timeout=20)


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.usefixtures("impatient_role")
def test_limits_of_the_role_do_not_end_a_migration(app):
    alembic.upgrade("0011")

    def run() -> None:
        with app.app_context():
            migrate()

    with ThreadPoolExecutor(1) as pool:
        with db.engine.connect() as export, export.begin():
            export.execute(sa.text("LOCK TABLE outbox IN ROW EXCLUSIVE MODE"))
            migrating = pool.submit(run)
            Event().wait(1)
            assert not migrating.done()
        migrating.result(timeout=20)
    assert is_current()
