"""The alert rules and the dashboard of reflow/deploy/ ask for metrics that there are; alerts fire in time."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests import programs
from tests.conftest import bearer

DEPLOY = Path(django_settings.BASE_DIR) / "reflow" / "deploy"
RULES = DEPLOY / "alerts.yaml"
TOKEN = "of nobody, but long enough to be one"

# What is a name in an expression, and no label or function.
NAME = re.compile(r"\breflow_\w+")
PARTS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
# Only PostgreSQL has them.
CONNECTIONS = {"reflow_database_connections", "reflow_database_connections_max"}

# A quiet hour, a value a minute: "+" what is added each time.
QUIET = {
    'up{job="reflow",instance="a"}': "1+0x60",
    'reflow_requests_total{job="reflow",instance="a",outcome="failed"}': "0+600x60",
    'reflow_errors_total{job="reflow",instance="a"}': "0+3x60",
    'reflow_unlimited_total{job="reflow",instance="a"}': "0+0x60",
    'reflow_threads_busy{job="reflow",instance="a"}': "5+0x60",
    'reflow_threads{job="reflow",instance="a"}': "8+0x60",
    'reflow_process_memory_bytes{job="reflow",instance="a",pid="7"}': "200000000+0x60",
    'reflow_database_connections{job="reflow",instance="a"}': "12+0x60",
    'reflow_database_connections_max{job="reflow",instance="a"}': "100+0x60",
    'reflow_usage_waiting{job="reflow",instance="a"}': "3+0x60",
    'reflow_usage_lost_total{job="reflow",instance="a"}': "0+0x60",
    'reflow_emails_waiting{job="reflow",instance="a"}': "1+0x60",
    'reflow_emails_oldest_seconds{job="reflow",instance="a"}': "60+0x60",
    'reflow_daily_last_run_seconds{job="reflow",instance="a"}': "-3600+0x60",
    'reflow_daily_failed_steps{job="reflow",instance="a"}': "0+0x60",
    'reflow_hourly_last_run_seconds{job="reflow",instance="a"}': "-3600+0x60",
    'reflow_hourly_failed_steps{job="reflow",instance="a"}': "0+0x60",
    'reflow_replica_used{job="reflow",instance="a",replica="replica1"}': "1+0x60",
    'probe_success{job="reflow-proxy",instance="b"}': "1+0x60",
    'probe_ssl_earliest_cert_expiry{job="reflow-proxy",instance="b"}': "5000000+0x60",
    'reflow_backup_last_success_seconds{instance="a"}': "-3600+0x60",
    'node_filesystem_avail_bytes{instance="a",fstype="ext4"}': "50+0x60",
    'node_filesystem_size_bytes{instance="a",fstype="ext4"}': "100+0x60",
}
# What is different in an hour, by the name of its metric, and the alert that it is worth.
NOISY = [
    ("up", "0+0x60", "ReflowDown"),
    ("up", "_x60", "ReflowDown"),
    ("reflow_emails_waiting", "_x60", "ReflowDatabaseAway"),
    ("reflow_unlimited_total", "0+5x60", "ReflowRateLimitsOff"),
    ("reflow_errors_total", "0+9x60", "ReflowErrors"),
    ("reflow_threads_busy", "8+0x60", "ReflowThreadsBusy"),
    ("reflow_process_memory_bytes", "600000000+0x60", "ReflowMemory"),
    ("reflow_database_connections", "90+0x60", "ReflowDatabaseConnections"),
    ("reflow_usage_waiting", "0+10x60", "ReflowUsageWaiting"),
    ("reflow_usage_lost_total", "0+1x60", "ReflowUsageLost"),
    ("reflow_emails_oldest_seconds", "0+60x60", "ReflowEmailsWaiting"),
    ("reflow_daily_last_run_seconds", "-93600+0x60", "ReflowDailyWork"),
    ("reflow_daily_failed_steps", "1+0x60", "ReflowDailyWork"),
    ("reflow_hourly_last_run_seconds", "-10800+0x60", "ReflowHourlyWork"),
    ("reflow_hourly_failed_steps", "1+0x60", "ReflowHourlyWork"),
    ("reflow_replica_used", "0+0x60", "ReflowReplica"),
    ("probe_success", "0+0x60", "ReflowProxyDown"),
    ("probe_success", "_x60", "ReflowProxyDown"),
    ("probe_ssl_earliest_cert_expiry", "1200000+0x120", "ReflowCertificate"),
    ("reflow_backup_last_success_seconds", "-93600+0x60", "ReflowBackup"),
    ("reflow_backup_last_success_seconds", "_x60", "ReflowBackup"),
    ("node_filesystem_avail_bytes", "14+0x60", "DiskFull"),
]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


@pytest.mark.django_db
def test_every_metric_that_an_alert_asks_for_is_there(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    text = client.get("/metrics", headers=bearer(TOKEN)).content.decode()
    families = text_string_to_metric_families(text)
    found = {f"{family.name}{part}" for family in families for part in PARTS[family.type]}
    asked = set(NAME.findall(" ".join(rule["expr"] for rule in rules())))
    asked -= {"reflow_backup_last_success_seconds"}  # of the script backup
    if connection.vendor == "sqlite":
        asked -= CONNECTIONS
    assert asked <= found


def hour(changed: str, values: str, alert: str) -> dict[str, Any]:
    """A test for promtool: a quiet hour with one change, at the end of which only this alert is firing."""
    series = {name: values if re.split("{", name)[0] == changed else usual for name, usual in QUIET.items()}
    firing = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert else []
    return {
        "name": f"{changed} {values}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "1h",
                "exp_samples": firing,
            }
        ],
    }


def test_each_alert_fires_for_its_own_trouble(tmp_path: Path) -> None:
    with programs.needed():
        promtool = programs.get("promtool", package="prometheus")
    assert {alert for _, _, alert in NOISY} == {rule["alert"] for rule in rules()}
    hours = [hour("", "", ""), *(hour(*change) for change in NOISY)]
    file = tmp_path / "hours.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": hours}))
    checked = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
