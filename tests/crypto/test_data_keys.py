"""Encryption of signatures: only the recovery key decrypts them."""

import base64
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey
from sqlalchemy import func, select

from campaign.core.database import db
from campaign.crypto import data_keys
from campaign.crypto.campaign_keys import make_campaign_key, parse_recovery_keys, recovery_key_text, unknown_keys
from campaign.crypto.data_keys import DataKeys, Decryptor, EncryptedPerson, Person
from campaign.crypto.padding import pad
from campaign.errors import DecryptionFailed, InvalidRecoveryKey, NoCampaignKey
from campaign.models import CampaignKey, DataKey

texts = st.text(st.characters(exclude_categories=["Cs"]))
people = st.builds(Person, texts, texts, texts, texts)
on_one_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)


@pytest.fixture
def session(campaign):
    with campaign.app.app_context():
        yield db.session


@pytest.fixture
def private_keys(campaign, session):
    return parse_recovery_keys(campaign.recovery_key)


@on_one_database
@given(person=people)
def test_any_text_comes_out_as_it_went_in(session, private_keys, person):
    identity = uuid4()
    sealed = DataKeys().encrypt(session, person, identity=identity)
    assert Decryptor(session, private_keys).decrypt(sealed, identity=identity) == person


@on_one_database
@given(data=st.data())
def test_a_flipped_bit_is_refused(session, private_keys, data):
    identity = uuid4()
    sealed = DataKeys().encrypt(session, Person("Ada", "Lovelace", "ada@example.org", ""), identity=identity)
    bit = data.draw(st.integers(0, len(sealed.blob) * 8 - 1))
    damaged = bytearray(sealed.blob)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecryptionFailed):
        Decryptor(session, private_keys).decrypt(EncryptedPerson(sealed.data_key_id, bytes(damaged)), identity=identity)


def test_a_blob_put_into_another_row_is_refused(session, private_keys):
    sealed = DataKeys().encrypt(session, Person("Ada", "", "ada@example.org", ""), identity=uuid4())
    with pytest.raises(DecryptionFailed):
        Decryptor(session, private_keys).decrypt(sealed, identity=uuid4())


def test_a_missing_data_key_is_reported(session, private_keys):
    sealed = EncryptedPerson(uuid4(), bytes(200))
    with pytest.raises(DecryptionFailed):
        Decryptor(session, private_keys).decrypt(sealed, identity=uuid4())


def encrypted_by_hand(session, monkeypatch, plaintext: bytes, identity) -> EncryptedPerson:
    monkeypatch.setattr(data_keys, "_serialize", lambda _person: pad(plaintext))
    return DataKeys().encrypt(session, Person("", "", "", ""), identity=identity)


def test_a_signature_of_the_former_release_without_a_version_can_be_decrypted(session, private_keys, monkeypatch):
    identity = uuid4()
    sealed = encrypted_by_hand(session, monkeypatch, b'["Ada","Lovelace","ada@example.org","Hi"]', identity)
    person = Person("Ada", "Lovelace", "ada@example.org", "Hi")
    assert Decryptor(session, private_keys).decrypt(sealed, identity=identity) == person


@pytest.mark.parametrize("version", [b"\x00", b"\x02", b" ", b"{", b"", b"\xff"])
def test_an_unknown_version_is_refused(session, private_keys, monkeypatch, version):
    identity = uuid4()
    fields = b'["Ada","Lovelace","ada@example.org","Hi"]' if version else b""
    sealed = encrypted_by_hand(session, monkeypatch, version + fields, identity)
    with pytest.raises(DecryptionFailed):
        Decryptor(session, private_keys).decrypt(sealed, identity=identity)


def test_the_plaintext_starts_with_its_version(session, private_keys, monkeypatch):
    plaintexts = []
    monkeypatch.setattr(data_keys, "_deserialize", lambda plaintext: plaintexts.append(plaintext) or ["", "", "", ""])
    identity = uuid4()
    sealed = DataKeys().encrypt(session, Person("Ada", "", "", ""), identity=identity)
    Decryptor(session, private_keys).decrypt(sealed, identity=identity)
    assert plaintexts == [b'\x01["Ada","","",""]'.ljust(64)]


def test_the_length_of_a_blob_reveals_little(session):
    keys = DataKeys()
    short, longer = (Person("Al", "", "al@example.org", ""), Person("Alexandra", "", "alexandra@example.org", ""))
    assert len({len(keys.encrypt(session, person, identity=uuid4()).blob) for person in (short, longer)}) == 1


@pytest.mark.parametrize(("name", "value"), [("KEY_ROWS", 2), ("KEY_SECONDS", -1)])
def test_data_keys_change_with_rows_and_with_time(session, monkeypatch, name, value):
    monkeypatch.setattr(data_keys, name, value)
    keys = DataKeys()
    used = {keys.encrypt(session, Person("", "", "", ""), identity=uuid4()).data_key_id for _ in range(3)}
    assert len(used) > 1
    assert db.session.scalar(select(func.count()).select_from(DataKey)) == len(used)


def test_without_a_campaign_key_nothing_can_be_encrypted(session):
    session.query(CampaignKey).delete()
    session.commit()
    with pytest.raises(NoCampaignKey, match="flask init"):
        DataKeys().encrypt(session, Person("", "", "", ""), identity=uuid4())


@given(st.binary(min_size=32, max_size=32))
def test_a_recovery_key_survives_being_written_down(raw):
    typed = recovery_key_text(PrivateKey(raw)).lower().replace("-", " ").replace("o", "0")
    assert [bytes(key) for key in parse_recovery_keys(typed)] == [raw]


@given(st.integers(0, 55), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_typing_error_in_a_recovery_key_is_noticed(at, letter):
    text = recovery_key_text(PrivateKey(bytes(32))).replace("-", "")
    typed = text[:at] + letter + text[at + 1 :]
    if typed != text:
        with pytest.raises(InvalidRecoveryKey):
            parse_recovery_keys(typed)


@pytest.mark.parametrize("text", ["", "hello", base64.b32encode(bytes(10)).decode(), "é" * 56, "A" * 1000])
def test_text_that_is_not_a_recovery_key_is_refused(text):
    with pytest.raises(InvalidRecoveryKey):
        parse_recovery_keys(text)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3), st.sampled_from(["", " ", "\n", "-"]))
def test_several_recovery_keys_may_follow_each_other(raws, between):
    typed = between.join(recovery_key_text(PrivateKey(raw)) for raw in raws)
    assert [bytes(key) for key in parse_recovery_keys(typed)] == raws


def test_the_recovery_key_of_another_campaign_is_known_to_be_so(session, private_keys):
    other = PrivateKey.generate()
    assert unknown_keys(session, [other, *private_keys]) == [other]


def test_a_new_campaign_key_is_used_within_a_minute(session, monkeypatch):
    keys = DataKeys()
    keys.encrypt(session, Person("", "", "", ""), identity=uuid4())
    make_campaign_key(session, hand_over=lambda _key: None)
    keys.encrypt(session, Person("", "", "", ""), identity=uuid4())
    assert _campaign_keys_in_use(session) == 1
    monkeypatch.setattr(data_keys, "CHECK_SECONDS", 0)
    keys.encrypt(session, Person("", "", "", ""), identity=uuid4())
    assert _campaign_keys_in_use(session) == 2


def test_an_expired_data_key_is_discarded(session, monkeypatch):
    keys = DataKeys()
    keys.encrypt(session, Person("", "", "", ""), identity=uuid4())
    keys.discard_expired()
    assert keys._key is not None
    keys._expires = 0.0
    keys.discard_expired()
    assert keys._key is None
    keys.encrypt(session, Person("", "", "", ""), identity=uuid4())


def _campaign_keys_in_use(session) -> int:
    return session.scalar(select(func.count(func.distinct(DataKey.campaign_key_id))))
