"""The systemd unit and the scripts that are shipped."""

import re
import shutil
import subprocess

import pytest

from tests.live_server import ROOT

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
TIMERS = sorted((ROOT / "deploy/systemd").glob("*.timer"))
MOST_EXPOSED = 1.5  # of 10, by systemd's own scale
SCRIPTS = [
    ROOT / name
    for name in (
        "deploy/install.sh",
        "deploy/campaign",
        "deploy/ha/setup.sh",
        "deploy/container/reduce",
        "deploy/ha/post_bootstrap.sh",
        "tools/setup",
        "tools/test-services",
    )
]


def run(*command: object) -> str:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    printed = result.stdout + result.stderr
    assert result.returncode == 0, printed
    return printed


@pytest.mark.parametrize("unit", [*UNITS, *TIMERS], ids=lambda path: path.name)
def test_the_unit_is_valid(tmp_path, unit):
    program = shutil.which("true") or ""  # what the unit starts is not installed where the tests run
    for shipped in (*UNITS, *TIMERS):
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={program}", shipped.read_text(), flags=re.MULTILINE)
        (tmp_path / shipped.name).write_text(text)
    name = unit.name.replace("@.", "@full.")
    (tmp_path / name).write_text((tmp_path / unit.name).read_text())
    assert run("systemd-analyze", "verify", "--man=no", tmp_path / name) == ""


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_unit_leaves_its_program_few_rights(unit):
    printed = run("systemd-analyze", "security", "--offline=true", unit)
    assert float(re.search(r"Overall exposure level for \S+: ([\d.]+)", printed)[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_no_fault(script):
    assert run("shellcheck", script) == ""


def test_the_command_reads_settings_as_systemd_does_and_evaluates_nothing(tmp_path):
    """The part of the script that reads them, with a file in which a shell would run commands."""
    loop = re.search(r"^while .*?^done <.*?$", (ROOT / "deploy/campaign").read_text(), re.MULTILINE | re.DOTALL)[0]
    settings = tmp_path / "campaign.env"
    settings.write_text(
        '# CAMPAIGN_FILM=none\nCAMPAIGN_SIGN_LIMIT=5 per minute;50 per day\nCAMPAIGN_MAIL_URL="smtp://u:$(id)`id`@h?a=b"\n'
    )
    script = loop.replace("/etc/campaign/campaign.env", str(settings)) + "\nenv\n"
    printed = subprocess.run(
        ["sh", "-euc", script], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert set(printed.stdout.splitlines()) >= {
        "CAMPAIGN_SIGN_LIMIT=5 per minute;50 per day",
        "CAMPAIGN_MAIL_URL=smtp://u:$(id)`id`@h?a=b",
    }
    assert "CAMPAIGN_FILM" not in printed.stdout
