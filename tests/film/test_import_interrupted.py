"""An import that is stopped, refused or repeated never shows anything half-made, and loses no finished work."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from campaign.errors import FilmError
from campaign.film import library
from campaign.film.importer.publish import import_film
from campaign.film.tracks import TrackFiles
from tests import services
from tests.live_server import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(services.why_no_ffmpeg() is not None, reason=str(services.why_no_ffmpeg())),
]


@pytest.fixture(scope="session")
def tiny(make_film):
    return make_film("tiny.mp4", size="64x64", seconds=2)


class Importer:
    """Imports films into a folder, and remembers the parts that were made."""

    def __init__(self, films: Path) -> None:
        self.films = films
        self.shown: list[str] = []

    def __call__(self, source: Path, name: str = "sochi", texts: TrackFiles | None = None):
        self.shown.clear()
        return import_film(self.films, source, name=name, texts=texts or TrackFiles(), show=self._show)

    def _show(self, label: str, _done: float) -> None:
        self.shown.append(label)
        self.on_show(label)

    def on_show(self, label: str) -> None:
        """A test may do something at that moment."""


@pytest.fixture
def importer(films):
    return Importer(films)


@pytest.fixture(scope="session")
def published(tiny, tmp_path_factory):
    films = tmp_path_factory.mktemp("published") / "films"
    import_film(films, tiny, name="sochi", texts=TrackFiles(), show=lambda *_: None)
    return films


@pytest.fixture
def again(importer, published):
    """An importer into a folder that has the tiny film already."""
    shutil.copytree(published, importer.films)
    return importer


@pytest.fixture
def running(tmp_path, film_file):
    """The command, which has begun to encode AV1; H.264 is finished."""
    command = [sys.executable, "-m", "flask", "film", "import", str(film_file), "--name", "sochi"]
    environment = {**os.environ, "CAMPAIGN_INSTANCE": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        wait_for(lambda: list(tmp_path.glob("films/sochi/.*.part/.av1.tmp/*.mp4")), "the second part")
        yield process
        process.kill()


def working_in(folder: Path) -> list[str]:
    """The processes whose working folder is in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if folder in (process / "cwd").readlink().parents:
                found.append(process.name)
        except OSError:
            continue
    return found


def test_after_a_kill_nothing_is_seen_and_the_same_command_goes_on(running, importer, film_file, tmp_path):
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert library.names(importer.films) == []
    [finished] = tmp_path.glob("films/sochi/.*.part/mp4/720p.mp4")
    before = finished.stat().st_mtime_ns
    importer(film_file)
    assert "Encoding H.264" not in importer.shown
    assert "Encoding AV1" in importer.shown
    _, folder = library.load_film(importer.films, "sochi")
    assert (folder / "mp4" / "720p.mp4").stat().st_mtime_ns == before
    assert [path.name for path in importer.films.glob("sochi/.*")] == [".lock"]


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (signal.SIGINT, 1),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, -9, marks=pytest.mark.long),
    ],
)
def test_no_ffmpeg_outlives_the_command(running, tmp_path, received, status):
    assert working_in(tmp_path)
    running.send_signal(received)
    assert running.wait(20) == status
    wait_for(lambda: not working_in(tmp_path), "the end of ffmpeg")
    assert b"Traceback" not in running.stdout.read()


def test_a_second_import_of_the_name_is_refused_meanwhile(importer, tiny):
    with library.exclusive_lock(importer.films, "sochi"), pytest.raises(FilmError, match="another import"):
        importer(tiny)
    importer(tiny)


def test_a_draft_of_another_film_is_not_taken_up(importer, tiny, films):
    draft = films / "sochi" / ".0123456789abcdef.part"
    (draft / "mp4").mkdir(parents=True)
    importer(tiny)
    assert "Encoding H.264" in importer.shown
    assert not draft.exists()


def test_the_same_import_again_makes_nothing(again, tiny):
    first = library.read(again.films, "sochi")
    assert again(tiny) == first
    assert again.shown == ["Checking"]


def test_other_captions_need_no_encoding(again, tiny, tmp_path):
    first = library.read(again.films, "sochi")
    (tmp_path / "b.srt").write_text("00:00:00,500 --> 00:00:01,000\nGold\n")
    library.choose_poster(again.films, "sochi", 2)
    second = again(tiny, texts=TrackFiles({"ru": tmp_path / "b.srt"}, language="ru"))
    assert again.shown == ["Checking", "Publishing"]
    assert second.version != first.version
    film, folder = library.load_film(again.films, "sochi")
    assert (film.language, film.posters[0].path) == ("ru", "posters/2-64.avif")
    assert (folder / film.captions["ru"]).read_text().endswith("Gold\n")


def test_a_film_that_is_replaced_stays_until_the_next_import(again, tiny, make_film):
    others = [make_film(f"other{number}.mp4", size="66x64", seconds=1 + number) for number in (1, 2)]
    versions = [again(path).version for path in (tiny, *others)]
    assert len(set(versions)) == 3
    assert {path.name for path in again.films.glob("sochi/[0-9a-f]*")} == set(versions[1:])
    assert library.load_film(again.films, "sochi")[1].name == versions[-1]


def test_a_failed_import_leaves_the_old_film_as_it_was(again, tmp_path):
    before = library.load_film(again.films, "sochi")
    (tmp_path / "text").write_text("no film")
    with pytest.raises(FilmError):
        again(tmp_path / "text")
    assert library.load_film(again.films, "sochi") == before


def test_a_kill_just_before_publishing_costs_no_encoding(again, tiny):
    version = library.read(again.films, "sochi").version
    (again.films / "sochi" / "manifest.json").unlink()
    assert again(tiny).version == version
    assert again.shown == ["Checking", "Publishing"]


def test_a_damaged_film_says_so_and_is_made_again(again, tiny):
    manifest = library.read(again.films, "sochi")
    broken = again.films / "sochi" / manifest.version / "mp4" / "64p.mp4"
    broken.write_bytes(b"cut")
    with pytest.raises(FilmError, match=r"damaged \(mp4/64p.mp4 .*; import it: flask film import FILE --name sochi"):
        library.load_film(again.films, "sochi")
    again(tiny)
    library.load_film(again.films, "sochi")


@pytest.mark.parametrize("content", ["", "{}", '{"format": 1', "[]", '{"version": "../../.."}'])
def test_a_damaged_manifest_says_so(films, content):
    (films / "sochi").mkdir(parents=True)
    (films / "sochi" / "manifest.json").write_text(content)
    with pytest.raises(FilmError, match="damaged; import it"):
        library.load_film(films, "sochi")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "-a", "A", "a b", "youtube", "vimeo", "a" * 41, "a\n", "é"]
)
def test_a_name_that_could_be_something_else_is_refused(importer, tiny, films, name):
    with pytest.raises(FilmError, match="not a valid film name"):
        importer(tiny, name=name)
    with pytest.raises(FilmError, match="not a valid film name"):
        library.load_film(films, name)
    assert not films.exists()


def test_a_film_that_is_not_there_says_how_to_import_it(films):
    with pytest.raises(FilmError, match="unknown film 'sochi'; import it: flask film import FILE --name sochi"):
        library.load_film(films, "sochi")


def test_without_ffmpeg_the_error_names_the_package_to_install(importer, tiny, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FilmError, match="ffmpeg is not installed; install it"):
        importer(tiny)


def fake_ffmpeg(folder: Path, lacking: str) -> str:
    """Return a PATH on which ffmpeg says that it lacks some encoders."""
    real = shutil.which("ffmpeg")
    script = f'#!/bin/sh\ncase "$*" in *-encoders) {real} "$@" | grep -vE "{lacking}";; *) exec {real} "$@";; esac\n'
    (folder / "ffmpeg").write_text(script)
    (folder / "ffmpeg").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_without_av1_the_rest_is_made_and_a_note_says_so(importer, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fake_ffmpeg(tmp_path, "libsvtav1|libaom"))
    manifest = importer(tiny)
    assert [source.path for source in manifest.film.sources] == ["mp4/64p.mp4"]
    assert {picture.type for picture in manifest.film.posters} == {"image/webp", "image/jpeg"}
    assert manifest.notes[0].startswith("AV1 was skipped")
    monkeypatch.undo()
    assert len(importer(tiny).film.sources) == 2


def test_without_h264_the_error_names_the_package_to_install(importer, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fake_ffmpeg(tmp_path, "libx264"))
    with pytest.raises(FilmError, match="lacks libx264; install"):
        importer(tiny)


def test_another_user_can_read_it_all(importer, tiny):
    before = os.umask(0o077)
    try:
        importer(tiny)
    finally:
        os.umask(before)
    for path in [importer.films, *importer.films.glob("sochi/[!.]*"), *importer.films.glob("sochi/*/[!.]*/**/*")]:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


@contextmanager
def small_disk(folder: Path, megabytes: int):
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_too_small_is_refused_before_the_work(tiny, tmp_path):
    with small_disk(tmp_path / "disk", 5) as disk:
        importer = Importer(disk / "films")
        with pytest.raises(FilmError, match=r"needs up to 2\d MB, the disk has [56] MB left; make room first"):
            importer(tiny)
        assert importer.shown == ["Checking"]


@pytest.mark.parametrize("moment", ["Encoding H.264", "Cutting for HLS"])
def test_a_disk_that_fills_up_says_so_and_the_import_goes_on_later(tiny, tmp_path, moment):
    with small_disk(tmp_path / "disk", 40) as disk:
        importer, filler = Importer(disk / "films"), disk / "filler"
        importer.on_show = lambda label: label == moment and not filler.exists() and fill(filler)
        with pytest.raises(FilmError, match="the disk is full; make room and give the same command again"):
            importer(tiny)
        assert library.names(disk / "films") == []
        filler.unlink()
        importer.on_show = lambda label: None
        importer(tiny)
        library.load_film(disk / "films", "sochi")


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
