"""The tokens in mailed links: every bit of them counts."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.crypto.tokens import signature_id_from, token_for
from campaign.errors import UnknownLink

KEY = bytes(32)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.uuids())
def test_a_token_leads_to_its_signature(identity):
    assert signature_id_from(KEY, token_for(KEY, identity)) == identity


# The last character encodes four bits of the token and two unused ones, so it is not changed here.
@given(st.uuids(), st.integers(0, 41), st.sampled_from(ALPHABET))
def test_any_changed_character_is_noticed(identity, at, letter):
    token = token_for(KEY, identity)
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        with pytest.raises(UnknownLink):
            signature_id_from(KEY, changed)


@given(st.text())
def test_an_invalid_token_is_refused(text):
    with pytest.raises(UnknownLink):
        signature_id_from(KEY, text)


def test_another_key_makes_other_tokens():
    identity = uuid4()
    with pytest.raises(UnknownLink):
        signature_id_from(b"1" * 32, token_for(KEY, identity))
