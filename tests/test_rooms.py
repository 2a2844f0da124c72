"""The architecture: imports go downwards only, and the domain rooms know nothing of requests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "campaign").rglob("*.py"))

# A room may import those that stand below it, and itself. `petition` also uses `mail`: a signature and its confirmation
# mail are one transaction.
BASE = {"errors", "checks", "config", "files", "secret", "logs", "days", "db", "models", "migrating"}
BASE |= {
    "options",
    "switches",
    "stages",
    "tallies",
    "typefaces",
    "typesetting",
    "memory",
    "disk",
    "capacity",
    "secret_text",
    "text",
}
MAY_IMPORT = {
    "errors": set(),
    "checks": set(),
    "config": {"checks", "errors"},
    "disk": {"config"},
    "files": set(),
    "logs": set(),
    "secret": {"checks", "config", "errors", "files"},
    "db": set(),
    "models": {"db"},
    "days": set(),
    "text": {"errors"},
    "typefaces": set(),
    "typesetting": {"typefaces"},
    "memory": set(),
    "capacity": {"errors"},
    "secret_text": set(),
    "options": {"db", "models"},
    "switches": {"db", "models"},
    "stages": {"db", "models", "switches"},
    "tallies": {"db"},
    "migrating": {"db", "errors"},
    "migrations": set(),
    "film": BASE,
    "sharing": BASE,
    "mail": BASE,
    "petition": BASE | {"mail"},
    "organising": BASE,
    "state": BASE | {"mail", "petition"},
    "housekeeping": BASE | {"organising", "petition", "state", "vault"},
    "vault": BASE | {"organising", "petition"},
    "web": BASE | {"film", "sharing", "mail", "organising", "petition", "state", "vault"},
    "cli": BASE | {"film", "sharing", "mail", "organising", "petition", "state"},
}
DOMAIN = ("film", "sharing", "organising", "petition")


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "campaign").parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path):
    room = room_of(path)
    if room in ("app", "__init__") or path.relative_to(ROOT) == Path("campaign/cli/__init__.py"):
        return  # the factory knows all, and the flask command calls it
    rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("campaign.")}
    assert rooms <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) in DOMAIN], ids=str)
def test_domain_rooms_know_nothing_of_requests(path):
    assert not [name for name in imports_of(path) if name.split(".")[0].startswith("flask")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path):
    assert len(path.read_text().splitlines()) < 250
