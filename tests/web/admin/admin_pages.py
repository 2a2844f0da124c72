"""Every page that an organiser can come to, in a language of choice."""

import re

from campaign.core.database import db
from campaign.key_worker.results import Progress, create_job
from tests.conftest import Campaign
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser, invitation_in

ROOMS = [
    "",
    "export?purpose=full&dialect=plain",
    "hand-in",
    "signatures",
    "organisers",
    "settings",
    "activity",
    "names",
]
ROOMS += ["account"]
WRONG = {
    "export": {"purpose": "full", "dialect": "plain", "passphrase": "wrong", "recipient": "x"},
    "signatures": {"email": "typo"},
    "organisers": {"email": "typo", "role": "reader", "exports": "1"},
    "names": {"name": "N" * 41},
    "settings/goals": {"goals": "many", "contact": "typo"},
    "settings/letter": {"of": "xx"},
    "settings/stage": {"act": "deliver", "day": ""},
    "hand-in": {},
    "account/password": {"password-chosen": "short", "password-again": "other"},
    "account/passphrase": {"passphrase-old": "x", "passphrase-chosen": PASSPHRASE, "passphrase-again": PASSPHRASE},
    "account/codes": {"codes-old": "wrong"},
    "account/passkey": {"passkey-old": PASSWORD},
}


def every_room(campaign: Campaign, language: str) -> dict[str, str]:
    """Return the pages of the organisers' room of a fresh `campaign` by a name of each."""
    browser = OrganiserBrowser(campaign, "grace@example.org")
    pages = _door(campaign, browser, language)
    campaign.persona("Maria", email="maria@example.org", via="x").confirms()
    pages |= {room or "dashboard": browser.get(f"/organise/{room}").text for room in ROOMS}
    for room, fields in WRONG.items():
        pages[f"wrong {room}"] = browser.posts(f"/organise/{room}", **fields).text
    maria = {"email": "maria@example.org"}
    pages["found"] = browser.posts("/organise/signatures", **maria).text
    pages["opened"] = browser.posts("/organise/signatures/open", **maria, passphrase=PASSPHRASE).text
    pages["sent"] = browser.posts("/organise/signatures/send", **maria).text
    pages["invited"] = browser.posts("/organise/organisers", email="olga@example.org", role="reader").text
    pages["codes again"] = browser.posts("/organise/account/codes", **{"codes-old": PASSWORD}).text
    pages["preview"] = browser.posts("/organise/settings/letter/preview", of=language, text="...").text
    pages |= _documents(campaign, browser)
    pages["last owner"] = browser.posts(f"/organise/organisers/{_id_on(pages['organisers'])}/remove").text
    right = {"recipient": "", "reason": "trial", "passphrase": PASSPHRASE}
    browser.posts("/organise/export", **WRONG["export"] | right).close()
    pages["exported"] = browser.get("/organise/export").text
    pages["everything done"] = browser.get("/organise/activity").text
    pages["erased here"] = browser.posts("/organise/signatures/erase", **maria).text
    return pages


def _door(campaign: Campaign, browser: OrganiserBrowser, language: str) -> dict[str, str]:
    """Return the pages of coming in and signing in, and let `browser` be in."""
    invitation = invitation_in(campaign.command("init").output)
    pages = {"invitation": browser.get(f"{invitation}?lang={language}").text}
    pages["weak password"] = browser.posts(invitation, invitation, email="typo", chosen="short", again="x").text
    browser.comes_in(invitation, recovery_key=campaign.recovery_key)
    pages |= {"welcome": browser.get("/organise/welcome").text, "gone invitation": browser.get(invitation).text}
    other = OrganiserBrowser(campaign, "other@example.org")
    added = campaign.command("organisers", "add", other.email, "--role", "owner").output
    second = invitation_in(added)
    other.posts(second, f"{second}?lang={language}", chosen=PASSWORD, again=PASSWORD)
    pages["factor"] = other.get(f"{second}/factor").text
    pages["wrong code"] = other.posts(f"{second}/factor", f"{second}/factor", code="1").text
    pages["sign in"] = other.get("/organise/sign-in").text
    pages["unfinished"] = other.gives_password().text
    guest = OrganiserBrowser(campaign, browser.email)
    guest.get(f"/organise/sign-in?lang={language}")
    pages["wrong password"] = guest.gives_password("wrong").text
    guest.gives_password()
    pages["second"] = guest.get("/organise/sign-in/code").text
    pages["signed out"] = guest.posts("/organise/settings/stage", "/organise/sign-in").text
    browser.get(f"/organise/?lang={language}")
    return pages


def _documents(campaign: Campaign, browser: OrganiserBrowser) -> dict[str, str]:
    """Return the page of a document that is made, one that is ready, and one that is gone."""
    pages = {"no document": browser.get("/organise/hand-in/x").text}
    for name, progress in (("making", Progress(3, 11)), ("ready", Progress(11, 11, is_ready=True))):
        with campaign.app.app_context():
            job = create_job(db.session)
            job.report(progress)
        pages[name] = browser.get(f"/organise/hand-in/{job.token}").text
    return pages


def _id_on(page: str) -> str:
    found = re.search(r"/organise/organisers/([0-9a-f-]{36})/remove", page)
    assert found is not None
    return found[1]
