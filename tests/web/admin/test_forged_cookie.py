"""A thief who has copied the database and the secret key signs cookies as the server does, and is not let in."""

from typing import TYPE_CHECKING

import pyotp
import pytest
from flask.sessions import SecureCookieSessionInterface
from nacl.secret import Aead
from sqlalchemy import select

from campaign.accounts.organisers import by_email
from campaign.context import current_context
from campaign.core.database import Base, db, utcnow
from campaign.models import Organiser
from tests.organisers import PASSWORD, OrganiserBrowser

if TYPE_CHECKING:
    from uuid import UUID

SECOND = "/organise/sign-in/code"


class Thief:
    """Has every row and every key of the server, and a browser of their own."""

    def __init__(self, campaign, email: str) -> None:
        self.browser = OrganiserBrowser(campaign, email)
        self._app = campaign.app
        with campaign.app.app_context():
            row = db.session.scalar(select(Organiser).where(Organiser.email == email))
            self.organiser_id: UUID = row.id
            sealed = Aead(current_context().factor_key).decrypt(row.encrypted_totp_secret, aad=row.id.bytes)
            self.browser.totp = sealed.decode()
            self.hashes = [
                bytes(stored.token_hash)
                for table in Base.metadata.sorted_tables
                if "token_hash" in table.columns
                for stored in db.session.execute(select(table))
            ]

    def forges(self, **content: object) -> None:
        """Set a cookie signed with the server's own key."""
        serializer = SecureCookieSessionInterface().get_signing_serializer(self._app)
        self.browser.client.set_cookie("organiser", serializer.dumps(content), path="/organise")

    def cookie(self) -> dict:
        """Return what the cookie of the browser holds: it is signed, and not encrypted."""
        serializer = SecureCookieSessionInterface().get_signing_serializer(self._app)
        kept = self.browser.client.get_cookie("organiser", path="/organise")
        return serializer.loads(kept.value)


def test_the_thief_can_compute_the_codes_of_the_app(campaign, olga):
    """The secret key does give that away; the password still protects the account."""
    assert Thief(campaign, olga.email).browser.totp == olga.totp
    assert pyotp.TOTP(olga.totp).now()


@pytest.mark.slow
def test_no_forged_cookie_passes_for_a_password_that_was_given(campaign, olga):
    thief = Thief(campaign, olga.email)
    now, who = utcnow().timestamp(), str(thief.organiser_id)
    guesses = [[who, now], who, {"organiser": who, "at": now}, *(value.hex() for value in thief.hashes)]
    for waiting in guesses:
        thief.forges(waiting=waiting, joining=waiting, token=waiting)
        assert thief.browser.get(SECOND).status_code == 303
        thief.browser.gives_password("")  # for the token of a form
        kept = thief.cookie()
        thief.forges(**kept | {"waiting": waiting})
        answer = thief.browser.posts(SECOND, "/organise/sign-in", code=thief.browser.code())
        assert (answer.status_code, answer.headers["Location"]) == (303, "/organise/sign-in")
        assert not thief.browser.is_in()


def test_a_forged_cookie_goes_on_with_no_invitation_either(campaign, invites):
    invitation = invites("olga@example.org")
    olga = OrganiserBrowser(campaign, "olga@example.org")
    olga.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    olga.get(f"{invitation}/factor")
    thief = Thief(campaign, olga.email)
    for joining in (str(thief.organiser_id), *(value.hex() for value in thief.hashes)):
        thief.forges(joining=joining)
        answer = thief.browser.get(f"{invitation}/factor")
        assert (answer.status_code, answer.headers["Location"]) == (303, invitation)


def test_the_cookie_between_the_factors_holds_nothing_but_random_tokens(campaign, olga):
    thief = Thief(campaign, olga.email)
    thief.browser.gives_password()
    cookie = thief.cookie()
    assert set(cookie) <= {"csrf_token", "waiting", "language", "_permanent", "_fresh"}
    assert len(cookie["waiting"]) == 43
    with campaign.app.app_context():
        assert str(by_email(db.session, olga.email).id) not in str(cookie)


def test_the_first_factor_is_used_up_and_ends_with_the_password(campaign, olga):
    used, waiting = OrganiserBrowser(campaign, olga.email), OrganiserBrowser(campaign, olga.email)
    used.gives_password()
    kept = used.client.get_cookie("organiser", path="/organise").value
    used.gives_code(olga.codes[0])
    assert used.is_in()
    waiting.client.set_cookie("organiser", kept, path="/organise")
    assert waiting.get(SECOND).status_code == 303
    waiting.gives_password()
    assert waiting.get(SECOND).status_code == 200
    new = "a harbour full of paper boats"
    olga.posts(
        "/organise/account/password", **{"password-old": PASSWORD, "password-chosen": new, "password-again": new}
    )
    assert waiting.get(SECOND).status_code == 303


@pytest.fixture
def backend() -> str:
    """What the cookie holds does not depend on the database."""
    return "sqlite"
