"""Results of background tasks are shared by all servers, and nobody without the link can read them."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, select

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.core.database import db, transaction, utcnow
from campaign.errors import UnknownLink
from campaign.key_worker.results import PART_BYTES, Job, Progress, create_job, delete_expired
from campaign.models import JobPart
from tests.conftest import dispose

CONTENT = b"%PDF " + b"names " * (PART_BYTES // 2)  # in three parts


@pytest.fixture
def job(campaign):
    """A finished job of a server."""
    with campaign.app.app_context():
        job = create_job(db.session)
        job.report(Progress(1, 3))
        job.finish(CONTENT, 3, replaced=[2])
    return job


def test_another_server_shows_the_progress_and_sends_the_file(campaign, job, tmp_path):
    other = create_app(Settings.load(instance=tmp_path / "other", database_url=campaign.settings.database()))
    with other.app_context():
        same = Job(db.session, job.token)
        assert same.progress() == Progress(3, 3, is_ready=True, replaced=1, replaced_numbers=[2])
        assert same.content() == CONTENT
    dispose(other)


def test_the_database_does_not_hold_what_could_open_it(campaign, job):
    with campaign.app.app_context():
        parts = list(db.session.scalars(select(JobPart.content)))
        assert len(parts) == 4
        assert not any(b"names" in part or job.token.encode() in part for part in parts)
        with pytest.raises(UnknownLink):
            Job(db.session, "x" * 43).progress()
        with pytest.raises(UnknownLink):
            Job(db.session, "x" * 43).content()


def test_a_file_of_which_a_part_is_missing_is_not_sent(campaign, job):
    with campaign.app.app_context():
        with transaction(db.session):
            db.session.execute(delete(JobPart).where(JobPart.number == 1))
        with pytest.raises(UnknownLink):
            Job(db.session, job.token).content()


def test_a_job_without_reports_has_failed(campaign):
    with campaign.app.app_context():
        job = create_job(db.session)
        job.report(Progress(1, 3))
        with time_machine.travel(utcnow() + timedelta(minutes=2)):
            assert not job.progress().has_failed
        with time_machine.travel(utcnow() + timedelta(minutes=4)):
            assert job.progress() == Progress(1, 3, has_failed=True)


def test_all_parts_go_after_an_hour(campaign, job):
    with campaign.app.app_context():
        with time_machine.travel(utcnow() + timedelta(minutes=59)):
            delete_expired(db.session)
            assert Job(db.session, job.token).progress().is_ready
        with time_machine.travel(utcnow() + timedelta(minutes=61)):
            delete_expired(db.session)
        assert db.session.scalars(select(JobPart.number)).all() == []
