"""Static files and pages travel compressed; what holds a secret does not."""

import gzip
import os
import re

import brotli
import pytest

from campaign.app import create_app
from campaign.core.database import db
from campaign.web import static_files


@pytest.fixture
def backend() -> str:
    """Files do not depend on the database."""
    return "sqlite"


WAYS = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.fixture
def client(campaign):
    """A visitor of a campaign that is served with compressed files."""
    static_files.compress_files(campaign.settings)
    app = create_app(campaign.settings)
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("encoding", WAYS)
def test_pages_and_files_are_compressed(client, encoding):
    plain = client.get("/en/")
    packed = client.get("/en/", headers={"Accept-Encoding": encoding})
    assert (packed.headers["Content-Encoding"], WAYS[encoding](packed.data)) == (encoding, plain.data)
    assert "Accept-Encoding" in packed.headers["Vary"]
    [style] = re.findall(r'href="(/static/\w+/css/public\.css)"', plain.text)
    answer = client.get(style, headers={"Accept-Encoding": encoding}, buffered=True)
    assert WAYS[encoding](answer.data) == (static_files.STATIC / "css" / "public.css").read_bytes()
    assert "immutable" in answer.headers["Cache-Control"]


def test_each_form_of_a_page_is_known_again_by_its_own_tag(client):
    tags = {encoding: client.get("/en/", headers={"Accept-Encoding": encoding}).headers["ETag"] for encoding in WAYS}
    assert len(set(tags.values())) == len(tags)
    for encoding, tag in tags.items():
        headers = {"Accept-Encoding": encoding, "If-None-Match": tag}
        assert client.get("/en/", headers=headers).status_code == 304


def test_pages_with_secrets_are_not_compressed(campaign, ada):
    ada.signs()
    answer = campaign.client.get(ada.link(), headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in answer.headers


@pytest.mark.slow
def test_the_running_version_stays_however_old_its_files_are(campaign, monkeypatch):
    for number in range(5):
        monkeypatch.setattr(
            static_files, "_hashes", lambda number=number: dict.fromkeys(static_files._COMPRESSED, f"version{number}")
        )
        static_files.compress_files(campaign.settings)
        for name in static_files._COMPRESSED:
            folder = campaign.settings.instance / "static" / name
            assert (folder / f"version{number}").exists()
            for laid in folder.iterdir():
                os.utime(laid, (2e9, 2e9))  # as if all others were newer


@pytest.mark.slow
def test_pages_of_the_last_version_still_find_their_files(campaign, monkeypatch, tmp_path):
    static_files.compress_files(campaign.settings)
    for number in range(4):
        monkeypatch.setattr(
            static_files, "_hashes", lambda number=number: dict.fromkeys(static_files._COMPRESSED, f"version{number}")
        )
        static_files.compress_files(campaign.settings)
    kept = sorted(path.name for path in (campaign.settings.instance / "static" / "css").iterdir())
    assert kept == ["version1", "version2", "version3"]
    client = create_app(campaign.settings).test_client()
    assert client.get("/static/version1/css/base.css", buffered=True).status_code == 200
