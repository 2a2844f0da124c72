"""Migrations: from nothing and from every earlier revision, on both databases, with people's data in the tables."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from nacl.public import PrivateKey
from nacl.secret import Aead
from sqlalchemy import insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.context import context_of, mail_worker
from campaign.core.database import Base, db, new_id, utcnow
from campaign.core.migrations import alembic, is_current, migrate
from campaign.crypto.data_keys import Decryptor, EncryptedPerson, Person
from campaign.exports.integrity import findings
from campaign.models import CampaignKey, OutboxMessage, Signature
from campaign.petition.signatures import Signer, confirm, erase, new_row
from campaign.petition.totals import confirmed
from tests.conftest import dispose

MARIA = Person("Мария ليلى", "O'Hara", "maria@example.org", "За тех, кто остаётся.")
EARLIER = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")


@pytest.fixture
def app(database_url, tmp_path) -> Iterator[Flask]:
    """A campaign whose database is empty."""
    app = create_app(Settings.load(instance=tmp_path, database_url=database_url))
    with app.app_context():
        yield app
    dispose(app)


class Past:
    """A campaign as it stood at an earlier revision: Maria has confirmed, and a letter to her waits.

    Ada came by her link and has not confirmed.
    """

    def __init__(self, app: Flask) -> None:
        private_key = PrivateKey.generate()
        self.private_keys = [private_key]
        key = {"id": new_id(), "public_key": bytes(private_key.public_key), "created_at": utcnow()}
        self._store(CampaignKey, key)
        db.session.commit()
        self.signature_id = new_id()
        self._keys = context_of(app).keys
        self._store(Signature, self._signature())
        self.ada_id = self.store_submission("ada@example.org")
        self._store(OutboxMessage, self._letter(new_id()))
        if "kind" in self._columns(OutboxMessage):
            self._store(OutboxMessage, self._letter(new_id()) | {"kind": "blank"})
        db.session.commit()

    def store_submission(self, email: str) -> UUID:
        """Store a pending submission by Maria's link."""
        signer = Signer(Person("Ada", "", email, ""), country="GB", language="en", updates=False, show_name=False)
        identity = new_id()
        row = new_row(db.session, self._keys, signer, identity=identity, signed_at=utcnow())
        self._store(Signature, row | {"referred_by": self.signature_id})
        db.session.commit()
        return identity

    def _signature(self) -> dict[str, object]:
        signer = Signer(MARIA, country="RU", language="en", updates=True, show_name=True)
        row = new_row(db.session, self._keys, signer, identity=self.signature_id, signed_at=utcnow())
        return row | {"confirmed_at": utcnow()}

    def _letter(self, identity: UUID) -> dict[str, object]:
        """A letter with all that any revision has put into it."""
        packed = {"kind": "already_signed", "to": MARIA.email, "language": "en", "token": "x" * 43}
        sealed = bytes(Aead(self._keys.outbox).encrypt(json.dumps(packed).encode(), aad=identity.bytes))
        row = {"id": identity, "signature_id": self.signature_id, "sealed": sealed, "kind": "already_signed"}
        return row | {"created_at": utcnow(), "due_at": utcnow(), "attempts": 0}

    def _columns(self, table: type[Base]) -> set[str]:
        return {column["name"] for column in inspect(db.session.connection()).get_columns(table.__tablename__)}

    def _store(self, table: type[Base], row: dict[str, object]) -> None:
        """Insert what of `row` the table has at this revision."""
        columns = self._columns(table)
        known = {name: value for name, value in row.items() if name in columns}
        db.session.connection().execute(insert(Base.metadata.tables[table.__tablename__]).values(known))


def as_models_have_it() -> bool:
    return is_current() and alembic.compare_metadata() == []


def findings_that_fail() -> list[str]:
    return [finding.subject for finding in findings(db.session) if not finding.holds]


def test_from_nothing(app):
    migrate()
    assert as_models_have_it()


def test_one_address_has_many_submissions_and_one_confirmed_signature(app):
    migrate()
    past = Past(app)
    for _ in range(2):
        past.store_submission(MARIA.email)
    with pytest.raises(IntegrityError, match="address"):
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


@pytest.mark.parametrize("revision", EARLIER)
def test_from_an_earlier_revision_nothing_is_lost(app, revision):
    alembic.upgrade(revision)
    past = Past(app)
    migrate()
    assert as_models_have_it()
    row = db.session.get(Signature, past.signature_id)
    sealed = EncryptedPerson(row.data_key_id, row.sealed)
    assert Decryptor(db.session, past.private_keys).decrypt(sealed, identity=row.id) == MARIA
    assert confirmed(db.session) == 1
    assert findings_that_fail() == []
    assert mail_worker(app).drain() >= 1
    assert db.session.get(Signature, past.ada_id).referred_by == past.signature_id
    confirm(db.session, past.ada_id)
    erase(db.session, past.signature_id)
    assert (confirmed(db.session), findings_that_fail()) == (1, [])  # the triggers work


@pytest.mark.parametrize("revision", [*reversed(EARLIER), "base"])
def test_back_and_forth(app, revision):
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
