"""Servers of two releases side by side: nobody notices an upgrade."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from campaign.config.paths import MIGRATIONS
from tests.live_server import ROOT, Site, wait_for

pytestmark = pytest.mark.slow

NEWER = '''"""A trial: a column that older code does not know."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"
branch_labels = None
depends_on = None
compatible_from = "{compatible_from}"


def upgrade() -> None:
    op.add_column("signatures", sa.Column("trial", sa.Integer, server_default="0"))
'''
FORM = {"given_name": "Ada", "country": "GB"}


def newer_release(folder: Path, *, fits: bool = True) -> Path:
    """Return a copy of the code with one more migration; `fits` tells whether ours may go on with its database."""
    newest = max(path.name[:4] for path in MIGRATIONS.glob("0*.py"))
    shutil.copytree(ROOT / "campaign", folder / "campaign", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("templates", "static", ".flaskenv"):
        (folder / name).symlink_to(ROOT / name)
    text = NEWER.format(newest=newest, compatible_from=newest if fits else "9999")
    (folder / "campaign" / "migrations" / "9999_trial.py").write_text(text)
    return folder


@pytest.fixture
def old(ready, tmp_path) -> Site:
    (tmp_path / "old").mkdir()
    return ready.site(tmp_path / "old", "postgresql", CAMPAIGN_SIGN_LIMIT="", CAMPAIGN_WORKERS="2")


@pytest.fixture
def new(ready, old, tmp_path) -> Site:
    """Another server of the campaign, with newer code."""
    (tmp_path / "new").mkdir()
    site = ready.site(tmp_path / "new", CAMPAIGN_SIGN_LIMIT="", CAMPAIGN_WORKERS="2")
    site.set(CAMPAIGN_DATABASE_URL=old.database_url)
    site.code = newer_release(tmp_path / "release")
    return site


@contextmanager
def visited(site: Site) -> Iterator[list[Exception]]:
    """Sign, read and check `site` again and again within the block; yields what went wrong so far."""
    errors: list[Exception] = []
    numbers, over = count(), Event()

    def visit() -> None:
        while not over.is_set():
            try:
                site.sign({**FORM, "email": f"ada{next(numbers)}@{site.instance.parent.name}.example.org"})
                assert {site.status(path) for path in ("/en/", "/count.json", "/readyz")} == {200}
            except Exception as error:  # noqa: BLE001 - raised in the test
                errors.append(error)

    visitors = [Thread(target=visit) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    try:
        yield errors
    finally:
        over.set()
        for visitor in visitors:
            visitor.join()


def test_old_and_new_servers_work_side_by_side_and_no_request_fails(old, new):
    with old.served(), visited(old) as errors_of_old:
        new.flask("init")
        with new.served(), visited(new) as errors_of_new:
            signed = old.flask("signatures", "count")
            wait_for(lambda: old.flask("signatures", "count") != signed, "further signatures")
            assert (errors_of_old, errors_of_new) == ([], [])
    assert (errors_of_old, errors_of_new) == ([], [])


def test_a_worker_that_dies_during_an_upgrade_comes_back_with_the_code_that_fits(ready, tmp_path):
    (tmp_path / "site").mkdir()
    site = ready.site(tmp_path / "site")
    site.code = newer_release(tmp_path / "release")
    (site.code / "campaign" / "migrations" / "9999_trial.py").unlink()
    with site.served():
        shutil.rmtree(site.code / "campaign")  # an upgrade has replaced the code
        [worker] = site.worker_pids()
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: site.worker_pids() not in ([], [worker]), "another worker")
        wait_for(lambda: _signs(site), "a signature")


def _signs(site: Site) -> bool:
    try:
        site.sign({**FORM, "email": "ada@example.org"})
    except OSError:
        return False
    return True


def test_old_code_that_does_not_fit_stops_being_ready_and_does_not_start_again(old, new, tmp_path):
    shutil.rmtree(new.code)
    new.code = newer_release(tmp_path / "release", fits=False)
    with old.served():
        assert old.status("/readyz") == 200
        new.flask("init")
        with pytest.raises(OSError, match="503"):
            old.status("/readyz")
    command = old.command("serve", with_errors=True)
    assert "Error: the database belongs to a newer release" in command.communicate(timeout=30)[0].decode()
    assert command.returncode == 1
