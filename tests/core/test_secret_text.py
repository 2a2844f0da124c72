"""Passwords, codes and recovery keys open as they were typed, pasted, or saved by an office program."""

from unicodedata import normalize

import pytest
from nacl.public import PrivateKey
from nacl.pwhash import argon2id

from campaign.accounts import passwords
from campaign.accounts.totp import STEP_SECONDS, matching_step, new_totp_secret
from campaign.core.secret_text import compact_code, normalize_secret
from campaign.crypto.campaign_keys import parse_recovery_keys, recovery_key_text
from campaign.errors import InvalidRecoveryKey

KEY = PrivateKey(bytes(range(32)))  # the same in all test processes, which must collect the same tests
TEXT = recovery_key_text(KEY)
WORDS = "une clé naïve près du Rhône"

KEY_FILES = {
    "plain": TEXT.encode(),
    "UTF-8 with a byte-order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "UTF-16 from Notepad": TEXT.encode("utf-16"),
    "big-endian UTF-16": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "en dashes": TEXT.replace("-", "–").encode(),
    "en dashes in Windows-1252": TEXT.replace("-", "–").encode("cp1252"),
    "hyphens that do not break": TEXT.replace("-", "\u2011").encode(),
    "soft hyphens and minus signs": TEXT.replace("-", "\u00ad", 5).replace("-", "−").encode(),
    "quotes": f"“{TEXT}”\r\n".encode(),
    "quotes and UTF-16": f'"{TEXT}"\r\n'.encode("utf-16"),
    "the printed line": f"  Recovery key: {TEXT}\n".encode(),
    "full-width letters": "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in TEXT).encode(),
    "invisible characters": "\u200b".join(f"\u202a{TEXT}\u202c").encode(),
    "two keys": f"{TEXT}\n\n“{TEXT.lower()}”".encode("utf-16"),
}


@pytest.mark.parametrize("kind", KEY_FILES)
def test_a_key_file_opens_however_it_was_saved(kind, tmp_path):
    from campaign.cli.recovery_keys import recovery_keys  # noqa: PLC0415 - imports the application

    path = tmp_path / "recovery.key"
    path.write_bytes(KEY_FILES[kind])
    assert {bytes(key) for key in recovery_keys(path)} == {bytes(KEY)}


@pytest.mark.parametrize("wrong", ["", "\ufeff", TEXT[:-1], TEXT.replace(TEXT[0], "А", 1), "recovery key", "½" * 56])
def test_another_text_is_no_recovery_key(wrong):
    with pytest.raises(InvalidRecoveryKey):
        parse_recovery_keys(wrong)


@pytest.mark.parametrize("chosen", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
def test_a_password_opens_composed_and_decomposed(chosen, typed):
    kept = passwords.hash_password(normalize(chosen, WORDS))
    assert passwords.verify(normalize(typed, WORDS), kept)
    assert passwords.verify(f"\u200b{normalize(typed, WORDS)} ", kept)
    assert not passwords.verify(WORDS.replace("é", "e"), kept)


@pytest.mark.parametrize(
    "chosen", [normalize("NFC", WORDS), normalize("NFD", WORDS), f" {WORDS}", "ﬁve quiet lanterns"]
)
def test_a_hash_that_an_earlier_version_made_of_unnormalised_text_still_opens(chosen):
    kept = argon2id.str(chosen.encode(), opslimit=1, memlimit=argon2id.MEMLIMIT_MIN).decode()
    assert passwords.verify(chosen, kept)
    assert not passwords.verify(f"{chosen}x", kept)


def test_the_same_password_typed_the_other_way_opens_an_old_hash():
    kept = argon2id.str(normalize("NFD", WORDS).encode(), opslimit=1, memlimit=argon2id.MEMLIMIT_MIN).decode()
    assert passwords.verify(normalize("NFC", WORDS), kept)


def test_an_ascii_password_is_compared_once():
    from campaign.core.secret_text import spelling_variants  # noqa: PLC0415 - the one test of it

    assert spelling_variants("seven quiet lanterns") == ["seven quiet lanterns"]


DIGITS = ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９", "०१२३४५६७८९", "0123456789"]


@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize("around", ["{}", " {} ", "\u200e{}\u200b", "“{}”"])
def test_the_digits_of_any_script_are_a_code(digits, around):
    import pyotp  # noqa: PLC0415 - the app of this test

    secret = new_totp_secret()
    code = pyotp.TOTP(secret, interval=STEP_SECONDS).now()
    typed = around.format(f"{code[:3]}\u00a0{code[3:]}".translate(str.maketrans("0123456789", digits)))
    assert matching_step(secret, typed) is not None
    assert matching_step(secret, f"{typed}1") is None


def test_a_recovery_code_is_compared_without_what_was_copied_along():
    assert compact_code("\ufeff“ABCD–efgh‑2345”.\u200b") == "abcdefgh2345"


def test_normalising_leaves_space_within_a_secret():
    assert normalize_secret("\u2003seven  quiet\u00a0lanterns\r\n") == "seven  quiet lanterns"
