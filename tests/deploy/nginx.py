"""The nginx configuration that is shipped, running, and the server behind it."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import services
from tests.deploy.tls_client import ADDRESS, Answer, make_certificate, tls_ask
from tests.live_server import READY_SECONDS, ROOT, Site, wait_for


class Proxy:
    """The shipped configuration, with the paths and ports of this test."""

    def __init__(self, folder: Path, socket: Path, connections: int = 1024) -> None:
        self.folder, self.port, self.plain_port = folder, services.free_port(), services.free_port()
        self.access_log, self.error_log = folder / "campaign-access.log", folder / "campaign-error.log"
        certificate, key = make_certificate(folder)
        self._trust = ssl.create_default_context(cafile=str(certificate))
        replaced = {
            "unix:/run/campaign/app.sock": f"unix:{socket}",
            "/etc/nginx/campaign-kept.conf": str(ROOT / "deploy/nginx/campaign-kept.conf"),
            "/etc/campaign/tls/fullchain.pem": str(certificate),
            "/etc/campaign/tls/privkey.pem": str(key),
            "/var/cache/nginx/campaign": str(folder / "cache"),
            "/var/log/nginx": str(folder),
            "listen 443": f"listen {ADDRESS}:{self.port}",
            "listen 80": f"listen {ADDRESS}:{self.plain_port}",
        }
        text = (ROOT / "deploy/nginx/campaign.conf").read_text()
        text = re.sub(r" *listen \[::\].*\n", "", text)
        for shipped, ours in replaced.items():
            assert shipped in text, shipped
            text = text.replace(shipped, ours)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off;\nworker_rlimit_nofile {2 * connections};\npid {folder}/pid;\n"
            f"error_log {folder}/main.log crit;\n"
            f"events {{ worker_connections {connections}; }}\nhttp {{\n{temporary}{text}}}\n"
        )

    def command(self, *arguments: str) -> list[str]:
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(self.folder / "nginx.conf"), *arguments]

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Run nginx within the block."""
        nginx = subprocess.Popen(self.command(), start_new_session=True)
        try:
            wait_for(self._answers, "nginx")
            yield self
        finally:
            nginx.terminate()
            nginx.wait()

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        """Ask the proxy, by its name, over TLS."""
        return tls_ask(self.port, self._trust, method, path, fields, **headers)

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/healthz").status == 200
        except OSError:
            return False


class Server:
    """The campaign on a socket, which a test may stop and start again."""

    def __init__(self, site: Site, socket: Path) -> None:
        self._site, self.socket = site, socket

    def start(self) -> None:
        self._process = self._site.command("serve")
        assert self._process.stdout.readline().startswith(b"Serving")
        self.socket.chmod(0o666)  # this nginx is in no group of ours

    def stop(self) -> None:
        self._process.terminate()
        self._process.stdout.close()
        assert self._process.wait(timeout=READY_SECONDS) == 0
