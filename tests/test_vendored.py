"""Vendored files are unchanged, and listed with their source and licence."""

import hashlib
import re

import pytest

from campaign.config.paths import ROOT

FOLDERS = [
    *sorted((ROOT / "static" / "vendor").iterdir()),
    ROOT / "static" / "css" / "fonts",
    *sorted((ROOT / "campaign" / "fonts").iterdir()),
]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_vendored_files_are_those_whose_checksums_stand_beside_them(folder):
    stated = dict(re.findall(r"^    ([0-9a-f]{64})  (\S+)", (folder / "README.md").read_text(), re.MULTILINE))
    files = [path for path in folder.iterdir() if path.name != "README.md"]
    assert {hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in files} == stated


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_its_licence_is_there(folder):
    assert [path for path in folder.iterdir() if path.name in ("LICENSE.txt", "OFL.txt")]
