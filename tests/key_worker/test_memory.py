"""What opens the signatures is in no memory that lasts: not while a file is sent, and not after."""

import os
import re
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.crypto.campaign_keys import parse_recovery_keys
from tests.conftest import Campaign, dispose
from tests.organisers import PASSPHRASE, PASSWORD, OrganiserBrowser, invitation_in

if TYPE_CHECKING:
    import subprocess

MARK = b"2013-11d"  # a constant of the server's code, to prove that the search works


@pytest.fixture
def served(ready, tmp_path):
    """A campaign that is served, with its server."""
    site = ready.site(tmp_path, CAMPAIGN_SIGN_LIMIT="")
    site.flask("signatures", "seed", "20000")
    server = site.start()
    yield site, server
    server.terminate()
    server.wait()


@pytest.fixture
def grace(served):
    """Grace, registered in the database of the running server, with her cookie and CSRF token."""
    site, _server = served
    settings = Settings.load(instance=site.instance)
    app = create_app(settings)
    campaign = Campaign(app, site.key_file.read_text(), settings)
    grace = OrganiserBrowser(campaign, "grace@example.org")
    options = ("--export", "--key-file", str(site.key_file))
    grace.comes_in(invitation_in(campaign.command("organisers", "add", grace.email, *options).output))
    yield grace
    dispose(app)


def memory_holds(processes: set[int], *needles: bytes) -> list[bytes]:
    """Return which of `needles` are found in the memory of `processes`."""
    found = set()
    for process in processes:
        with Path(f"/proc/{process}/mem").open("rb", 0) as memory:
            for line in Path(f"/proc/{process}/maps").read_text().splitlines():
                area = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if area is None:
                    continue
                first, end = (int(part, 16) for part in area.groups())
                memory.seek(first)
                try:
                    content = memory.read(end - first)
                except OSError:
                    continue  # of the kernel's own
                found |= {needle for needle in needles if needle in content}
    return sorted(found)


def family(server: "subprocess.Popen[bytes]", *, worker: bool) -> set[int]:
    """Return the processes of the server, or those of the key worker that it has started."""
    known, fresh = {server.pid}, {server.pid}
    while fresh:
        children = {
            int(child)
            for one in fresh
            for path in Path(f"/proc/{one}/task").glob("*/children")
            for child in path.read_text().split()
        }
        fresh = children - known
        known |= fresh
    return {one for one in known if (b"key_worker" in Path(f"/proc/{one}/cmdline").read_bytes()) == worker}


@pytest.mark.slow
def test_no_private_key_is_ever_in_the_servers_memory(served, grace):
    site, server = served
    [private_key] = parse_recovery_keys(site.key_file.read_text())
    form = {"csrf_token": grace.token("/organise/account"), "purpose": "full", "dialect": "plain", "reason": "trial"}
    cookie = grace.client.get_cookie("organiser", path="/organise")
    headers = {"Cookie": f"organiser={cookie.value}", "Content-Type": "application/x-www-form-urlencoded"}
    connection = HTTPConnection(urlsplit(site.url).netloc)
    connection.request("POST", "/organise/export", urlencode(form | {"passphrase": PASSPHRASE}), headers)
    answer = connection.getresponse()
    assert answer.read(1000).startswith(b"id,signed_at")
    needles = (bytes(private_key), site.key_file.read_bytes().strip(), MARK)
    assert memory_holds(family(server, worker=False), *needles) == [MARK]
    assert len(answer.read()) > 1_000_000
    connection.close()
    assert family(server, worker=True) == set()
    assert memory_holds(family(server, worker=False), *needles) == [MARK]


@pytest.mark.slow
def test_nothing_secret_is_written_anywhere(served, grace):
    site, _server = served
    form = {"purpose": "full", "dialect": "plain", "reason": "trial"}
    for passphrase in (PASSPHRASE, "a guess of mine"):
        grace.posts("/organise/export", **form, passphrase=passphrase).close()
    needles = [PASSPHRASE.encode(), PASSWORD.encode(), b"a guess of mine", grace.totp.encode(), grace.codes[0].encode()]
    [private_key] = parse_recovery_keys(site.key_file.read_text())
    needles += [bytes(private_key), site.key_file.read_bytes().strip()]
    written = {path: path.read_bytes() for path in (*site.instance.rglob("*"), site.log) if path.is_file()}
    assert len(written) > 2
    assert [path for path, content in written.items() for needle in needles if needle in content] == []


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may lock memory without being asked")
def test_the_servers_memory_is_never_swapped_out(served):
    """A passphrase passes through it."""
    _site, server = served
    stated = [Path(f"/proc/{one}/status").read_text() for one in family(server, worker=False)]
    locked = [int(re.search(r"VmLck:\s+(\d+)", status)[1]) for status in stated]
    assert max(locked) > 30_000  # kB
