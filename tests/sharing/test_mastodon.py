"""Instances of Mastodon, as people write them."""

import pytest

from campaign.errors import InvalidInstance
from campaign.sharing.mastodon import parse_instance


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("mastodon.social", "mastodon.social"),
        (" Mastodon.Social/ ", "mastodon.social"),
        ("https://mastodon.social/@ada", "mastodon.social"),
        ("HTTP://mastodon.social:443/explore?x=1", "mastodon.social"),
        ("@ada@chaos.example.org", "chaos.example.org"),
        ("ada@chaos.example.org", "chaos.example.org"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_an_instance_is_found_in_what_people_type(typed, host):
    assert parse_instance(typed) == host


@pytest.mark.parametrize(
    "typed",
    [
        *("", "mastodon", "https://", "//", "a b.example", "exa_mple.org", "a..b", "-a.example", "%2f.example"),
        *("javascript:alert(1)", "[::1]", "127.0.0.1", "http://[", "a.example\\@b", "x" * 300 + ".org"),
    ],
)
def test_text_without_an_instance_is_refused(typed):
    with pytest.raises(InvalidInstance):
        parse_instance(typed)
