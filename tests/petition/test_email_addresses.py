"""Email addresses: validation, normalisation, and mailboxes."""

from contextlib import suppress
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import InvalidEmailAddress
from campaign.petition.email_addresses import canonical_email, email_hash, mailbox_of, normalize_email

KEY = bytes(32)

words = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)
locals_ = st.lists(words, min_size=1, max_size=3).map(".".join)
dotless = st.sampled_from(["gmail.com", "googlemail.com", "proton.me", "pm.me"])
tagged = st.sampled_from(["gmail.com", "outlook.com", "icloud.com", "fastmail.com", "yandex.ru", "mail.ru"])
labels = st.text("abcdeäéîõüčğßжшщдлبتث字", min_size=1, max_size=8)


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
def test_text_that_is_not_an_email_address_is_refused(text):
    with pytest.raises(InvalidEmailAddress):
        normalize_email(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text):
    with suppress(InvalidEmailAddress):
        assert "@" in normalize_email(text)


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
    assert email_hash(KEY, normalize_email(one)) == email_hash(KEY, normalize_email(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.org", "ada+x@example.org"),
        ("a.da@example.org", "ada@example.org"),
        ("ada@gmail.com", "ada@me.com"),
        ("+4915112345@fastmail.com", "+4915154321@fastmail.com"),
    ],
)
def test_different_mailboxes_stay_different(one, other):
    assert canonical_email(normalize_email(one)) != canonical_email(normalize_email(other))


def test_telephone_numbers_are_no_tags_of_one_mailbox():
    assert mailbox_of("+4915112345@sms.example") != mailbox_of("+4915154321@sms.example")
    assert mailbox_of("+4915112345+tag@sms.example") == mailbox_of("+4915112345@sms.example")


def test_the_hash_needs_the_key():
    assert email_hash(KEY, "ada@example.org") != email_hash(b"1" * 32, "ada@example.org")


def same_mailbox(one: str, other: str) -> bool:
    return email_hash(KEY, normalize_email(one)) == email_hash(KEY, normalize_email(other))


@given(locals_, words, st.data())
def test_case_and_space_around_never_matter(local, domain, data):
    address = f"{local}@{domain}.example"
    changed = "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in address)
    assert same_mailbox(address, f" {changed}\n")


@given(locals_, dotless, st.data())
def test_dots_never_matter_where_they_are_ignored(local, domain, data):
    plain = local.replace(".", "")
    dotted = "".join(data.draw(st.sampled_from([letter, f"{letter}."])) for letter in plain[:-1]) + plain[-1]
    assert same_mailbox(f"{plain}@{domain}", f"{dotted}@{domain}")


@given(locals_, tagged, words)
def test_tags_never_matter_where_they_are_ignored(local, domain, tag):
    assert same_mailbox(f"{local}@{domain}", f"{local}+{tag}@{domain}")


@given(locals_, labels)
def test_every_form_of_an_international_domain_is_the_same(local, label):
    composed, decomposed = (f"{local}@{normalize(form, label)}.example" for form in ("NFC", "NFD"))
    try:
        written = normalize_email(composed)
    except InvalidEmailAddress:
        return  # scripts that may not stand side by side (RFC 5893)
    in_ascii = f"{local}@{written.rpartition('@')[2].encode('idna').decode()}" if "ß" not in label else written
    assert same_mailbox(composed, decomposed)
    assert same_mailbox(composed, in_ascii)


@given(locals_, locals_, words)
def test_elsewhere_only_case_is_folded(one, other, domain):
    assert same_mailbox(f"{one}@{domain}.example", f"{other}@{domain}.example") is (one == other)


@given(locals_, dotless | tagged | words.map("{}.example".format))
def test_folding_twice_changes_nothing(local, domain):
    once = canonical_email(normalize_email(f"{local}+tag@{domain}"))
    assert canonical_email(once) == once
