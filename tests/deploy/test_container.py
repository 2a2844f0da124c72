"""The container image is built as an operator builds it, on a base made by mmdebstrap, and serves a campaign."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests import services
from tests.live_server import ROOT, wait_for

BASE, IMAGE = "localhost/campaign-test-base", "localhost/campaign-test"
PROGRAMS = ("buildah", "mmdebstrap", "podman", "runc")
MAX_MEGABYTES = 300
NETWORK = ["--network", "host"]
CONFINED = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp"]
LIMITS = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", "--no-healthcheck"]
PODMAN = ["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
missing = [name for name in PROGRAMS if shutil.which(name) is None]
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(missing) or os.geteuid() != 0, reason=f"needs root, and misses: {missing}"),
]


def run(*command: str) -> str:
    """Run a command, which must succeed, and return its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_base(folder: Path) -> None:
    """Import a minimal Debian 12 with Python."""
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")]
    hooks = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"
    archive = folder / "base.tar"
    include = "--include=python3,ca-certificates"
    run("mmdebstrap", "--quiet", "--variant=minbase", hooks, include, *excluded, "bookworm", str(archive))
    run("podman", "import", "--quiet", str(archive), BASE)


def download_wheels(folder: Path) -> Path:
    """Download what the image installs, since a build in a test has no settings of this machine."""
    text = (ROOT / "requirements.txt").read_text()
    requirements = folder / "requirements.txt"
    # The base has an older Python 3.11 than this machine, which needs one package more.
    requirements.write_text(
        "\n".join(line.replace(" ; python_full_version < '3.11.3'", "") for line in text.split("\n"))
    )
    [pip] = (ROOT / "tools/vendor").glob("pip@*/pip-*.whl")
    wheels = folder / "wheels"
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--find-links", "tools/vendor/jstyleson@0.0.2"]
    run(sys.executable, "-I", f"{pip}/pip", "download", "-qq", *options, "-r", str(requirements), "-d", str(wheels))
    return wheels


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """The image."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            make_base(folder)
            wheels = download_wheels(folder)
        except AssertionError as error:
            pytest.skip(f"Debian's or PyPI's packages cannot be had: {error}")
        (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        mounts = ["-v", f"{wheels}:/wheels:ro", "-v", f"{folder}/pip.conf:/etc/pip.conf:ro"]
        options = [
            "--format",
            "docker",
            "--isolation",
            "chroot",
            *NETWORK,
            "--pull-never",
            "--build-arg",
            f"BASE={BASE}",
        ]
        run("buildah", "bud", "--quiet", *options, *mounts, "-f", "deploy/container/Containerfile", "-t", IMAGE, ".")
        yield IMAGE
    run("podman", "rmi", "--force", IMAGE, BASE)


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder for the campaign's data that the image's user owns."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        os.chown(folder, 10001, 10001)
        yield folder


def container(image: str, data: Path, *arguments: str, entrypoint: str = "", **settings: str) -> list[str]:
    """Return the command that runs `image` with as few rights as possible."""
    environment = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
    program = ["--entrypoint", entrypoint] if entrypoint else []
    options = [*NETWORK, *LIMITS, *CONFINED, *environment, *program, "-v", f"{data}:/data"]
    return [*PODMAN, "run", "--rm", *options, image, *arguments]


def test_it_is_small_and_holds_nothing_else(image, data):
    def megabytes(name: str) -> float:
        [inspected] = json.loads(run("podman", "image", "inspect", name))
        return inspected["Size"] / 1e6

    print(f"\nimage {megabytes(image):.0f} MB, on a base of {megabytes(BASE):.0f} MB")
    assert megabytes(image) < MAX_MEGABYTES
    listed = run(*container(image, data, "-c", "find / -xdev -type f; id -u", entrypoint="sh"))
    files = listed.split("\n")
    assert "/opt/campaign/campaign/app.py" in files
    assert listed.rstrip().endswith("10001")
    for name in (
        ".git",
        "instance",
        "secret.key",
        "campaign.sqlite3",
        "tests/conftest.py",
        "requirements-dev",
        "node_modules",
    ):
        assert not [file for file in files if f"/opt/campaign/{name}" in file or file.endswith(f"/{name}")], name


def test_it_serves_a_campaign_on_a_read_only_file_system(image, data):
    port = services.free_port()
    settings = {"CAMPAIGN_BIND": f"127.0.0.1:{port}", "CAMPAIGN_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    said = run(*container(image, data, "init", "--recovery-key-out", "/data/recovery.key", **settings))
    assert "The campaign is ready" in said
    server = subprocess.Popen(container(image, data, **settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(url), "the container")
        for path in ("/ar/", "/card/ru.png", "/card/ru.avif", "/ru/poster-a4.pdf", "/qr.svg", "/metrics"):
            with urlopen(f"{url}{path}", timeout=60) as response:
                assert response.status == 200, path
                assert response.read()
        form = {"given_name": "Ada", "email": "ada@example.org", "country": "GB"}
        request = Request(f"{url}/sign", urlencode(form).encode(), {"Accept": "application/json", "Origin": url})
        with urlopen(request, timeout=30) as response:
            assert json.load(response) == {"status": "check-email"}
        wait_for(lambda: list((data / "mail").glob("*.eml")), "the email")
        counted = run(*container(image, data, "signatures", "count", **settings))
        assert "1" in counted
        options = ["--include-unconfirmed", "--key-file", "/data/recovery.key"]
        exported = run(*container(image, data, "signatures", "export", *options, **settings))
        assert "ada@example.org" in exported
    finally:
        server.terminate()
        output = server.communicate(timeout=60)[0].decode()
    assert "Serving on" in output
    assert "ada@example.org" not in output
    assert server.returncode == 0


def answers(url: str) -> bool:
    """Return whether the server at `url` answers."""
    try:
        with urlopen(f"{url}/healthz", timeout=5):
            return True
    except OSError:
        return False
