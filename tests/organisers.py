"""Organisers of our tests: Grace exports, Olga does not; each comes in as a person would, page by page."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pyotp
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from campaign.accounts import audit_log, backup_codes, organisers, passwords, sessions, totp
from campaign.context import current_context
from campaign.core.database import Base, db, transaction
from campaign.crypto import key_holders
from campaign.crypto.campaign_keys import parse_recovery_keys
from campaign.models import KeyCopy, KeyHolder, Organiser

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Campaign

PASSWORD = "seven quiet lanterns drift"
PASSPHRASE = "copper violin under northern rain"
MARGIN = timedelta(seconds=3)  # until a code arrives: the one before the present is good until then
_TOKEN = re.compile(r'name="csrf_token"\s+value="([^"]+)"')


class OrganiserBrowser:
    """A browser in the organisers' room; it fills in forms as they stand on the page."""

    def __init__(self, campaign: "Campaign", email: str) -> None:
        self.campaign = campaign
        self.email = email
        self.password = PASSWORD
        self.client: FlaskClient = campaign.app.test_client()
        self.totp = ""
        self.codes: list[str] = []
        self._used = 0

    def get(self, path: str) -> TestResponse:
        """Open a page of the room."""
        return self.client.get(path)

    def posts(self, path: str, page: str = "/organise/account", **fields: object) -> TestResponse:
        """Send a form to `path` with the token that stands on `page`; confirm it if asked, with the password."""
        answer = self.posts_once(path, page, **fields)
        while answer.mimetype == "text/html" and (form := confirm_form(answer)):
            # A person types again which secrets are not carried on.
            answer = self.client.post(form.action, data=fields | form.fields | {"confirm-secret": self.password})
        return answer

    def posts_once(self, path: str, page: str = "/organise/account", **fields: object) -> TestResponse:
        """Send a form to `path` with the token that stands on `page`, and confirm nothing."""
        return self.client.post(path, data={"csrf_token": self.token(page), **fields})

    def token(self, page: str) -> str:
        """Return the token of the forms on `page`."""
        token = _TOKEN.search(self.client.get(page).text)
        assert token is not None, page
        return token[1]

    def code(self) -> str:
        """Return the next code of the authenticator app; each is single-use."""
        app = pyotp.TOTP(self.totp)
        self._used = max(self._used + 1, app.timecode(datetime.now(UTC) + MARGIN) - 1)
        return app.generate_otp(self._used)

    def comes_in(self, invitation: str, *, recovery_key: str = "", exports: bool = True) -> None:
        """Complete all steps of an invitation."""
        chosen = {"email": self.email, "chosen": PASSWORD, "again": PASSWORD}
        self._step(self.posts(invitation, invitation, **chosen))
        page = unescape(self.get(f"{invitation}/factor").text)
        self.totp = re.search(r'<code dir="ltr">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
        self._step(self.posts(f"{invitation}/factor", f"{invitation}/factor", code=self.code()))
        shown = self.posts(f"{invitation}/codes", f"{invitation}/codes").text
        self.codes = re.findall(r"<code>([a-z0-9-]{14})</code>", shown)
        last, secrets = f"{invitation}/enter", {}
        if exports:
            last, secrets = f"{invitation}/passphrase", {"chosen": PASSPHRASE, "again": PASSPHRASE}
            secrets |= {"recovery_key": recovery_key} if recovery_key else {}
        self._step(self.posts(last, f"{invitation}/codes", **secrets))

    def was_let_in(self, role: organisers.Role, *, exports: bool = False) -> None:
        """Be an organiser who registered before and is logged in, with all that a log-in stores."""
        with self.campaign.app.app_context():
            who = uuid5(NAMESPACE_URL, self.email)  # the same in every campaign, for `_grant_keys`
            organiser = Organiser(id=who, email=self.email, role=role, password_hash=_password_hash())
            keys = current_context()
            with transaction(db.session):
                db.session.add(organiser)
                db.session.flush()
                self.totp = totp.totp_secret(db.session, keys.factor_key, who)
                self.codes = backup_codes.new_backup_codes(db.session, who)
                assert totp.accept_totp(db.session, keys.factor_key, organiser, self.code())
                organisers.activate(db.session, who)
                token = sessions.start(db.session, who)
                audit_log.record(db.session, keys.activity_key, actor=self.email, action="signed-in")
            if exports:
                _grant_keys(who, self.campaign.recovery_key)
        with self.client.session_transaction("/organise/") as cookie:
            cookie["token"] = token

    def gives_password(self, password: str = PASSWORD) -> TestResponse:
        """Submit the first factor."""
        return self.posts("/organise/sign-in", "/organise/sign-in", email=self.email, password=password)

    def gives_code(self, code: str | None = None) -> TestResponse:
        """Submit the second factor."""
        return self.posts("/organise/sign-in/code", "/organise/sign-in/code", code=code or self.code())

    def signs_in(self) -> None:
        """Submit both factors."""
        self._step(self.gives_password())
        self._step(self.gives_code())

    def is_in(self) -> bool:
        """Return whether this browser is logged in."""
        return self.get("/organise/").status_code == 200

    @staticmethod
    def _step(answer: TestResponse) -> None:
        assert answer.status_code == 303, answer.text


# Deriving keys from secrets takes most of the time of many tests, so each process does it once.
@cache
def _password_hash() -> str:
    return passwords.hash_password(PASSWORD)


_granted_rows: dict[tuple[UUID, str], list[tuple[type[Base], dict[str, Any]]]] = {}


def _grant_keys(organiser_id: UUID, recovery_key: str) -> None:
    """Grant an organiser the campaign's keys, or store the rows that this led to in an equal campaign before."""
    granted = (organiser_id, recovery_key)
    if granted in _granted_rows:
        with transaction(db.session):
            for table, row in _granted_rows[granted]:
                db.session.execute(insert(table).values(**row))
        return
    key_holders.grant_keys(db.session, organiser_id, PASSPHRASE, parse_recovery_keys(recovery_key))
    _granted_rows[granted] = [
        (table, dict(row))
        for table in (KeyHolder, KeyCopy)
        for row in db.session.execute(
            select(*table.__table__.columns).where(table.organiser_id == organiser_id)
        ).mappings()
    ]


class ConfirmForm(HTMLParser):
    """The form of the page that asks before an action: its action, hidden fields, and the names of all its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.names: list[str] = []
        self._is_inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect forms and their fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = "data-confirm" in given
            self.action = given["action"] if self._is_inside else self.action
        elif tag == "input" and self._is_inside and "name" in given:
            self.names.append(given["name"])
            if given.get("type") == "hidden":
                self.fields[given["name"]] = given.get("value", "")


def confirm_form(answer: TestResponse) -> ConfirmForm | None:
    """Return the form of the page that asks before an action, for the first time; None if `answer` is another page."""
    form = ConfirmForm(answer.text) if answer.status_code in (200, 403) else None
    return form if form and form.action else None


def invitation_in(printed: str) -> str:
    """Return the path of the invitation that a command printed."""
    found = re.search(r"(/organise/invitation/\S+)", printed)
    assert found is not None, printed
    return found[1]
