"""The compose file: nothing in it has more rights than it needs, and only the proxy is reached from outside."""

import yaml

from campaign.config.settings import unknown_settings
from tests.live_server import ROOT

FOLDER = ROOT / "deploy/container"
COMPOSE = yaml.safe_load((FOLDER / "compose.yml").read_text())
SERVICES: dict[str, dict] = COMPOSE["services"]


def test_every_service_is_read_only_and_without_rights():
    assert set(SERVICES) == {"app", "database", "redis", "proxy"}
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert "privileged" not in service


def test_only_the_proxy_is_reached_from_outside():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("database", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_settings_exist_and_secrets_are_files():
    environment = SERVICES["app"]["environment"]
    assert unknown_settings(environment) == []
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            is_secret = any(word in name for word in ("PASSWORD", "SECRET", "DATABASE_URL", "MAIL_URL"))
            assert not is_secret or (name.endswith("_FILE") and value.startswith("/run/secrets/")), name
        for secret in service.get("secrets", []):
            assert COMPOSE["secrets"][secret] == {"file": f"secrets/{secret}"}


def test_no_secret_can_get_into_the_image():
    rules = (ROOT / ".containerignore").read_text().split("\n")
    assert next(line for line in rules if line and not line.startswith("#")) == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert {"campaign", "templates", "static"} < allowed
    assert not allowed & {"instance", ".git", ".venv", "tests", "deploy", "deploy/container", "."}
