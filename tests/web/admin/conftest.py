"""Organisers who are in."""

import pytest

from tests.organisers import OrganiserBrowser, invitation_in


@pytest.fixture
def invites(campaign, tmp_path):
    """Invites by command; returns the path of the invitation."""

    def invite(email: str, *options: str) -> str:
        if "--export" in options:
            key_file = tmp_path / "recovery.key"
            key_file.write_text(campaign.recovery_key)
            options = (*options, "--key-file", str(key_file))
        result = campaign.command("organisers", "add", email, *options)
        assert result.exit_code == 0, result.output
        return invitation_in(result.output)

    return invite


@pytest.fixture
def grace(campaign) -> OrganiserBrowser:
    """Grace owns the campaign and exports."""
    grace = OrganiserBrowser(campaign, "grace@example.org")
    grace.was_let_in("owner", exports=True)
    return grace


@pytest.fixture
def olga(campaign) -> OrganiserBrowser:
    """Olga organises, without the right to export."""
    olga = OrganiserBrowser(campaign, "olga@example.org")
    olga.was_let_in("organiser")
    return olga


@pytest.fixture
def reader(campaign) -> OrganiserBrowser:
    """Somebody who sees figures only."""
    reader = OrganiserBrowser(campaign, "reader@example.org")
    reader.was_let_in("reader")
    return reader
