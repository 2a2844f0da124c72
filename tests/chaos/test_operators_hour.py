"""One operator's hour: a fresh Debian, and docs/operations.md followed word for word to a served campaign.

The commands are those of the document. Two things stand in for what a test cannot have: a certificate that the test
trusts for the one that certbot gets, and, since no systemd runs in here, a `systemctl` that starts the unit's
`ExecStart` with the unit's environment.
"""

import http.client
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.documents import shell_blocks
from tests.live_server import ROOT, wait_for
from tests.smtp_sink import sink

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

HOST = "love.example.org"
TOKEN = "of-prometheus-in-this-test"
PORTS = (80, 443, 5432, 6379)
HOUR = 3600
UNIT = "/etc/systemd/system/campaign.service"
# What the reader fills in, as the document writes it
PLACEHOLDER_REPOSITORY = "<this repository>"
REPOSITORY = "/srv/love.git"
# What the reader answers: "Do you want to continue?"
APT_ANSWERS = 'APT::Get::Assume-Yes "true";\n'
# How the run-book marks what the test does on its machine, and where it finds what was saved
ON_THE_SERVER = "a server with root access"
SAVED = "/root/saved"
# What `campaign check --dns` finds because only this machine knows the name, and because the clock is that of the
# machine around it
FINDINGS_OF_THE_TEST = {"SPF", "DKIM", "DMARC", "bounces", "clock"}

SYSTEMCTL = """#!/bin/sh
# In place of systemd's, which does not run here: what docs/operations.md asks of it.
set -eu
stop() {
    [ -e /run/campaign.pid ] || return 0
    pid=$(cat /run/campaign.pid)
    rm /run/campaign.pid
    kill -s TERM "$pid"
    tail --pid="$pid" -f /dev/null
}
start() {
    /usr/local/sbin/start-campaign >>/var/log/campaign.log 2>&1 </dev/null &
    echo $! >/run/campaign.pid
}
case "$*" in
"stop campaign") stop ;;
"start campaign") start ;;
"restart campaign") stop; start ;;
"reload nginx") exec service nginx reload ;;
*) echo "systemctl: the test knows nothing of: $*" >&2; exit 1 ;;
esac
"""

EDITOR = """#!/bin/sh
# The operator's editor: writes the mail server into its line, and a token for Prometheus below.
set -eu
[ "$1" = /etc/campaign/campaign.env ]
grep -q '^CAMPAIGN_MAIL_URL=' "$1"
sed -i 's|^CAMPAIGN_MAIL_URL=.*|CAMPAIGN_MAIL_URL={mail}|' "$1"
grep -q ^CAMPAIGN_METRICS_TOKEN= "$1" || echo 'CAMPAIGN_METRICS_TOKEN={token}' >>"$1"
"""


class Machine:
    """A fresh Debian in a folder, with processes and mounts of its own, which end with the test."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "debian"
        sources = [*sorted(Path("/etc/apt").glob("sources.list.d/*.sources")), Path("/etc/apt/sources.list")]
        debian = [str(path) for path in sources if path.exists()]
        settings = [f"--aptopt={path}" for path in sorted(Path("/etc/apt/apt.conf.d").glob("99*"))]
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", *settings, "bookworm", self.root, *debian], check=True
        )
        self._as_this_machine()
        mounts = f'mount --rbind /dev "{self.root}/dev" && exec chroot "{self.root}" bash -c "read -r _"'
        namespaces = ["--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root}/proc"]
        # Ends with its standard input, which is ours, and with it all that runs in here.
        self._keeper = subprocess.Popen(["unshare", *namespaces, "sh", "-c", mounts], stdin=subprocess.PIPE)
        children = Path(f"/proc/{self._keeper.pid}/task/{self._keeper.pid}/children")
        wait_for(lambda: bool(children.read_text()), "the machine")
        self._first = children.read_text().strip()
        wait_for(lambda: Path(f"/proc/{self._first}/comm").read_text() == "bash\n", "the machine's first process")

    def close(self) -> None:
        assert self._keeper.stdin
        self._keeper.stdin.close()
        self._keeper.wait(timeout=60)

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def read(self, path: str) -> str:
        return (self.root / path.lstrip("/")).read_text()

    def run(self, script: str, *, status: int = 0) -> str:
        """Run commands as the operator types them, and return what they print. The first that fails ends them."""
        environment = {
            "HOME": "/root",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "EDITOR": "/usr/local/bin/edit",
            **{name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")},
            **{name: os.environ[name] for name in ("PIP_INDEX_URL", "PIP_CERT") if name in os.environ},
        }
        command = ["nsenter", "--target", self._first, "--mount", "--pid", "--root", "--wd", "env", "-i"]
        command += [f"{name}={value}" for name, value in environment.items()]
        done = subprocess.run(
            [*command, "bash", "-e", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(f"$ {script}\n{done.stdout}")
        assert done.returncode == status, done.stdout
        return done.stdout

    def _as_this_machine(self) -> None:
        """Trust what this machine trusts, and use the package indexes that it uses."""
        certificates = Path("/usr/local/share/ca-certificates")
        if certificates.is_dir():
            shutil.copytree(certificates, self.root / "usr/local/share/ca-certificates", dirs_exist_ok=True)
        bundle = Path("/etc/ssl/certs/ca-certificates.crt")
        if bundle.exists():
            self.write(str(bundle), bundle.read_text())
        for path in (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf"):
            if path.exists():  # folders of this machine are not there
                lines = [line for line in path.read_text().splitlines() if not re.search(r"find-links|file://", line)]
                self.write(str(path), "\n".join([*lines, ""]))
        self.write("/etc/apt/apt.conf.d/90answers", APT_ANSWERS)
        self.write("/etc/hosts", f"127.0.0.1 localhost {HOST}\n")
        self.write("/etc/resolv.conf", Path("/etc/resolv.conf").read_text())


class Tls(http.client.HTTPSConnection):
    """A connection to this machine that asks for the campaign by its name."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        super().__init__(HOST, context=trust, timeout=30)
        self._trust = trust

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", 443), self.timeout)
        self.sock = self._trust.wrap_socket(plain, server_hostname=HOST)


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    with sink(tmp_path / "recipients") as port:
        yield port, tmp_path / "recipients"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if os.geteuid():
        pytest.skip("only root can make a machine")
    for port in PORTS:
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))  # taken? then the machine, which shares this network, could not serve
    machine = Machine(tmp_path)
    try:
        yield machine
    finally:
        machine.close()
        shutil.rmtree(machine.root)


def copy_repository(machine: Machine) -> None:
    """Put the repository where the reader's would be, with what is not committed yet."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    target = machine.root / REPOSITORY.lstrip("/")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    git = ["git", "-C", str(target), "-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-q", "-m", "As it is"]):
        subprocess.run([*git, *arguments], check=True)


def start_script(unit: str) -> str:
    """Return a program that starts what a systemd unit starts, as the user and with the environment it names."""
    lines = [line.partition("=") for line in unit.splitlines() if "=" in line and not line.startswith("#")]
    one = {name: value for name, _, value in lines}

    def expand(value: str) -> str:
        for specifier, path in {"%S": "/var/lib", "%t": "/run", "%d": "/run/credentials/campaign.service"}.items():
            value = value.replace(specifier, path)
        return value

    name, _, source = one["LoadCredential"].partition(":")
    folder, run = expand("%d"), expand(f"%t/{one['RuntimeDirectory']}")
    user = f"--reuid {one['User']} --regid {one['Group']} --init-groups"
    owner = f"-o {one['User']} -g {one['Group']}"
    settings = [word for key, _, value in lines if key == "Environment" for word in expand(value).split()]
    return "\n".join(
        [
            "#!/bin/bash",
            "set -eu",
            f"install -d {owner} -m 500 {folder} && install {owner} -m 400 {source} {folder}/{name}",
            f"install -d {owner} -m {one['RuntimeDirectoryMode']} {run}",
            f"mapfile -t settings < <(grep '^[A-Z]' {one['EnvironmentFile']})",
            f"umask {one['UMask']}; cd {one['WorkingDirectory']}",
            f"settings+=({shlex.join(settings)})",
            f'exec setpriv {user} env -i PATH=$PATH "${{settings[@]}}" {one["ExecStart"]}',
            "",
        ]
    )


def test_an_operator_serves_a_campaign_within_an_hour(machine: Machine, mail: tuple[int, Path]) -> None:
    began = time.monotonic()
    port, recipients = mail
    copy_repository(machine)
    machine.write("/usr/local/bin/systemctl", SYSTEMCTL, mode=0o755)
    mail_url = f"smtp://127.0.0.1:{port}?from=campaign@{HOST}"
    machine.write("/usr/local/bin/edit", EDITOR.format(mail=mail_url, token=TOKEN), mode=0o755)

    blocks = [b.text for b in shell_blocks(ROOT / "docs/operations.md") if b.section == "One server in an hour"]
    install, set_mail, certificate, check, backup = blocks

    printed = machine.run(install.replace(PLACEHOLDER_REPOSITORY, REPOSITORY))
    recovery_key = re.search(r"Recovery key: (\S+)", printed)
    invitation = re.search(rf"Invitation: https://{re.escape(HOST)}(/organise/invitation/\S+)", printed)
    assert recovery_key, printed
    assert invitation, printed

    machine.write("/usr/local/sbin/start-campaign", start_script(machine.read(UNIT)), mode=0o755)
    machine.run(set_mail)

    assert "certbot" in certificate  # the certificate of deploy/install.sh stays, and the test trusts it
    trust = ssl.create_default_context(cadata=machine.read("/etc/campaign/tls/fullchain.pem"))

    def ask(method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
        connection = Tls(trust)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    wait_for(lambda: ask("GET", "/readyz")[0] == 200, "the campaign behind nginx")
    assert b'name="given_name"' in ask("GET", "/en/")[1]
    assert ask("GET", invitation[1])[0] == 200

    checks = json.loads(machine.run(f"{check.strip()} --json || true"))["checks"]
    found = {one["check"]: one["findings"] for one in checks if one["findings"]}
    assert found.keys() <= FINDINGS_OF_THE_TEST, found

    form = urlencode({"given_name": "Ada", "email": "ada@example.org", "country": "GB"})
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    assert ask("POST", "/sign", form, **kind) == (202, b'{"status":"check-email"}\n')
    wait_for(lambda: "ada@example.org" in recipients.read_text(), "the email")

    assert ask("GET", "/metrics")[0] == 404
    status, metrics = ask("GET", "/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert b"campaign_" in metrics

    restored = machine.run(backup)
    assert restored.count("1 signatures, 0 of them confirmed") == 2, restored
    assert "FAIL" not in restored

    machine.write("/root/recovery.key", f"{recovery_key[1]}\n")
    machine.run("install -o campaign -m 600 /root/recovery.key /srv/backups/recovery.key")
    exported = machine.run("campaign signatures export --include-unconfirmed --key-file /srv/backups/recovery.key")
    assert "ada@example.org" in exported

    minutes = (time.monotonic() - began) / 60
    print(f"One operator's hour: {minutes:.1f} minutes")
    assert minutes * 60 < HOUR

    pages = [block for block in shell_blocks(ROOT / "docs/run-book.md") if block.elsewhere == ON_THE_SERVER]
    assert {"Rotate the secret key", "The site is slow", "The server was seized"} <= {block.section for block in pages}
    for block in pages:
        if SAVED in block.text:  # what the operator saved elsewhere before
            machine.run(f"install -d {SAVED} && install -m 600 /etc/campaign/secret.key {SAVED}/secret.key")
            machine.run(f"campaign backup /srv/backups/last && mv /srv/backups/last {SAVED}/backup")
        machine.run(block.text)
        if "systemctl start" in block.text or "systemctl restart" in block.text:
            wait_for(lambda: ask("GET", "/readyz")[0] == 200, f"the campaign after {block.name}")
    assert "unconfirmed: 1" in machine.run("campaign signatures count")
    assert machine.run("campaign keys list").count("created ") == 2
    machine.run("cmp -s /root/saved/secret.key /etc/campaign/secret.key", status=1)
