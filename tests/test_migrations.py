"""Migrations: from nothing and from every earlier revision, on both databases, with people's data in the tables."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from nacl.public import PrivateKey
from nacl.secret import Aead
from sqlalchemy import insert, inspect, select

from campaign.app import create_app
from campaign.config import Settings
from campaign.db import Base, db, new_id, utcnow
from campaign.migrating import alembic, is_current, migrate
from campaign.models import CampaignKey, OutboxMessage, Signature
from campaign.petition.counting import findings
from campaign.petition.sealing import Opener, Person, SealedPerson
from campaign.petition.signatures import Signer, new_row
from campaign.petition.totals import confirmed
from campaign.state import mail_worker, state_of
from tests.conftest import dispose

MARIA = Person("Мария ليلى", "O'Hara", "maria@example.org", "За тех, кто остаётся.")
EARLIER = ("0001", "0002", "0003", "0004", "0005")


@pytest.fixture
def app(database_url, tmp_path) -> Iterator[Flask]:
    """A campaign whose database is empty."""
    app = create_app(Settings.load(instance=tmp_path, database_url=database_url))
    with app.app_context():
        yield app
    dispose(app)


class Past:
    """A campaign as it stood at an earlier revision: Maria has confirmed, and a letter to her waits."""

    def __init__(self, app: Flask) -> None:
        private_key = PrivateKey.generate()
        self.private_keys = [private_key]
        key = {"id": new_id(), "public_key": bytes(private_key.public_key), "created_at": utcnow()}
        self._store(CampaignKey, key)
        db.session.commit()
        self.signature_id = new_id()
        self._keys = state_of(app).keys
        self._store(Signature, self._signature())
        self._store(OutboxMessage, self._letter(new_id()))
        if "kind" in self._columns(OutboxMessage):
            self._store(OutboxMessage, self._letter(new_id()) | {"kind": "blank"})
        db.session.commit()

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


def test_from_nothing(app):
    migrate()
    assert as_models_have_it()


@pytest.mark.parametrize("revision", EARLIER)
def test_from_an_earlier_revision_nothing_is_lost(app, revision):
    alembic.upgrade(revision)
    past = Past(app)
    migrate()
    assert as_models_have_it()
    row = db.session.get(Signature, past.signature_id)
    sealed = SealedPerson(row.data_key_id, row.sealed)
    assert Opener(db.session, past.private_keys).open(sealed, identity=row.id) == MARIA
    assert confirmed(db.session) == 1
    assert [finding.subject for finding in findings(db.session) if not finding.holds] == []
    assert mail_worker(app).drain() >= 1


@pytest.mark.parametrize("revision", [*reversed(EARLIER), "base"])
def test_back_and_forth(app, revision):
    migrate()
    past = Past(app)
    alembic.downgrade(revision)
    migrate()
    assert as_models_have_it()
    assert (db.session.get(Signature, past.signature_id) is None) is (revision == "base")
    kinds = db.session.scalars(select(OutboxMessage.kind)).all()
    knows_blanks = revision in ("0002", "0003", "0004", "0005")  # before that, nobody knew not to send one
    assert ("blank" in kinds) is knows_blanks


def test_every_earlier_revision_is_tried(app):
    known = [script.revision for script in alembic.log()]
    assert sorted(known)[:-1] == list(EARLIER)
