"""Addresses: what is one, and which reach the same mailbox."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import InvalidAddress
from campaign.petition.addresses import address_hash, folded, normalised

KEY = bytes(32)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "a b@example.org",
        "ada@example..org",
        "ada@exa\x00mple.org",
        "jörg@example.org",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidAddress):
        normalised(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text):
    with suppress(InvalidAddress):
        assert "@" in normalised(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.org", "ADA@Example.ORG"),
        ("ada.lovelace@gmail.com", "adalovelace+ioc@googlemail.com"),
        ("ada@outlook.com", "ada+x@outlook.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@ya.ru", "ada@yandex.com"),
    ],
)
def test_the_same_mailbox_is_recognised(one, other):
    assert address_hash(KEY, normalised(one)) == address_hash(KEY, normalised(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.org", "ada+x@example.org"),
        ("a.da@example.org", "ada@example.org"),
        ("ada@gmail.com", "ada@me.com"),
    ],
)
def test_different_mailboxes_stay_different(one, other):
    assert folded(normalised(one)) != folded(normalised(other))


def test_the_hash_needs_the_key():
    assert address_hash(KEY, "ada@example.org") != address_hash(b"1" * 32, "ada@example.org")
