"""The linters of the field find no fault in the configurations that are shipped."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_server import ROOT


def run(*command: str) -> str:
    """Run a linter, which must succeed, and return its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_hadolint_finds_no_fault_in_the_containerfile():
    run(str(Path(sys.executable).parent / "hadolint"), str(ROOT / "deploy/container/Containerfile"))


@pytest.mark.slow
def test_gixy_finds_no_fault_in_the_nginx_configuration(tmp_path):
    shipped = (ROOT / "deploy/nginx/campaign.conf").read_text()
    included = "/etc/nginx/campaign-kept.conf"
    assert included in shipped
    (tmp_path / "site.conf").write_text(shipped.replace(included, str(ROOT / "deploy/nginx/campaign-kept.conf")))
    (tmp_path / "nginx.conf").write_text(f"events {{}}\nhttp {{\ninclude {tmp_path}/site.conf;\n}}\n")
    # The application itself sends Strict-Transport-Security.
    command = [sys.executable, "-m", "gixy.cli", "--skips", "hsts_header", str(tmp_path / "nginx.conf")]
    assert "No issues found" in run(*command)
