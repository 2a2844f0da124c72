"""A thief has the database, the instance folder and the environment of a stopped server, but no recovery key.

docs/security.md lists the data that a thief can read; these tests keep the list true.
"""

import re
from pathlib import Path

import pytest
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.secret import Aead
from sqlalchemy import MetaData, create_engine, select

import campaign
from campaign.config.settings import Settings
from campaign.crypto.secret_key import server_key
from campaign.petition.email_addresses import email_hash
from tests.leak_search import found_in
from tests.live_server import wait_for
from tests.smtp_sink import sink

pytestmark = pytest.mark.slow

MARIA = {
    "given_name": "Мария ليلى",
    "family_name": "O'Hara-Nguyễn",
    "email": "maria.ohara@example.org",
    "country": "RU",
    "message": "За тех, кто остаётся.",
}
SECRETS = [value for name, value in MARIA.items() if name != "country"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stolen(request, ready, tmp_path_factory):
    """A campaign that Maria signed, whose mail has left; its server was stopped."""
    folder = tmp_path_factory.mktemp("stolen")
    with sink(folder / "sink") as port:
        mail_url = f"smtp://127.0.0.1:{port}"
        with ready.site(folder, request.param, CAMPAIGN_MAIL_URL=mail_url).served() as site:
            site.sign(MARIA)
            wait_for(lambda: "waiting: 0" in site.flask("mail", "status"), "the mail")
            wait_for(lambda: traces(site.instance) == 0, "the worker's rest")
    return Thief(site)


def traces(instance: Path) -> int:
    """Return the bytes of SQLite's write-ahead log, which may contain deleted rows."""
    return sum(path.stat().st_size for path in instance.glob("*-wal"))


class Thief:
    """Has everything that lay on the server."""

    def __init__(self, site) -> None:
        self.site = site
        self.settings = Settings.load(instance=site.instance)
        engine = create_engine(site.database_url or f"sqlite:///{site.instance}/campaign.sqlite3")
        tables = MetaData()
        tables.reflect(engine)
        with engine.connect() as connection:
            self.rows = {
                name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for name, table in tables.tables.items()
            }
        engine.dispose()

    def server_keys(self) -> list[bytes]:
        """Every key that the server's secret gives, for every purpose that our code names."""
        code = "".join(path.read_text() for path in Path(campaign.__file__).parent.rglob("*.py"))
        purposes = re.findall(r'server_key\(settings, "([^"]+)"\)', code)
        calls = re.findall(r"(?<!def )\bserver_key\(", code)
        assert len(purposes) == len(calls) > 0  # a call of another form would hide a purpose from this test
        return [server_key(self.settings, purpose) for purpose in purposes]

    def blobs(self) -> list[bytes]:
        """Every value in the database that might be something sealed."""
        values = [value for rows in self.rows.values() for row in rows for value in row.values()]
        return [bytes(value) for value in values if isinstance(value, (bytes, memoryview)) and len(value) > 32]

    def names_of_rows(self) -> list[bytes]:
        """What a blob may be bound to: the id of each row, however the database writes it."""
        values = [row["id"] for rows in self.rows.values() for row in rows if "id" in row]
        return [b"", *(bytes.fromhex(str(value).replace("-", "")) for value in values)]


def test_nothing_personal_can_be_read(stolen):
    values = [str(value) for rows in stolen.rows.values() for row in rows for value in row.values()]
    assert not [secret for secret in SECRETS if secret in " ".join(values)]


def test_no_byte_on_the_disk_and_no_line_of_the_log_shows_it(stolen):
    files = [path for path in stolen.site.instance.rglob("*") if path.is_file()]
    assert found_in([*files, stolen.site.log], SECRETS) == []


def test_no_key_of_the_server_opens_anything(stolen):
    assert stolen.blobs()
    opened = [
        blob for blob in stolen.blobs() for key in stolen.server_keys() if opens(key, blob, stolen.names_of_rows())
    ]
    assert opened == []


def test_no_sent_message_remains(stolen):
    assert stolen.rows["outbox"] == []
    assert traces(stolen.site.instance) == 0


def test_the_recovery_key_would_open_it(stolen):
    [row] = stolen.rows["signatures"]
    assert len(row["encrypted_person"]) > 100
    assert MARIA["email"] in stolen.site.flask(
        "signatures", "export", "--include-unconfirmed", "--key-file", str(stolen.site.key_file)
    )


def test_the_secret_reveals_whether_a_known_address_signed(stolen):
    [row] = stolen.rows["signatures"]
    key = server_key(stolen.settings, "addresses of signers")
    assert bytes(row["email_hash"]) == email_hash(key, MARIA["email"])
    assert bytes(row["email_hash"]) != email_hash(key, "somebody.else@example.org")


def opens(key: bytes, blob: bytes, names: list[bytes]) -> bool:
    for name in names:
        try:
            Aead(key).decrypt(blob, aad=name)
        except (CryptoError, ValueError):
            continue
        return True
    try:
        return bool(SealedBox(PrivateKey(key)).decrypt(blob))
    except CryptoError:
        return False
