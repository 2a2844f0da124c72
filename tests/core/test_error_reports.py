"""Reports to Sentry: which error, and where in the code, and nothing that belongs to a visitor."""

import socket
import time
import tomllib

import pytest
import structlog

from campaign import __version__
from campaign.config.paths import ROOT
from campaign.config.settings import Settings
from campaign.core.error_reports import ErrorReports
from campaign.errors import ConfigError
from tests.conftest import campaign_on
from tests.live_server import wait_for

SECRET = "adelheid@example.org"


def fail(email: str) -> None:
    local = email
    raise ValueError(local)


def report_failure(dsn: str) -> None:
    """Log an error as our own code does, with reports to `dsn`."""
    log = structlog.wrap_logger(
        structlog.ReturnLogger(), [structlog.processors.add_log_level, ErrorReports(dsn), lambda *_: ""]
    )
    try:
        fail(SECRET)
    except ValueError:
        log.error("failure", page="petition.sign", method="POST", request="5f2b8c1e", email=SECRET, exc_info=True)


def test_a_report_says_what_failed_and_where_and_nothing_else(sentry):
    report_failure(sentry.dsn)
    wait_for(sentry.reports, "a report")
    [report] = sentry.reports()
    assert report["logentry"] == {"message": "failure"}
    assert report["release"] == __version__
    assert report["tags"] == {"endpoint": "petition.sign", "method": "POST", "request_id": "5f2b8c1e"}
    [error] = report["exception"]["values"]
    assert error["type"] == "ValueError"
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"
    assert set(report) == {
        "event_id", "exception", "level", "logentry", "platform", "release", "tags", "timestamp"
    }  # fmt: skip
    sent = sentry.received.read_text()
    assert SECRET not in sent
    assert socket.gethostname() not in sent
    assert str(ROOT) not in sent


def test_what_is_no_error_is_not_reported(sentry):
    log = structlog.wrap_logger(
        structlog.ReturnLogger(), [structlog.processors.add_log_level, ErrorReports(sentry.dsn), lambda *_: ""]
    )
    log.warning("database unavailable")
    report_failure(sentry.dsn)
    wait_for(sentry.reports, "a report")
    assert [report["logentry"]["message"] for report in sentry.reports()] == ["failure"]


def test_a_sentry_that_does_not_answer_holds_nobody_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        for _ in range(200):
            report_failure(f"http://key@127.0.0.1:{silent.getsockname()[1]}/1")
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "dsn", ["sentry.example.org", "http://key@sentry.example.org/1", "https://sentry.example.org/1"]
)
def test_a_dsn_that_cannot_be_one_is_refused(dsn, tmp_path):
    with pytest.raises(ConfigError, match="CAMPAIGN_SENTRY_DSN"):
        Settings.load(instance=tmp_path, sentry_dsn=dsn)


def test_without_its_package_the_setting_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr("campaign.config.validators.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="sentry-sdk"):
        Settings.load(instance=tmp_path, sentry_dsn="https://key@sentry.example.org/1")


def test_without_the_setting_its_package_is_not_even_loaded(ready, tmp_path):
    with campaign_on(ready, "sqlite", tmp_path) as campaign:
        processors = structlog.get_config()["processors"]
        assert not [one for one in processors if isinstance(one, ErrorReports)]
        assert campaign.client.get("/healthz").status_code == 200


def test_the_version_is_that_of_the_package():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
