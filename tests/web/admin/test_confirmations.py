"""Actions that are hard to undo ask first and name what will happen; the activity log tells what became of them."""

import os
import pty
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from campaign.accounts import audit_log
from campaign.accounts.organisers import members
from campaign.config.paths import ROOT
from campaign.core.database import db
from campaign.models import Invitation
from tests.live_server import wait_for
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser, confirm_form

pytestmark = pytest.mark.slow

ORGANISERS, SETTINGS, SIGNATURES = "/organise/organisers", "/organise/settings", "/organise/signatures"
THREADS = 16
both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"])


@pytest.fixture
def backend() -> str:
    """What the database has a say in is tried on both of them."""
    return "sqlite"


@pytest.fixture
def other(campaign) -> OrganiserBrowser:
    """Another owner who exports."""
    other = OrganiserBrowser(campaign, "other@example.org")
    other.was_let_in("owner", exports=True)
    return other


def people(campaign) -> dict[str, tuple[str, bool]]:
    with campaign.app.app_context():
        return {one.email: (one.role, one.may_export) for one in members(db.session)}


def path_of(campaign, browser: OrganiserBrowser, act: str) -> str:
    with campaign.app.app_context():
        [identity] = [one.id for one in members(db.session) if one.email == browser.email]
    return f"{ORGANISERS}/{identity}/{act}"


def noted(campaign) -> list[tuple[str, ...]]:
    """Return the actions in the activity log, without log-ins; a refused one together with its attempt."""
    with campaign.app.app_context():
        entries = list(audit_log.iter_entries(db.session))
    told = [(entry.action, *filter(None, [entry.details.get("attempt")])) for entry in entries]
    return [one for one in told if one != ("signed-in",)]


def confirm(browser: OrganiserBrowser) -> None:
    """Enter the password, so that only questions are left to be asked."""
    browser.posts(f"{SETTINGS}/goals", goals="", contact="")


def asked(browser: OrganiserBrowser, path: str, **fields: str) -> str:
    """Send a form and return the page that asks; check that the button on it leads on."""
    answer = browser.posts_once(path, **fields)
    form = confirm_form(answer)
    assert (answer.status_code, form is not None) == (200, True), answer.text
    assert fields.items() <= form.fields.items()
    return " ".join(re.sub("</?bdi>", "", answer.text.split("<main")[1]).split())


def test_removing_names_the_person_and_does_nothing_before_the_button(campaign, grace, olga):
    confirm(grace)
    page = asked(grace, path_of(campaign, olga, "remove"))
    assert "Remove olga@example.org?" in page
    assert "They’ll be logged out" in page
    assert olga.is_in()
    assert noted(campaign) == []
    assert grace.posts(path_of(campaign, olga, "remove")).status_code == 303
    assert not olga.is_in()
    assert noted(campaign) == [("removed",)]


def test_changing_a_role_names_both_roles_and_the_loss_of_the_key(campaign, grace, other):
    confirm(grace)
    page = asked(grace, path_of(campaign, other, "role"), role="reader")
    assert "Change the role of other@example.org?" in page
    assert "Admin – also team and settings → Viewer – overview" in page
    assert "Their copy of the key will be deleted" in page
    assert people(campaign)[other.email] == ("owner", True)


def test_taking_the_right_to_export_names_the_person(campaign, grace, other):
    confirm(grace)
    assert "Remove export access for other@example.org?" in asked(grace, path_of(campaign, other, "stop-export"))
    assert people(campaign)[other.email] == ("owner", True)


def test_taking_back_an_invitation_names_whose(campaign, grace):
    grace.posts(ORGANISERS, email="x@example.org", role="reader")
    page = asked(grace, f"{ORGANISERS}/invitations/take-back", email="x@example.org")
    assert "Withdraw the invitation for x@example.org?" in page
    with campaign.app.app_context():
        assert db.session.query(Invitation).count() == 1


@pytest.mark.parametrize("path", [f"{SETTINGS}/stage", "/organise/hand-in/delivered"])
def test_delivering_names_the_day_the_count_and_the_effect_for_visitors(campaign, grace, ada, path):
    ada.confirms()
    campaign.persona("Zoe", email="zoe@example.org").signs()
    confirm(grace)
    page = asked(grace, path, act="deliver", day="2013-12-10")
    for fact in ("delivered on 10 December 2013?", "1 signature is confirmed.", "1 signature isn’t confirmed yet."):
        assert fact in page
    assert "No one can sign or confirm after that" in page
    assert "status" not in campaign.client.get("/count.json").json
    grace.posts(path, act="deliver", day="2013-12-10")
    assert campaign.client.get("/count.json").json["delivered_on"] == "2013-12-10"
    grace.posts(path, act="deliver", day="2013-12-10")
    assert noted(campaign) == [("delivered",)]


def test_closing_and_opening_name_the_count_and_the_effect_for_visitors(campaign, grace, ada):
    ada.confirms()
    confirm(grace)
    page = asked(grace, f"{SETTINGS}/stage", act="close")
    for fact in ("Close the petition?", "1 signature is confirmed.", "no one can sign", "0 signatures aren’t"):
        assert fact in page
    assert "status" not in campaign.client.get("/count.json").json
    grace.posts(f"{SETTINGS}/stage", act="close")
    assert "Open the petition?" in asked(grace, f"{SETTINGS}/stage", act="open")
    assert campaign.client.get("/count.json").json["status"] == "closed"


def test_erasing_names_the_signature_and_the_effect_on_the_count(campaign, grace, ada):
    ada.confirms()
    confirm(grace)
    page = asked(grace, f"{SIGNATURES}/erase", email="ada@example.org")
    for fact in ("Delete the signature of ada@example.org?", "United Kingdom", "the public count will go down by one"):
        assert fact in page
    assert campaign.count() == 1


def test_a_wrong_day_is_reported_before_the_confirmation_page(grace):
    confirm(grace)
    assert grace.posts_once(f"{SETTINGS}/stage", act="deliver", day="2199-01-01").status_code == 422


def test_withdrawing_asks_for_confirmation_on_a_page_that_names_the_effect(campaign, ada):
    receipt = ada.confirms()
    assert f'action="{receipt}/withdraw" method="get"' in " ".join(campaign.client.get(receipt).text.split())
    page = campaign.client.get(f"{receipt}/withdraw")
    assert "Withdraw your signature?" in page.text
    assert "Your signature will no longer count" in page.text
    assert "already been delivered" not in page.text
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert campaign.count() == 1
    assert "Your signature has been withdrawn" in campaign.client.post(f"{receipt}/withdraw").text
    assert campaign.count() == 0
    assert campaign.client.get(f"{receipt}/withdraw").status_code == 404


def test_withdrawing_after_the_delivery_names_its_limits(campaign, ada):
    receipt = ada.confirms()
    campaign.persona("Zoe", email="zoe@example.org").signs()
    campaign.command("petition", "deliver", "--on", "2013-12-10")
    page = campaign.client.get(f"{receipt}/withdraw").text
    assert "remove it from a petition that has already been delivered" in page


def test_a_late_supporter_is_asked_before_the_entry_is_erased(campaign, ada):
    ada.signs()
    link = ada.link()
    campaign.command("petition", "deliver")
    erasing = link.replace("confirm", "receipt") + "/withdraw"
    assert f'action="{erasing}" method="get"' in " ".join(campaign.client.get(link).text.split())
    page = campaign.client.get(erasing).text
    assert "Delete the entry?" in page
    assert "will no longer count" not in page


# The last organiser who may export


@pytest.mark.parametrize(("act", "role"), [("stop-export", ""), ("remove", ""), ("role", "reader")])
def test_the_last_exporter_keeps_the_right(campaign, grace, act, role):
    keeper = OrganiserBrowser(campaign, "keeper@example.org")
    keeper.was_let_in("owner")  # owns as well, so that only the right to export is at stake
    answer = keeper.posts(path_of(campaign, grace, act), role=role)
    assert (answer.status_code, "No one else has export access" in answer.text) == (409, True)
    assert people(campaign)[grace.email] == ("owner", True)
    attempt = {"stop-export": "ended-export", "remove": "removed", "role": "changed-role"}[act]
    assert noted(campaign) == [("refused", attempt)]
    assert "Attempt refused: " in keeper.get("/organise/activity").text


def test_one_of_two_exporters_can_give_up_the_right(campaign, grace, other):
    assert other.posts(path_of(campaign, other, "stop-export")).status_code == 303
    assert other.posts(path_of(campaign, grace, "stop-export")).status_code == 409
    assert people(campaign) == {grace.email: ("owner", True), other.email: ("owner", False)}
    assert noted(campaign) == [("ended-export",), ("refused", "ended-export")]


def test_an_organiser_with_an_incomplete_registration_does_not_count(campaign, grace, invites):
    half = OrganiserBrowser(campaign, "half@example.org")
    invitation = invites(half.email, "--export")
    half.posts(invitation, invitation, chosen=PASSWORD, again=PASSWORD)
    assert grace.posts(path_of(campaign, grace, "stop-export")).status_code == 409


def test_the_command_keeps_the_last_one_too_and_records_that(campaign, grace):
    keeper = OrganiserBrowser(campaign, "keeper@example.org")
    keeper.was_let_in("owner")
    result = campaign.command("organisers", "remove", grace.email)
    assert (result.exit_code, "only organiser who may export" in result.output) == (1, True)
    assert noted(campaign) == [("refused", "removed")]
    assert campaign.command("organisers", "remove", keeper.email).exit_code == 0
    assert campaign.command("organisers", "remove", grace.email).exit_code == 1
    assert noted(campaign)[1:] == [("removed",), ("refused", "removed")]


# At the same moment


def at_once(campaign, requests: list[tuple[OrganiserBrowser, str, dict[str, str]]]) -> list[int]:
    """Send forms from as many threads as there are `requests`, confirmed, and return the statuses."""
    prepared = []
    for browser, path, fields in requests:
        client = campaign.app.test_client()
        client.set_cookie("organiser", browser.client.get_cookie("organiser", path="/organise").value, path="/organise")
        prepared.append(
            (client, path, {"csrf_token": browser.token("/organise/account"), "confirm-sure": "1", **fields})
        )
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = pool.map(lambda one: one[0].post(one[1], data=one[2]).status_code, prepared)
        return list(answers)


@both
@pytest.mark.parametrize("act", ["stop-export", "remove", "role"])
def test_two_exporters_cannot_both_give_up_the_right_at_once(campaign, grace, other, act):
    keeper = OrganiserBrowser(campaign, "keeper@example.org")
    keeper.was_let_in("owner")
    for browser in (grace, other, keeper):
        confirm(browser)
    paths = [path_of(campaign, browser, act) for browser in (grace, other)]
    statuses = at_once(campaign, [(keeper, path, {"role": "reader"}) for path in paths * 4])
    assert set(statuses) <= {303, 404, 409}
    assert statuses.count(409) >= 1
    assert [exports for _role, exports in people(campaign).values()].count(True) == 1
    with campaign.app.app_context():
        assert audit_log.first_invalid_entry(db.session, campaign.app.extensions["campaign"].activity_key) is None


def pressed(campaign, browser, path: str, **fields: str) -> Counter:
    """Press a button sixteen times at the same moment, and then once again."""
    confirm(browser)
    statuses = at_once(campaign, [(browser, path, fields)] * THREADS)
    return Counter([*statuses, browser.posts(path, **fields).status_code])


@both
def test_sixteen_removals_remove_once(campaign, grace, olga):
    path = path_of(campaign, olga, "remove")
    assert pressed(campaign, grace, path) == {303: 1, 404: THREADS}
    assert olga.email not in people(campaign)
    counted = Counter(noted(campaign))
    assert counted[("removed",)] == 1
    assert set(counted) <= {("removed",), ("refused", "removed")}


@both
@pytest.mark.parametrize(
    ("path", "fields", "action", "status"),
    [
        (f"{SETTINGS}/stage", {"act": "close"}, "closed", "closed"),
        (f"{SETTINGS}/stage", {"act": "deliver", "day": "2013-12-10"}, "delivered", "delivered"),
        ("/organise/hand-in/delivered", {"day": "2013-12-10"}, "delivered", "delivered"),
    ],
)
def test_sixteen_times_closed_or_delivered_is_once(campaign, grace, path, fields, action, status):
    assert pressed(campaign, grace, path, **fields) == {303: THREADS + 1}
    assert noted(campaign) == [(action,)]
    assert campaign.client.get("/count.json").json["status"] == status


@both
def test_sixteen_erasures_erase_once(campaign, grace, ada):
    ada.confirms()
    campaign.persona("Zoe", email="zoe@example.org").confirms()
    statuses = pressed(campaign, grace, f"{SIGNATURES}/erase", email="ada@example.org")
    assert set(statuses) <= {200, 422}
    assert campaign.count() == 1
    assert Counter(noted(campaign))[("erased",)] == 1


@both
def test_sixteen_invitations_leave_one_that_works(campaign, grace):
    statuses = pressed(campaign, grace, ORGANISERS, email="x@example.org", role="reader")
    assert statuses == {200: THREADS + 1}
    with campaign.app.app_context():
        assert db.session.query(Invitation).count() == 1
    assert noted(campaign) == [("invited",)] * (THREADS + 1)


def test_two_owners_cannot_remove_each_other_at_the_same_moment(campaign, grace, other):
    for browser in (grace, other):
        confirm(browser)
    requests = [(grace, path_of(campaign, other, "remove"), {}), (other, path_of(campaign, grace, "remove"), {})]
    at_once(campaign, requests * 4)
    assert len(people(campaign)) == 1


# What the log tells


def test_an_action_without_effect_is_not_recorded(campaign, grace, olga):
    grace.posts(f"{SETTINGS}/goals", goals="", contact="")
    grace.posts(f"{SETTINGS}/bot-check", act="off")
    grace.posts(f"{SETTINGS}/stage", act="open")
    grace.posts(path_of(campaign, olga, "role"), role="organiser")
    grace.posts(path_of(campaign, olga, "stop-export"))
    grace.posts(f"{ORGANISERS}/invitations/take-back", email="nobody@example.org")
    assert noted(campaign) == []


def test_the_last_owner_is_refused_and_the_log_says_refused(campaign, grace):
    for act, role in (("remove", ""), ("role", "reader")):
        assert grace.posts(path_of(campaign, grace, act), role=role).status_code == 409
    assert noted(campaign) == [("refused", "removed"), ("refused", "changed-role")]


def test_an_attempt_without_the_export_right_is_refused_and_recorded(campaign, grace, olga, ada):
    ada.confirms()
    form = {"purpose": "full", "dialect": "plain", "reason": "trial", "passphrase": PASSPHRASE}
    olga.posts("/organise/export", **form)
    olga.posts("/organise/hand-in", cover="x", passphrase=PASSPHRASE)
    olga.posts(f"{SIGNATURES}/open", email="ada@example.org", passphrase=PASSPHRASE)
    looked_up = [("looked-up",), ("refused", "show")]
    assert noted(campaign) == [("refused", "exported"), ("refused", "hand-in"), *looked_up]


def test_the_document_is_recorded_once_it_is_made(campaign, grace, ada):
    ada.confirms()
    answer = grace.posts("/organise/hand-in", cover="Dear all", passphrase=PASSPHRASE)
    assert answer.status_code == 303
    wait_for(lambda: ("hand-in",) in noted(campaign), "the entry")
    assert "is ready" in grace.get(answer.headers["Location"]).text


def test_commands_are_recorded_like_the_pages(campaign, grace, olga, tmp_path):
    for command in (
        ("petition", "close"),
        ("petition", "close"),
        ("petition", "deliver", "--on", "2013-12-10"),
        ("petition", "open"),
        ("bot-check", "on"),
        ("bot-check", "on"),
        ("keys", "rotate", "--recovery-key-out", str(tmp_path / "new.key")),
        ("organisers", "remove", olga.email),
    ):
        assert campaign.command(*command).exit_code == 0
    wrong = campaign.command("keys", "rotate", "--recovery-key-out", str(tmp_path / "new.key"))
    assert wrong.exit_code == 1
    expected = ["closed", "delivered", "reopened", "changed-setting", "rotated-key", "removed"]
    assert noted(campaign) == [*((action,) for action in expected), ("refused", "rotated-key")]


def test_an_export_that_could_not_be_written_is_not_recorded_as_done(campaign, ada, tmp_path):
    ada.confirms()
    key_file = tmp_path / "recovery.key"
    key_file.write_text(campaign.recovery_key)
    options = ("signatures", "export", "--key-file", str(key_file), "--output")
    assert campaign.command(*options, str(tmp_path / "nowhere" / "x.csv")).exit_code == 1
    assert noted(campaign) == [("refused", "exported")]
    assert campaign.command(*options, str(tmp_path / "x.csv")).exit_code == 0
    assert noted(campaign)[1:] == [("exported",)]


@pytest.mark.parametrize(("typed", "status"), [("n", "open"), ("y", "closed")])
def test_a_command_asks_a_person_at_a_terminal(campaign, ada, typed, status):
    ada.confirms()
    ours, theirs = pty.openpty()
    environment = {**os.environ, "CAMPAIGN_INSTANCE": str(campaign.settings.instance)}
    command = [sys.executable, "-m", "flask", "petition", "close"]
    os.write(ours, f"{typed}\n".encode())
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=theirs, capture_output=True, text=True, check=False, timeout=60
    )
    for end in (ours, theirs):
        os.close(end)
    assert "Confirmed signatures: 1; not confirmed: 0. Close the petition?" in done.stdout
    assert campaign.command("petition", "status").output.strip() == status
    assert noted(campaign) == ([("closed",)] if status == "closed" else [])
