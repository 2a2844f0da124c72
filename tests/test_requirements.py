"""The requirements files pin everything that a new machine installs."""

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def pinned_packages() -> set[str]:
    lines = "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    pins = map(Requirement, re.findall(r"^([a-z0-9].*==.*?) \\?$", lines, re.MULTILINE))
    return {canonicalize_name(pin.name) for pin in pins if applies(pin)}


def test_whatever_a_pinned_package_requires_is_pinned_for_this_platform():
    """A pin whose marker excludes this platform goes unnoticed on an old .venv and breaks the installation of a new."""
    pins = pinned_packages()
    assert len(pins) > 100
    for package in pins:
        for required in filter(applies, map(Requirement, requires(package) or ())):
            assert canonicalize_name(required.name) in pins, f"{package} requires {required}"
