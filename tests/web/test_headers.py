"""The Content-Security-Policy as a whole: each directive, on each kind of page, and what a page may add to it."""

import pytest

from tests.conftest import campaign_on

STRICT = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "img-src": "'self'",
    "manifest-src": "'self'",
    "media-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
}


@pytest.fixture
def backend() -> str:
    """Headers do not depend on the database."""
    return "sqlite"


def policy_of(response) -> dict[str, str]:
    """Return the sources of each directive in the only policy of `response`."""
    [header] = response.headers.getlist("Content-Security-Policy")
    directives = [directive.partition(" ") for directive in header.split("; ")]
    names = [name for name, _, _ in directives]
    assert len(set(names)) == len(names), "of a directive that is named twice, browsers ignore the second"
    return {name: sources for name, _, sources in directives}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/en/", STRICT),
        ("/en/embed", STRICT | {"frame-ancestors": "*"}),
        ("/", STRICT),
        ("/en/thanks", STRICT),
        ("/en/privacy", STRICT),
        ("/en/no-such-page", STRICT),
        ("/confirm/no-such-token", STRICT),
        ("/receipt/no-such-token", STRICT),
        ("/count.json", STRICT),
        ("/healthz", STRICT),
        ("/static/css/base.css", STRICT),
        ("/organise/", STRICT),
    ],
)
def test_each_directive_is_as_strict_as_the_page_allows(campaign, path, expected):
    response = campaign.client.get(path)
    assert policy_of(response) == expected
    # For browsers that know no policy: it cannot name the sites that may frame a page, so it is absent there.
    assert response.headers.get("X-Frame-Options") == ("DENY" if expected is STRICT else None)


def test_the_answer_to_a_form_has_the_strict_policy(campaign):
    assert policy_of(campaign.persona("Ada", email="ada@example.org").posts()) == STRICT
    assert policy_of(campaign.persona("Ada", email="no address").posts()) == STRICT


def test_an_external_player_adds_its_host_to_the_frames_and_nothing_else(ready, backend, tmp_path):
    with campaign_on(ready, backend, tmp_path, film="youtube:dQw4w9WgXcQ") as campaign:
        expected = STRICT | {"frame-src": "https://www.youtube-nocookie.com"}
        assert policy_of(campaign.client.get("/en/")) == expected
        assert policy_of(campaign.client.get("/en/embed")) == expected | {"frame-ancestors": "*"}
