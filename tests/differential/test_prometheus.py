"""What is exported, pushed, drawn and alerted on, judged by Prometheus' own programs: promtool and a Pushgateway.

`export MESHCHECK_PROMETHEUS=$(sh tests/differential/prometheus/build.sh)`, or have both in the PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest, parser

from meshcheck.errors import MeshcheckError
from meshcheck.job import metrics
from meshcheck.job.state import State
from meshcheck.model.record import replace
from tests.chart.rendering import CHART
from tests.chart.test_dashboard import FROM_SCRAPING, exported, queries, selectors
from tests.unit.job.reports import passed, questions, report
from tests.unit.job.test_metrics import state


def program(name: str) -> str:
    """Where one of the programs is; the test is skipped where it is not."""
    folder = os.environ.get("MESHCHECK_PROMETHEUS", "")
    found = shutil.which(name, path=os.pathsep.join(part for part in (folder, os.environ.get("PATH", "")) if part))
    if found is None:
        pytest.skip(f"LOUD: no {name}: `export MESHCHECK_PROMETHEUS=$(sh tests/differential/prometheus/build.sh)`")
    return found


def promtool(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program("promtool"), *arguments], input=stdin, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("found", [state(), State(watched=True), State()], ids=["after a pass", "watching", "new"])
def test_promtool_has_nothing_to_say_about_the_metrics(found: State) -> None:
    """Valid, and named and explained as Prometheus wants it."""
    done = promtool("check", "metrics", stdin=generate_latest(metrics.registry_of(found, process=True)))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_promtool_would_say_something() -> None:
    done = promtool("check", "metrics", stdin=b"# TYPE meshcheck_total gauge\nmeshcheck_total 1\n")
    assert done.returncode != 0


def alerts() -> list[dict[str, str]]:
    """The alerts that the chart's page shows."""
    blocks = re.findall(r"```yaml\n(.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    (found,) = (yaml.safe_load(block) for block in blocks if "alert:" in block)
    rules: list[dict[str, str]] = found
    return rules


def test_promtool_takes_the_alerts_and_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    """Each query as a rule that records it; what Grafana puts in is put in."""
    asked = [query.replace("$__rate_interval", "5m").replace("$__range", "1h").replace("$namespace", ".*") for query in queries()]
    assert not any("$" in query for query in asked)
    recorded = [{"record": f"q:{number}", "expr": query} for number, query in enumerate(asked)]
    rules = {"groups": [{"name": "dashboard", "rules": recorded}, {"name": "alerts", "rules": alerts()}]}
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps(rules))
    done = promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert f"{len(recorded) + len(alerts())} rules found" in done.stdout.decode()


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_there_is(alert: dict[str, str]) -> None:
    known = exported()
    found = list(selectors(promql_parser.parse(alert["expr"])))
    assert found
    for selector in found:
        assert selector.name in known
        assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name] | FROM_SCRAPING


def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    """promtool's own test of rules: a call that is not as wanted, a pass that was too long ago, something that could not be read."""
    (tmp_path / "alerts.yaml").write_text(json.dumps({"groups": [{"name": "a", "rules": alerts()}]}))
    series = {
        'meshcheck_question_ok{check="calls",question="q"}': "0x240",
        "meshcheck_pass_completed_timestamp_seconds": "0x240",
        "meshcheck_gaps": "2x240",
        'meshcheck_check_result{check="lint",kind="lint",result="error"}': "1x240",
    }
    firing = [
        {"eval_time": "4h", "alertname": alert["alert"], "exp_alerts": [{"exp_labels": _labels(alert), "exp_annotations": {}}]}
        for alert in alerts()
    ]
    content = {
        "rule_files": ["alerts.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": firing,
            },
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": _healthy(name)} for name in series],
                "alert_rule_test": [{"eval_time": "4h", "alertname": alert["alert"], "exp_alerts": []} for alert in alerts()],
            },
        ],
    }
    (tmp_path / "test.yaml").write_text(json.dumps(content))
    done = promtool("test", "rules", str(tmp_path / "test.yaml"))
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def _healthy(series: str) -> str:
    """Values of a series of which nobody is to be told: passes go on, calls are as wanted, and all is read."""
    return "0+60x240" if "timestamp" in series else "1x240" if "_ok" in series else "0x240"


def _labels(alert: dict[str, str]) -> dict[str, str]:
    """The labels of the series that the alert is about."""
    if "question" in alert["expr"]:
        return {"check": "calls", "question": "q"}
    return {"check": "lint", "kind": "lint", "result": "error"} if "check_result" in alert["expr"] else {}


@pytest.fixture
def gateway() -> Iterator[str]:
    """A real Pushgateway."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program("pushgateway"), f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 20
        while True:
            try:
                _open(f"http://127.0.0.1:{port}/-/ready")
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _open(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as reply:
        text: str = reply.read().decode()
    return text


def _pushed(url: str) -> dict[str, list[dict[str, str]]]:
    families = parser.text_string_to_metric_families(_open(f"{url}/metrics"))
    samples = [s for family in families for s in family.samples if s.name.startswith(("meshcheck_", "push_"))]
    found: dict[str, list[dict[str, str]]] = {}
    for sample in samples:
        found.setdefault(sample.name, []).append(sample.labels)
    return found


def test_a_pushgateway_takes_what_is_pushed_and_forgets_what_is_gone(gateway: str) -> None:
    """All of a pass, once; the next push takes the place of the last: a question that is not asked any more leaves no series behind."""
    found = state()
    for _ in range(2):
        metrics.push(found, gateway, "meshcheck")
    first = _pushed(gateway)
    assert {labels["question"] for labels in first["meshcheck_question_ok"]} == {'quote " \\ and\nline', "p"}
    assert all(labels["job"] == "meshcheck" for labels in first["meshcheck_question_ok"])
    assert "push_time_seconds" in first
    found.finished(replace(report(questions(passed("other"))), started="2026-01-02T04:00:00Z"))
    metrics.push(found, gateway, "meshcheck")
    second = _pushed(gateway)
    assert {labels["question"] for labels in second["meshcheck_question_ok"]} == {"other"}
    assert "meshcheck_rule_findings" not in second


def test_a_wrong_address_of_a_gateway_is_said(gateway: str) -> None:
    with pytest.raises(MeshcheckError, match="cannot be pushed: http error 404"):
        metrics.push(state(), f"{gateway}/nothing/here", "meshcheck")
