"""`flask film`: its options and its error messages."""

import pytest

from campaign.analytics.film_views import count_film_view
from campaign.app import create_app
from campaign.cli.film import _repeat_options
from campaign.config.settings import Settings
from campaign.context import context_of
from campaign.film import library
from campaign.maintenance import flush_counters
from tests import services
from tests.conftest import dispose
from tests.film.conftest import film_file, make_film  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(services.why_no_ffmpeg() is not None, reason=str(services.why_no_ffmpeg())),
]


@pytest.fixture
def flask(tmp_path):
    """Run a `flask film` command on a campaign that has no database yet."""
    app = create_app(Settings.load(instance=tmp_path / "instance"))
    yield lambda *words: app.test_cli_runner().invoke(args=["film", *map(str, words)])
    dispose(app)


@pytest.fixture
def clip(make_film):  # noqa: F811
    return make_film("clip.mp4", size="64x64", seconds=2)


@pytest.fixture
def captions(tmp_path):
    for language in ("en", "ru"):
        (tmp_path / f"{language}.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nGold\n")
    (tmp_path / "broken.srt").write_text("1\n00:00:00,500 --> 00:00:61,000\nGold\n")
    (tmp_path / "seen.txt").write_text("A skater wins gold.")
    return tmp_path


def test_a_film_is_imported_with_its_texts_listed_and_given_another_poster(flask, clip, captions, tmp_path):
    texts = ["--captions", f"en={captions}/en.srt", f"ru={captions}/ru.srt", "--chapters", f"en={captions}/en.srt"]
    result = flask("import", clip, *texts, "--transcript", f"en={captions}/seen.txt", "--name", "sochi")
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("to select it: CAMPAIGN_FILM=sochi\n")
    assert result.stderr.splitlines()[:2] == ["Checking (0%)", "Encoding H.264 (0%)"]
    assert result.stderr.endswith("Ready (100%)\n")
    assert len(result.stderr.splitlines()) < 10
    film, folder = library.load_film(tmp_path / "instance" / "films", "sochi")
    assert [*film.captions, *film.chapters, *film.transcripts] == ["en", "ru", "en", "en"]
    assert (folder / film.transcripts["en"]).read_text() == "A skater wins gold.\n"
    assert flask("poster", "sochi", 3).stdout == "sochi: poster 3\n"
    assert "sochi (64x64, 2 s, " in flask("list").stdout
    assert "captions: en ru; poster 3 of 5)" in flask("list").stdout
    assert "has posters 1 to 5" in flask("poster", "sochi", 6).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--captions", "en=broken.srt"], "Error: broken.srt, line 2: minutes and seconds go up to 59"),
        (["--chapters", "en=broken.srt"], "Error: broken.srt, line 2: "),
        (["--captions", "en=missing.srt"], "File 'missing.srt' does not exist"),
        (
            ["--captions", "xx=en.srt"],
            "'xx' is not one of the campaign's languages: en, ru, fr, es, pt, de, it, nl, ar",
        ),
        (["--captions", "en.srt"], "'en.srt' has no language; use for example en=captions.srt"),
        (["--captions", "en=en.srt", "en=ru.srt"], "--captions names a language twice"),
        (["--transcript", "en=/dev/null"], "Error: null, line 1: the file is empty"),
        (["--language", "xx"], "'xx' is not one of"),
        (["--name", "../x"], "Error: '../x' is not a valid film name; use up to 40 lower-case letters"),
    ],
)
def test_impossible_options_are_reported_before_the_work(flask, clip, captions, monkeypatch, words, message):
    monkeypatch.chdir(captions)
    result = flask("import", clip, "--name", "sochi", *words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Encoding" not in result.stderr


def test_a_film_that_is_none_is_refused_in_one_line(flask, captions):
    result = flask("import", captions / "seen.txt", "--name", "sochi")
    assert result.exit_code == 1
    assert result.stderr.startswith("Checking (0%)\nError: seen.txt is not a readable film")
    assert result.stderr.count("\n") == 2


def test_without_films_the_list_is_empty(flask):
    assert flask("list").stdout == ""


def test_a_poster_of_no_film_is_refused(flask):
    assert "unknown film 'x'; import it" in flask("poster", "x", 1).stderr


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("F --captions en=a ru=b --name x", "F --captions en=a --captions ru=b --name x"),
        ("--captions en=a ru=b fr=c F", "--captions en=a --captions ru=b --captions fr=c F"),
        ("--captions=en=a ru=b F", "--captions=en=a --captions ru=b F"),
        ("--captions en=a --captions ru=b F", "--captions en=a --captions ru=b F"),
        ("--captions en=a --chapters en=c ru=d F", "--captions en=a --chapters en=c --chapters ru=d F"),
        ("--name a=b F", "--name a=b F"),
        ("F --captions en=a --name a=b", "F --captions en=a --name a=b"),
    ],
)
def test_several_values_may_follow_one_option(typed, read):
    assert _repeat_options(typed.split()) == read.split()


def test_watched_says_how_many_have_watched_how_much(campaign):
    for percent in (0, 0, 25):
        count_film_view(context_of(campaign.app).tallies, film="sochi", language="ru", percent=percent)
    flush_counters(campaign.app)
    rows = [line.split() for line in campaign.command("film", "watched").output.splitlines()]
    assert rows == [["film", "language", "watched", "viewers"], ["sochi", "ru", "0%", "2"], ["sochi", "ru", "25%", "1"]]
