"""The people of our tests: Ada signs, and Olga beside her; Maria's name is of many scripts; Mallory attacks."""

import email
import email.policy
import re
from email.message import EmailMessage
from typing import TYPE_CHECKING

from werkzeug.test import TestResponse

if TYPE_CHECKING:
    from tests.conftest import Campaign

FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
WANTS_JSON = {"Accept": "application/json"}


class Persona:
    """Somebody who uses the page with a browser and a mailbox."""

    def __init__(self, campaign: "Campaign", given_name: str, fields: dict[str, str]) -> None:
        self._campaign = campaign
        self.fields = {"given_name": given_name, "country": "GB", "lang": "en", **fields}

    def posts(self, headers: dict[str, str] = FROM_OUR_PAGE, **changed: str) -> TestResponse:
        """Send the form."""
        return self._campaign.client.post("/sign", data=self.fields | changed, headers=headers)

    def signs(self, **changed: str) -> None:
        """Send the form, which is taken."""
        response = self.posts(FROM_OUR_PAGE, **changed)
        assert response.status_code == 303, response.text

    def mails(self) -> list[EmailMessage]:
        """Return the emails in this person's mailbox, oldest first."""
        self._campaign.send_mail()
        files = self._campaign.settings.mail_folder().glob("*.eml")
        parsed = (email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files)
        mine = [mail for mail in parsed if mail["To"] == self.fields["email"]]
        return sorted(mine, key=lambda mail: (mail["Date"].datetime, mail["Message-ID"]))

    def link(self) -> str:
        """Return the path of the link in this person's newest mail."""
        return path_in(self.mails()[-1])

    def confirms(self) -> str:
        """Sign, press the button behind the mailed link, and return the path of the receipt."""
        self.signs()
        return self._campaign.client.post(self.link()).headers["Location"]


def comparable(answer: TestResponse) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """Return all of an answer that may depend on the person: not the id of the request, which is random."""
    assert len(answer.headers["X-Request-ID"]) == 16
    headers = tuple((name, value) for name, value in answer.headers if name != "X-Request-ID")
    return answer.status_code, answer.data, headers


def path_in(mail: EmailMessage) -> str:
    """Return the path of the link in `mail`."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://[^/\s]+(/confirm/\S+)", body.get_content())
    assert found is not None
    return found[1]
