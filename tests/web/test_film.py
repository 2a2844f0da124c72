"""The film on the page: its files, its content security policy, its counters."""

import re

import pytest

from campaign.app import create_app, serve
from campaign.config.settings import Settings
from tests.analytics.test_film_views import tallies


@pytest.fixture
def backend() -> str:
    """What the player is told does not depend on the database."""
    return "sqlite"


OURS = {"Sec-Fetch-Site": "same-origin"}
FOREIGN = {"Sec-Fetch-Site": "cross-site"}


def policy(answer) -> dict[str, str]:
    directives = (part.partition(" ") for part in answer.headers["Content-Security-Policy"].split("; "))
    return {name: sources for name, _, sources in directives}


def beacon(campaign, percent: object, **headers: str):
    return campaign.client.post("/film/watched", data={"percent": percent, "lang": "en"}, headers=headers or OURS)


def test_the_marks_of_a_viewer_are_counted(campaign):
    for percent in (0, 25, 50, 75, 100):
        assert beacon(campaign, percent).status_code == 204
    assert tallies(campaign) == [("two-lines-on-ice", "en", percent, 1) for percent in (0, 25, 50, 75, 100)]


@pytest.mark.parametrize("percent", ["", "33", "-1", "1e2", "1" * 5000, "\0"])
def test_values_that_no_player_sends_are_not_counted(campaign, percent):
    assert beacon(campaign, percent).status_code == 204
    assert tallies(campaign) == []


def test_another_site_cannot_drive_the_numbers_up(campaign):
    assert beacon(campaign, 0, **FOREIGN).status_code == 403
    assert tallies(campaign) == []


def test_one_visitor_is_counted_only_so_often(campaign):
    for _ in range(70):
        beacon(campaign, 0)
    assert tallies(campaign) == [("two-lines-on-ice", "en", 0, 60)]


def test_no_cookie_comes_with_the_answer(campaign):
    assert "Set-Cookie" not in beacon(campaign, 0).headers


def test_a_range_request_gets_a_part_of_the_film(campaign):
    page = campaign.client.get("/en/").text
    [url] = re.findall(r'src="([^"]+-480\.mp4)"', page)
    answer = campaign.client.get(url, headers={"Range": "bytes=0-99"}, buffered=True)
    assert (answer.status_code, len(answer.data), answer.mimetype) == (206, 100, "video/mp4")


@pytest.mark.parametrize(("name", "mimetype"), [("captions.ru.vtt", "text/vtt"), ("poster-640.avif", "image/avif")])
def test_files_have_the_type_that_browsers_want(campaign, name, mimetype):
    [folder] = set(re.findall(r'src="([^"]+/)captions\.\w+\.vtt"', campaign.client.get("/en/").text))
    answer = campaign.client.get(folder + name, buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, mimetype)


def test_nothing_but_our_own_is_allowed_where_the_film_plays_here(campaign):
    allowed = policy(campaign.client.get("/en/"))
    assert "frame-src" not in allowed
    assert set(allowed.values()) == {"'self'", "'none'"}


@pytest.mark.settings(film="youtube:dQw4w9WgXcQ")
def test_only_the_page_with_the_film_may_frame_youtube_and_only_youtube(campaign, ada):
    assert policy(campaign.client.get("/en/"))["frame-src"] == "https://www.youtube-nocookie.com"
    assert policy(ada.posts(email="typo"))["frame-src"] == "https://www.youtube-nocookie.com"
    assert "frame-src" not in policy(campaign.client.get("/en/privacy"))


@pytest.mark.settings(film="youtube:dQw4w9WgXcQ")
def test_a_film_from_elsewhere_is_a_link_that_says_where_it_leads(campaign):
    page = campaign.client.get("/en/").text
    assert "<iframe" not in page
    assert "<video" not in page
    assert 'href="https://www.youtube.com/watch?v=dQw4w9WgXcQ"' in page
    assert "This connects you to www.youtube-nocookie.com." in page


@pytest.mark.settings(film="vimeo:76979871")
def test_plays_elsewhere_are_counted_under_the_name_of_the_site(campaign):
    beacon(campaign, 0)
    assert tallies(campaign) == [("vimeo", "en", 0, 1)]


def test_a_server_does_not_start_without_the_film_it_is_to_show(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPAIGN_INSTANCE", str(tmp_path))
    monkeypatch.setenv("CAMPAIGN_FILM", "sochi")
    with pytest.raises(SystemExit, match=r"CAMPAIGN_FILM: .*sochi.*flask film import"):
        serve()


def test_commands_work_before_the_film_is_imported(tmp_path):
    app = create_app(Settings.load(instance=tmp_path, film="sochi"))
    assert app.test_cli_runner().invoke(args=["film", "list"]).exit_code == 0


def test_every_caption_language_can_be_chosen(campaign):
    page = campaign.client.get("/en/").text
    assert len(re.findall(r'<option value="\w\w" lang="\w\w">', page)) == 9
    assert len(re.findall(r'<track kind="captions"', page)) == 9
    assert " default" not in re.search(r"<video.*?</video>", page, re.DOTALL)[0]
