"""`flask organisers`: inviting, listing and removing organisers on the server."""

import pytest

from campaign.accounts import audit_log
from campaign.core.database import db
from tests.organisers import OrganiserBrowser, invitation_in


@pytest.fixture
def backend() -> str:
    """One database is enough: registration is tested on both."""
    return "sqlite"


@pytest.fixture
def grace(campaign) -> OrganiserBrowser:
    grace = OrganiserBrowser(campaign, "grace@example.org")
    grace.was_let_in("owner", exports=True)
    return grace


def test_the_list_shows_the_rights_of_each_organiser(campaign, grace):
    OrganiserBrowser(campaign, "olga@example.org").was_let_in("reader")
    lines = campaign.command("organisers", "list").output.splitlines()
    assert lines[0].startswith("grace@example.org: owner, exports, since 20")
    assert lines[1].startswith("olga@example.org: reader, since 20")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["add", "x@example.org", "--role", "reader", "--export"], "choose another role"),
        (["add", "grace@example.org"], "registered already"),
        (["add", "Olga"], "not an email address"),
        (["remove", "x@example.org"], "flask organisers list"),
        (["remove", "grace@example.org"], "make another organiser an owner first"),
    ],
)
def test_impossible_requests_are_explained_with_the_remedy(campaign, grace, arguments, advice):
    result = campaign.command("organisers", *arguments)
    assert result.exit_code != 0
    assert advice in result.output


def test_an_address_is_cleaned_so_that_its_owner_can_sign_in_with_it(campaign):
    result = campaign.command("organisers", "add", "Olga <Olga@Example.org>,")
    olga = OrganiserBrowser(campaign, "olga@example.org")
    olga.comes_in(invitation_in(result.output), exports=False)
    assert campaign.command("organisers", "list").output.startswith("olga@example.org: ")


def test_a_recovery_key_of_another_campaign_gives_no_right_to_export(campaign, tmp_path):
    from nacl.public import PrivateKey  # noqa: PLC0415

    from campaign.crypto.campaign_keys import recovery_key_text  # noqa: PLC0415

    path = tmp_path / "other.key"
    path.write_text(recovery_key_text(PrivateKey.generate()))
    result = campaign.command("organisers", "add", "x@example.org", "--export", "--key-file", str(path))
    assert (result.exit_code, "another campaign" in result.output) == (1, True)


def test_actions_from_the_command_line_are_recorded(campaign, grace):
    campaign.command("organisers", "add", "x@example.org")
    campaign.command("signatures", "erase", "--country", "FR", "--yes")
    with campaign.app.app_context():
        noted = [(entry.actor, entry.action) for entry in audit_log.iter_entries(db.session)]
    assert ("flask", "invited") in noted
