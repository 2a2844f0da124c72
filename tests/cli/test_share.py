"""flask share: what the networks make of the page, tried on a real server, and how often it is passed on."""

from collections.abc import Iterator

import pytest

from campaign.maintenance import flush_counters
from tests.live_server import Site


@pytest.fixture
def backend() -> str:
    """What networks read does not depend on the database."""
    return "sqlite"


@pytest.fixture
def served(ready, tmp_path) -> Iterator[Site]:
    """A campaign that is served."""
    with ready.site(tmp_path).served() as site:
        yield site


@pytest.mark.long
@pytest.mark.slow
def test_all_networks_show_the_page_in_all_languages(served):
    printed = served.flask("share", "check")
    assert printed.splitlines()[-1] == "45 of 45 previews are right."
    assert "She wins gold and can’t embrace the woman she loves." in printed
    assert printed.count("1200x630, 16") + printed.count("1200x630, 15") == 45


@pytest.mark.long
@pytest.mark.slow
def test_faults_are_named_and_the_command_fails(ready, tmp_path):
    site = ready.site(tmp_path)
    with site.served():
        site.flask("share", "check")
    for card in (site.instance / "pictures").glob("card-ru.*.png"):
        card.write_bytes(b"GIF89a")
    with site.served():  # another server, for the first one keeps the cards in memory
        command = site.command("share", "check")
        printed = command.communicate()[0].decode()
    assert command.returncode == 1
    assert printed.count("/ru/\n") == printed.count("WRONG: the image cannot be read") == 5
    assert printed.splitlines()[-1] == "40 of 45 previews are right."


def test_an_unreachable_server_is_reported_in_one_line(campaign):
    result = campaign.command("share", "check")
    assert result.exit_code == 1
    assert "is the server running" in result.output


def test_shares_and_what_they_brought_are_counted_by_channel(campaign, ada):
    ada.fields["via"] = "x"
    ada.confirms()
    campaign.client.get("/share/x?lang=en")
    campaign.client.get("/share/line?lang=ru")
    flush_counters(campaign.app)
    lines = [line.split() for line in campaign.command("share", "counted").output.splitlines()]
    assert lines == [["channel", "shares", "signatures"], ["line", "1", "0"], ["x", "1", "1"]]
