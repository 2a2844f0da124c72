"""Text from outside: invisible characters go, joiners that a script needs stay, a refusal names the character."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import campaign
from campaign.core.text import clean
from campaign.errors import TextTooLong, UnusableCharacter

CODE = Path(campaign.__file__).parent


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("\u202aAda\u202c", "Ada"),
        ("\u2068Ada\u2069", "Ada"),
        ("\ufeffAda\u200b", "Ada"),
        ("A\u00adda\u2060", "Ada"),
        ("\u00a0Ada\u00a0\u3000Lovelace\t", "Ada Lovelace"),
        ("A\u200dda\u200c", "Ada"),
        ("Ada\u3164", "Ada"),
        ("Ada\U000e0041\U000e007f", "Ada"),
        ("Ada\ufffc", "Ada"),
        ("Zoe\u0308", "Zoë"),
        ("می\u200cخواهم\u200c", "می\u200cخواهم"),
        ("ക്\u200d", "ക്\u200d"),
        ("क\u094d\u200cष", "क\u094d\u200cष"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("👩\u200d", "👩"),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4\U000e0067\U000e007f"),
    ],
)
def test_a_line_keeps_only_visible_or_needed_characters(typed, cleaned):
    assert clean(typed, max_length=100) == cleaned


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("He said \u2067سلام\u2069.", "He said \u2067سلام\u2069."),
        ("\u2067سلام", "\u2067سلام\u2069"),
        ("a\u2069b", "ab"),
        ("\u2067a\nb\u2069", "\u2067a\u2069\nb"),
        ("a\u202eb\u202c", "ab"),
        ("a\u2028b\r\nc\rd\x0be\x85f", "a\nb\nc\nd\ne\nf"),
        ("\u200fسلام\u200f!", "\u200fسلام\u200f!"),
        ("50\u00a0€\tx", "50\u00a0€\tx"),
    ],
)
def test_lines_keep_their_ends_and_balanced_isolates(typed, cleaned):
    assert clean(typed, max_length=100, multiline=True) == cleaned


@pytest.mark.parametrize(
    ("typed", "place", "code"),
    [("Ada \u2028L", 5, "U+2028"), (" A\0", 3, "U+0000"), ("a" + "\u0301" * 31, 32, "U+0301"), ("\ud800", 1, "U+D800")],
)
def test_an_unusable_character_is_named_with_its_position(typed, place, code):
    with pytest.raises(UnusableCharacter) as refusal:
        clean(typed, max_length=100)
    assert (refusal.value.place, refusal.value.code) == (place, code)


def test_thirty_marks_are_accepted():
    assert len(clean("q" + "\u0301" * 30, max_length=100)) == 31


@pytest.mark.parametrize("text", ["a" * 101, "e\u0301" * 101, "a" * 10**6])
def test_text_that_is_too_long_is_refused(text):
    with pytest.raises(TextTooLong):
        clean(text, max_length=100)


def test_decomposed_text_is_measured_in_its_stored_form():
    assert len(clean("e\u0301" * 100, max_length=100)) == 100


@given(st.text(max_size=60), st.booleans())
def test_cleaning_twice_changes_nothing(text, multiline):
    try:
        once = clean(text, max_length=300, multiline=multiline)
    except UnusableCharacter:
        return
    assert clean(once, max_length=300, multiline=multiline) == once


# Each of these normalises or is slow on long text. A module that calls one bounds the text first.
SLOW = {"normalize": {"core/text.py", "core/secret_text.py", "crypto/key_holders.py"}}  # form fields bound secrets
SLOW |= {"idna": {"mail/messages.py", "mail/refusals.py", "sharing/mastodon.py"}}
SLOW |= {"validate_email": {"config/validators.py", "petition/email_addresses.py"}, "zxcvbn": {"accounts/passwords.py"}}
SLOW |= {
    "urlsplit": {
        *(
            "checks/configuration.py",
            "config/validators.py",
            "mail/transports.py",
            "accounts/passkeys.py",
            "sharing/mastodon.py",
        ),
        *("sharing/images/posters.py", "web/film_player.py", "web/public/embed.py", "web/redirects.py"),
    }
}


@pytest.mark.parametrize("name", SLOW)
def test_only_modules_that_bound_their_text_use_what_is_slow_on_long_text(name):
    users = set()
    for path in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom) and name in {alias.name for alias in node.names}:
                users.add(str(path.relative_to(CODE)))
    assert users <= SLOW[name]
