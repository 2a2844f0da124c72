"""The Nu Html Checker finds no error in any page, style sheet or picture."""

import subprocess

import pytest

from campaign.config.paths import ROOT
from tests import services
from tests.matrix import all_languages

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def checker():
    """The checker is there."""
    if reason := services.why_no_nu_checker():
        pytest.skip(reason)


def errors_in(*files) -> str:
    options = ["--errors-only", "--also-check-css", "--also-check-svg"]
    command = ["java", "-jar", services.nu_checker(), *options, *files]
    return subprocess.run(command, check=False, capture_output=True, text=True).stderr


@all_languages
def test_every_page_is_right_in_every_language(pages_in, tmp_path, languages):
    for language in languages:
        for name, page in pages_in(language).items():
            (tmp_path / f"{language} {name.replace('/', ' ')}.html").write_text(page)
    assert errors_in(*sorted(tmp_path.iterdir())) == ""


def test_styles_and_pictures_are_right():
    static = ROOT / "static"
    assert errors_in(*sorted(static.glob("css/*.css")), *sorted(static.glob("icons/*.svg"))) == ""


def test_the_checker_reports_errors(tmp_path):
    (tmp_path / "wrong.html").write_text("<!DOCTYPE html><html lang=en><title>x</title><p><div></p>")
    assert "error" in errors_in(tmp_path / "wrong.html")
