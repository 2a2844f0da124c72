"""Nobody sees anything under /organise without being let in, and nothing of it reaches the public pages."""

from uuid import uuid4

import pytest

from campaign.accounts.organisers import ROLES
from campaign.web.admin.access import DEFAULT_ROLE, EVERYONE
from tests.organisers import OrganiserBrowser
from tests.personas import FROM_OUR_PAGE


@pytest.fixture
def backend() -> str:
    """One database is enough: access does not depend on it."""
    return "sqlite"


def every_address(app):
    """Yield each address of the room with a method it knows, its view, and its place filled in."""
    values = {"token": "x" * 43, "organiser_id": uuid4(), "signature_id": uuid4(), "key": "days", "job": "x" * 43}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/organise"):
            view = app.view_functions[rule.endpoint]
            adapter = app.url_map.bind("localhost")
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                path = adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments}, method)
                yield method, path, view


def test_every_address_refuses_without_a_session(campaign):
    addresses = list(every_address(campaign.app))
    assert len(addresses) > 30
    for method, path, view in addresses:
        if getattr(view, "needs", DEFAULT_ROLE) == EVERYONE:
            assert path.startswith(("/organise/sign-in", "/organise/invitation/")), path
            continue
        answer = campaign.client.open(path, method=method, headers=FROM_OUR_PAGE)
        refused = (303, "/organise/sign-in") if method == "GET" else (401, None)
        assert (answer.status_code, answer.headers.get("Location")) == refused, path


def test_a_view_that_says_nothing_is_for_owners(campaign, olga):
    view = campaign.app.view_functions["overview.show"]

    def silent():
        return view()

    campaign.app.view_functions["overview.show"] = silent
    assert olga.get("/organise/").status_code == 403
    assert campaign.client.get("/organise/").status_code == 303


def test_an_unknown_admin_url_is_refused_without_a_session_too(campaign, olga):
    assert campaign.client.get("/organise/nothing").status_code == 303
    assert olga.get("/organise/nothing").status_code == 404


def test_every_form_needs_its_token(campaign, grace):
    for method, path, _view in every_address(campaign.app):
        if method == "POST":
            assert grace.client.post(path).status_code == 400, path
    assert grace.is_in()


def test_every_form_refuses_another_site_even_with_the_token(campaign, grace):
    token = grace.token("/organise/account")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        for method, path, _view in every_address(campaign.app):
            if method == "POST":
                answer = grace.client.post(path, data={"csrf_token": token}, headers=headers)
                assert answer.status_code == 403, path
    assert grace.is_in()


def test_admin_pages_are_not_cached_framed_or_named_to_other_sites(campaign, grace):
    for method, path, _view in every_address(campaign.app):
        for client in (campaign.client, grace.client):
            headers = client.open(path, method=method).headers
            assert headers["Cache-Control"] == "no-store", path
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
            assert headers["X-Frame-Options"] == "DENY", path
            assert headers["Referrer-Policy"] == "no-referrer", path
            assert "noindex" in headers["X-Robots-Tag"], path
            assert "Content-Encoding" not in headers, path


PUBLIC = [
    "/",
    "/en/",
    "/sign",
    "/en/thanks",
    "/en/privacy",
    "/count.json",
    "/en/embed",
    "/share/x",
    "/nothing",
    "/healthz",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_know_no_cookie(campaign, grace, path):
    cookie = grace.client.get_cookie("organiser", path="/organise")
    grace.client.set_cookie("organiser", cookie.value, path="/")
    for client in (campaign.client, grace.client):
        headers = client.get(path).headers
        assert "Set-Cookie" not in headers
        assert "Cookie" not in headers.get("Vary", "")
    assert campaign.client.get("/en/").data == grace.client.get("/en/").data


def test_the_cookie_goes_nowhere_else(grace):
    cookie = grace.client.get_cookie("organiser", path="/organise")
    assert (cookie.path, cookie.http_only, cookie.same_site) == ("/organise", True, "Lax")


@pytest.mark.settings(public_url="https://love.example.org")
def test_the_cookie_is_sent_over_https_only(campaign):
    answer = campaign.client.get("/organise/sign-in", base_url="https://love.example.org")
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/organise/", "reader"),
        ("/organise/figures/days.csv", "reader"),
        ("/organise/export", "organiser"),
        ("/organise/hand-in", "organiser"),
        ("/organise/signatures", "organiser"),
        ("/organise/activity", "organiser"),
        ("/organise/activity.csv", "organiser"),
        ("/organise/names", "reader"),
        ("/organise/organisers", "owner"),
        ("/organise/settings", "owner"),
    ],
)
def test_each_admin_page_is_for_its_role_and_higher_ones(campaign, invites, path, role):
    for other in ROLES:
        browser = OrganiserBrowser(campaign, f"{other}@example.org")
        browser.comes_in(invites(browser.email, "--role", other), exports=False)
        expected = 200 if ROLES.index(other) >= ROLES.index(role) else 403
        assert browser.get(path).status_code == expected, other


def test_admin_pages_are_in_the_chosen_language(grace):
    assert '<html lang="ru"' in grace.get("/organise/?lang=ru").text
    assert '<html lang="ru"' in grace.get("/organise/export").text
