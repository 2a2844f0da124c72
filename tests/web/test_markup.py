"""The Nu Html Checker finds no error in any page, style sheet or picture."""

import subprocess

import pytest

from campaign.config import ROOT
from campaign.db import db
from campaign.stages import close
from campaign.web.languages import LANGUAGES
from tests import services


@pytest.fixture
def backend():
    """Markup does not depend on the database."""
    return "sqlite"


@pytest.fixture(autouse=True)
def checker():
    """The checker is there."""
    if reason := services.why_no_nu_checker():
        pytest.skip(reason)


def errors_in(*files) -> str:
    options = ["--errors-only", "--also-check-css", "--also-check-svg"]
    command = ["java", "-jar", services.nu_checker(), *options, *files]
    return subprocess.run(command, check=False, capture_output=True, text=True).stderr


def test_every_page_is_right_in_every_language(campaign, ada, tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    ada.signs()
    link = ada.link()
    receipt = campaign.persona("Olga", email="olga@example.org", show_name="1").confirms()
    mistaken = {language: ada.posts(lang=language, email="typo", country="").text for language in LANGUAGES}
    for language in LANGUAGES:
        paths = ["", "thanks", "privacy"]
        pages = [campaign.client.get(f"/{language}/{path}").text for path in paths]
        pages += [campaign.client.get(f"{path}?lang={language}").text for path in (link, receipt)]
        nothing = campaign.client.get("/nothing", headers={"Accept-Language": language}).text
        for number, page in enumerate([*pages, nothing, mistaken[language]]):
            (folder / f"{language}-{number}.html").write_text(page)
    with campaign.app.app_context():
        close(db.session)
    (folder / "closed.html").write_text(campaign.client.get("/en/").text)
    assert errors_in(*sorted(folder.iterdir())) == ""


def test_styles_and_pictures_are_right():
    static = ROOT / "static"
    assert errors_in(*sorted(static.glob("css/*.css")), *sorted(static.glob("icons/*.svg"))) == ""


def test_the_checker_does_find_errors(tmp_path):
    (tmp_path / "wrong.html").write_text("<!DOCTYPE html><html lang=en><title>x</title><p><div></p>")
    assert "error" in errors_in(tmp_path / "wrong.html")
