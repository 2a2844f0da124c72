"""A campaign served by a real server, as `make run` does it."""

import email
import email.policy
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from campaign.core.languages import LANGUAGES
from tests import services

ROOT = Path(__file__).parent.parent
READY_SECONDS = 30


class Site:
    """A campaign served by `make run`'s own launcher, from an instance folder of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.instance = folder / "instance"
        self.log = folder / "log"
        self.key_file = folder / "recovery.key"
        self.url = f"http://127.0.0.1:{(port := services.free_port())}"
        self.database_url = settings.get("CAMPAIGN_DATABASE_URL", "")
        self.code = ROOT
        self._flag = folder / "serving"
        self._environment = {**os.environ, "CAMPAIGN_INSTANCE": str(self.instance), "PORT": str(port), **settings}

    def set(self, **settings: str) -> None:
        """Change settings in its environment, before it is served."""
        self._environment |= settings

    def known_by_name(self) -> "Site":
        """Use localhost as the host name, since passkeys need a name."""
        self.url = self.url.replace("127.0.0.1", "localhost")
        self._environment["CAMPAIGN_PUBLIC_URL"] = self.url
        return self

    def flask(self, *arguments: str) -> str:
        """Run a `flask` command and return its output."""
        command = self.command(*arguments)
        printed = command.communicate()[0].decode()
        assert command.returncode == 0, printed
        return printed

    def command(self, *arguments: str, own_group: bool = False, with_errors: bool = False) -> "subprocess.Popen[bytes]":
        """Start a `flask` command, whose output, `with_errors` or without, can be read.

        In a process group of its own, a test may kill it with all it started.
        """
        return subprocess.Popen(
            [sys.executable, "-m", "flask", *arguments],
            cwd=self.code,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if with_errors else None,
            start_new_session=own_group,
        )

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the server; returns when it answers."""
        self._flag.touch()
        command = [sys.executable, "-m", "campaign", "serve", "--with-make", str(self._flag)]
        # A group of its own, so that a test may kill the server with all that belongs to it.
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                command, cwd=self.code, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        self._server = server
        wait_for(self._answers, f"the server at {self.url}")
        return server

    @contextmanager
    def served(self) -> Iterator["Site"]:
        """Serve the campaign within the block; the server must end in order."""
        server = self.start()
        try:
            yield self
        finally:
            server.terminate()
        assert server.wait(timeout=READY_SECONDS) == 0

    def worker_pids(self) -> list[int]:
        """Return the process ids of the server's workers."""
        parent = self._server.pid
        return sorted(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))

    def sign(self, fields: dict[str, str]) -> None:
        """Send the form; it must be taken."""
        request = Request(f"{self.url}/sign", urlencode(fields).encode(), {"Accept": "application/json"})
        with urlopen(request, timeout=READY_SECONDS) as response:
            assert json.load(response) == {"status": "check-email"}

    def count(self) -> int:
        """Return the public count."""
        with urlopen(f"{self.url}/count.json") as response:
            return json.load(response)["count"]

    def changes_petition(self, *command: str) -> None:
        """Run `flask petition` with these arguments; return when the page shows it in every language."""
        self.flask("petition", *command)
        is_open = command[0] == "open"
        wait_for(lambda: all(self._has_form(lang) is is_open for lang in LANGUAGES), f"the petition to {command[0]}")

    def _has_form(self, language: str) -> bool:
        with urlopen(f"{self.url}/{language}/") as response:
            return b'name="given_name"' in response.read()

    def waits_for_count(self, number: int) -> None:
        """Return when the public count is `number`: pages may be 1.5 seconds old."""
        wait_for(lambda: self.count() == number, f"the count {number}")

    def status(self, path: str) -> int:
        """Return the status that `path` answers with, at the end of where it leads."""
        with urlopen(f"{self.url}{path}") as response:
            return response.status

    def mails(self, number: int) -> list[EmailMessage]:
        """Return the mails that were sent, once there are `number` of them."""
        folder = self.instance / "mail"
        wait_for(lambda: len(list(folder.glob("*.eml"))) >= number, "the mail")
        contents = (path.read_bytes() for path in folder.glob("*.eml"))
        return [email.message_from_bytes(content, policy=email.policy.default) for content in contents]

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/healthz"):
                return True
        except OSError:  # refused, or cut off in the middle of its start
            return False


def wait_for(happened: Callable[[], object], what: str, *, seconds: float = READY_SECONDS) -> None:
    """Return once `happened` is true; other processes do not tell us, so it is asked for."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.05)


def ready_site(folder: Path, **settings: str) -> Site:
    """Return a campaign that was initialised, ready to be served, with `settings` in its environment."""
    site = Site(folder, **settings)
    site.flask("init", "--recovery-key-out", str(site.key_file))
    return site
