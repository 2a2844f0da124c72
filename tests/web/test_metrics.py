"""Metrics for Prometheus: who may read them, and that they count what happens, in all processes of a server."""

import os
import signal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from campaign.core.database import OperationalError
from campaign.core.metrics import MEMORY, Metrics
from campaign.web.public import metrics
from tests.conftest import campaign_on
from tests.live_server import Site, ready_site, wait_for
from tests.organisers import OrganiserBrowser
from tests.personas import FROM_OUR_PAGE

TOKEN = "a-token-of-sixteen-signs"
Samples = dict[tuple[str, ...], float]


def parsed(text: str) -> Samples:
    """Return each sample's value by its name and label values."""
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def metrics_of(campaign) -> Samples:
    return parsed(campaign.client.get("/metrics").text)


def test_programs_on_this_machine_may_read_them(campaign):
    answer = campaign.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
@pytest.mark.parametrize("proxies", [0, 1])
def test_what_a_proxy_on_this_machine_passes_on_is_refused(ready, tmp_path, header, proxies):
    with campaign_on(ready, "sqlite", tmp_path, proxies=proxies) as campaign:
        assert campaign.client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.7", "::2", "", "nonsense"])
def test_others_are_refused(campaign, address):
    assert campaign.client.get("/metrics", environ_overrides={"REMOTE_ADDR": address}).status_code == 404


def test_with_a_token_only_the_token_counts(ready, tmp_path):
    with campaign_on(ready, "sqlite", tmp_path, metrics_token=TOKEN) as campaign:

        def status(authorization: str) -> int:
            elsewhere = {"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": authorization}
            return campaign.client.get("/metrics", environ_overrides=elsewhere).status_code

        assert campaign.client.get("/metrics").status_code == 404
        assert status(f"Bearer {TOKEN}") == 200
        for wrong in (TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", f"bearer {TOKEN}", "Bearer ünïcödé"):
            assert status(wrong) == 404


def test_signing_is_counted_by_its_result(ready, tmp_path):
    with campaign_on(ready, "sqlite", tmp_path, sign_limit="2 per minute") as campaign:
        ada = campaign.persona("Ada", email="ada@example.org")
        for status in (303, 303, 429):
            assert ada.posts().status_code == status
        assert ada.posts(email="no address").status_code == 422
        counted = metrics_of(campaign)
    results = {name[1]: value for name, value in counted.items() if name[0] == "campaign_sign_forms_total"}
    assert results == {"accepted": 2, "limited": 1, "refused": 1}
    assert counted["campaign_requests_total", "petition.sign", "303"] == 2
    assert counted["campaign_request_seconds_count", "petition.sign"] == 4
    assert counted["campaign_outbox_messages", "waiting"] == 2
    assert counted["campaign_signatures_confirmed",] == 0


def test_confirming_and_sent_emails_are_counted(campaign):
    ada = campaign.persona("Ada", email="ada@example.org")
    ada.confirms()
    counted = metrics_of(campaign)
    assert counted["campaign_emails_total", "sent"] == 1
    assert counted["campaign_signatures_confirmed",] == 1
    assert counted["campaign_outbox_messages", "waiting"] == 0
    assert counted["campaign_mail_paused",] == 0


def test_log_ins_are_counted(campaign):
    grace = OrganiserBrowser(campaign, "grace@example.org")
    grace.was_let_in("owner")
    counted = metrics_of(campaign)
    assert counted.get(("campaign_logins_total", "refused"), 0) == 0
    fields = {"email": "grace@example.org", "password": "wrong"}
    other = OrganiserBrowser(campaign, "grace@example.org")
    assert other.posts_once("/organise/sign-in", "/organise/sign-in", **fields).status_code == 422
    assert metrics_of(campaign)["campaign_logins_total", "refused"] == 1


def test_they_are_there_while_the_database_is_away(campaign, monkeypatch):
    def away(_session, **_options):
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(metrics, "queue_status", away)
    counted = metrics_of(campaign)
    assert counted["campaign_database_up",] == 0
    assert ("campaign_outbox_messages", "waiting") not in counted
    assert counted["campaign_disk_free_bytes",] > 0


def test_every_metric_says_what_it_means(campaign):
    families = list(text_string_to_metric_families(campaign.client.get("/metrics").text))
    assert len(families) > 12
    for family in families:
        assert family.name.startswith("campaign_")
        assert family.documentation.endswith(".")


def test_labels_cannot_be_invented_by_visitors(campaign):
    for number in range(50):
        campaign.client.get(f"/nothing/{number}", headers=FROM_OUR_PAGE)
        campaign.client.open("/en/", method=f"METHOD{number}")
    metrics_of(campaign)  # its own request is counted as well
    before = len(metrics_of(campaign))
    for number in range(50, 100):
        campaign.client.get(f"/nothing/{number}")
        campaign.client.open("/en/", method=f"METHOD{number}")
    assert len(metrics_of(campaign)) == before


def scrape(site: Site) -> Samples:
    with urlopen(Request(f"{site.url}/metrics"), timeout=30) as response:
        return parsed(response.read().decode())


@pytest.mark.slow
def test_all_processes_of_a_server_are_counted_together_also_those_that_died(tmp_path):
    site = ready_site(tmp_path, CAMPAIGN_WORKERS="3")
    with site.served():

        def serve(number: int) -> None:
            for _ in range(number):
                with urlopen(f"{site.url}/organise/sign-in", timeout=30) as response:
                    response.read()

        def seen() -> float:
            return scrape(site)["campaign_requests_total", "login.login", "200"]

        serve(60)
        assert {seen() for _ in range(10)} == {60}
        pid = site.worker_pids()[0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid not in site.worker_pids() and len(site.worker_pids()) == 3, "a new worker")
        serve(40)
        assert {seen() for _ in range(10)} == {100}
        counted = scrape(site)
        assert counted["campaign_busy_threads",] == 1  # the one that answers
        assert counted["campaign_threads",] == 48
        assert counted["campaign_maintenance_timestamp_seconds", "delete_expired"] > 1_700_000_000
        with pytest.raises(HTTPError, match="404"):
            urlopen(Request(f"{site.url}/metrics", headers={"X-Forwarded-For": "127.0.0.1"}), timeout=30)


def test_the_files_of_servers_that_ended_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("campaign.core.metrics.MEMORY", tmp_path / "none")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    first = Metrics.of_server(tmp_path)
    second = Metrics.of_server(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    os.close(first._lock)  # as the kernel does when the last process ends
    third = Metrics.of_server(tmp_path)
    assert set(tmp_path.iterdir()) == {second._folder, third._folder}
    os.close(second._lock)
    os.close(third._lock)
    assert MEMORY.is_dir()
