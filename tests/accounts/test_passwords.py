"""How passwords are judged."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from campaign.accounts.passwords import is_weak


@pytest.fixture
def eager_threads():
    """Threads that take turns far more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("eager_threads")
def test_passwords_are_judged_by_their_own_words_while_others_are_judged():
    def is_known_word_refused(number: int) -> bool:
        word = f"zqvxkwpjyrtm{number % 4}"  # strong, except for an owner of that name
        return is_weak(word, known=(word,))

    assert not is_weak("zqvxkwpjyrtm0")
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(is_known_word_refused, range(200)))
