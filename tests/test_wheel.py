"""The wheel works without the checkout: templates, static files, translations, migrations and fonts are inside."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from campaign.config.paths import ROOT

pytestmark = pytest.mark.slow

PAGE = """
import campaign
from campaign.app import create_app

assert not campaign.__file__.startswith({checkout!r}), campaign.__file__
client = create_app().test_client()
page = client.get("/ar/")
style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
print(page.status_code, client.get(style).status_code, client.get("/card/ru.png").status_code)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A virtual environment with the wheel, which takes the dependencies from the one of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    run(sys.executable, "-m", "uv", "venv", "--quiet", "--no-config", "--python", sys.executable, folder / "venv")
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = folder.glob("*.whl")
    python = ("--python", folder / "venv" / "bin" / "python")
    run(
        sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config", "--offline", "--no-deps", *python, wheel
    )
    return folder


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_package_serves_the_page_and_has_all_commands(installed):
    settings = {
        name: value for name, value in os.environ.items() if not name.startswith(("CAMPAIGN_", "PYTHON", "FLASK_"))
    }
    settings["CAMPAIGN_INSTANCE"] = str(installed / "instance")
    programs = installed / "venv" / "bin"
    assert "Recovery key:" in run(programs / "campaign", "init", cwd=installed, env=settings)
    assert "confirmed: 0" in run(programs / "campaign", "signatures", "count", cwd=installed, env=settings)
    page = PAGE.format(checkout=str(ROOT / "campaign"))
    assert run(programs / "python", "-c", page, cwd=installed, env=settings).split() == ["200", "200", "200"]
