"""The shipped configurations of Prometheus and Grafana fit each other and the metrics of the server."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.live_server import ROOT

MONITORING = ROOT / "deploy/monitoring"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


@needs_promtool
@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")],
)
def test_promtool_accepts_it(arguments):
    checked = subprocess.run([PROMTOOL, *arguments], check=False, cwd=MONITORING, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def rules() -> list[dict]:
    [group] = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return group["rules"]


def test_each_alert_is_tried_and_says_what_to_do():
    tried = yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]
    names = [rule["alert"] for rule in rules()]
    assert [test["alertname"] for test in tried[0]["alert_rule_test"]] == names
    assert tried[1]["promql_expr_test"][0]["exp_samples"][0]["value"] == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]


def test_sections_that_alerts_name_exist():
    actions = [rule["annotations"]["action"] for rule in rules()]
    named = {found for action in actions for found in re.findall(r"[Ss]ection '([^']+)' of (docs/\S+\.md)", action)}
    assert len(named) > 2
    assert all("of docs/" in action for action in actions if "ection '" in action)
    for name, document in named:
        assert re.search(rf"^#+ {re.escape(name)}$", (ROOT / document).read_text(), re.MULTILINE), name


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json"])
def test_each_metric_that_is_asked_for_exists(campaign, name):
    metrics = campaign.app.extensions["campaign"].metrics
    metrics.sign_forms.labels("accepted").inc()
    metrics.logins.labels("refused").inc()
    metrics.emails.labels("sent").inc()
    metrics.key_tasks.labels("export").inc()
    metrics.maintenance.labels("delete_expired").set(1)
    campaign.client.get("/en/")
    families = text_string_to_metric_families(campaign.client.get("/metrics").text)
    known = {sample.name for family in families for sample in family.samples}
    asked = set(re.findall(r"campaign_\w+", (MONITORING / name).read_text()))
    assert len(asked) > 10
    assert asked - known == set()


def test_the_dashboard_has_all_panels_in_place():
    panels = json.loads((MONITORING / "grafana.json").read_text())["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(panels) == len(set(places)) == len({panel["id"] for panel in panels})
    assert all(panel["targets"] for panel in panels)
