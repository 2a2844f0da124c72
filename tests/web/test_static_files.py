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


def other_version(path: str) -> str:
    """Return the path of the same file in a version that no server has."""
    return re.sub(r"/[0-9a-f]{16}/", f"/{'0123456789abcdef'}/", path)


@pytest.mark.parametrize("name", ["css/public.css", "film/captions.en.vtt", "icons/icon.svg"])
def test_a_file_of_an_unknown_version_is_the_present_one_for_a_minute(campaign, name):
    path = static_files.static_url(name)
    ours = campaign.client.get(path, buffered=True)
    answer = campaign.client.get(other_version(path), buffered=True)
    assert (answer.status_code, answer.data) == (200, ours.data)
    assert answer.headers.getlist("Cache-Control") == ["public, max-age=60"]
    assert "immutable" in ours.headers["Cache-Control"]
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert campaign.client.get(other_version(path), headers=tag).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/static/0123456789abcdef/css/none.css",
        "/static/0123456789abcdef/css/",
        "/static/0123456789abcdef/css/../css/public.css",
        "/static/0123456789abcdef/css/%2e%2e/%2e%2e/etc/passwd",
        "/static/0123456789abcdef/templates/base.html",
        "/static/0123456789abcde/css/public.css",
        "/static/0123456789abcdef0/css/public.css",
        "/x/static/0123456789abcdef/css/public.css",
    ],
)
def test_nothing_else_is_found_by_an_unknown_version(campaign, path):
    assert campaign.client.get(path).status_code == 404


def test_exported_files_are_at_their_addresses_and_the_last_versions_stay(campaign, monkeypatch, tmp_path):
    folder = tmp_path / "public"
    real = static_files._hashes()
    for number in range(4):
        monkeypatch.setattr(static_files, "_hashes", lambda number=number: dict.fromkeys(real, f"version{number}"))
        result = campaign.command("static", "export", str(folder))
        assert result.exit_code == 0, result.output
        assert f"{len(real)} folders added" in result.output
        for path in folder.glob("static/*/*"):
            os.utime(path, (1e9 + int(path.parent.name[-1]),) * 2)
    assert sorted(path.name for path in (folder / "static").iterdir()) == ["version1", "version2", "version3"]
    monkeypatch.undo()
    assert campaign.command("static", "export", str(folder)).exit_code == 0
    page = campaign.client.get("/en/").text
    named = set(re.findall(r'"(/static/[^"?# ]+)"', page))
    assert len(named) > 5
    for path in named:
        assert (folder / path[1:]).read_bytes() == campaign.client.get(path, buffered=True).data
    [style] = [path for path in named if path.endswith("/public.css")]
    packed = gzip.decompress((folder / f"{style[1:]}.gz").read_bytes())
    assert packed == (static_files.STATIC / "css" / "public.css").read_bytes()
    assert "0 folders added" in campaign.command("static", "export", str(folder)).output


def test_files_that_cannot_be_exported_are_one_line(campaign, tmp_path):
    (tmp_path / "file").write_text("")
    result = campaign.command("static", "export", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1
    assert "cannot be written (Not a directory)" in result.output
