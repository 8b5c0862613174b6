"""The chart and the plain manifests against a real API server: dry run and apply on the server's side, fields checked strictly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.chart.rendering import ROOT, VALUES, objects, pods, rendered, template
from tests.cluster.installed import NAMESPACE, crds, install, pod_monitor_crd
from tests.support.apiserver import ApiError, ApiServer

PLAIN = sorted((ROOT / "manifests" / "install").glob("*.yaml"))


@pytest.fixture
def prepared(server: ApiServer) -> Iterator[ApiServer]:
    """The server with PodMonitors, the release's namespace (which takes restricted pods only) and those that values name."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    for name in (NAMESPACE, "shop", "istio-system"):
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels if name == NAMESPACE else {}}})
    with crds(server, [pod_monitor_crd()]):
        yield server


@pytest.mark.parametrize("name", VALUES)
def test_the_server_takes_everything(prepared: ApiServer, name: str) -> None:
    """First as a dry run with strict validation, then for real, and once more: nothing changes the second time."""
    text = rendered(name)
    prepared.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
    prepared.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", stdin=text)
    again = prepared.kubectl("diff", "--server-side", "-f", "-", stdin=text, check=False)
    assert (again.returncode, again.stdout) == (0, "")
    install(prepared, text)  # so that it is taken away again


SWITCHES = {
    "cronJob.enabled": ("true", "false"),
    "cronJob.exitZero": ("true", "false"),
    "job.enabled": ("true", "false"),
    "job.hook": ("true", "false"),
    "watch.enabled": ("true", "false"),
    "events": ("true", "false"),
    "namespaces": ("null", "{shop,istio-system}"),
    "report.configMap": ("meshcheck-report", ""),
    "metrics.push": ("", "http://pushgateway.monitoring:9091"),
    "metrics.textfile": ("", "/metrics/meshcheck.prom"),
    "metrics.podMonitor.enabled": ("true", "false"),
    "metrics.dashboard.enabled": ("true", "false"),
    "networkPolicy.enabled": ("true", "false"),
    "istio.enabled": ("true", "false"),
    "serviceAccount.create": ("true", "false"),
    "rbac.create": ("true", "false"),
    "rbac.readRoles": ("true", "false"),
    "podSecurityContext.runAsUser": ("65532", "null"),
    "image.digest": ("", "sha256:" + "0" * 64),
    "fullnameOverride": ("", "checker"),
}


def pairs() -> list[dict[str, str]]:
    """Few settings in which each choice of one switch meets each choice of each other."""
    names = list(SWITCHES)
    left = {(a, x, b, y) for a, b in combinations(names, 2) for x in SWITCHES[a] for y in SWITCHES[b]}
    rows = []
    while left:
        row: dict[str, str] = {}
        for name in names:  # what meets most of what is left with the choices that are made
            row[name] = max(SWITCHES[name], key=lambda v: sum((a, row[a], name, v) in left for a in row) if row else v == "true")
        a, x, b, y = min(left)
        row |= {a: x, b: y}
        left -= {(a, row[a], b, row[b]) for a, b in combinations(names, 2)}
        rows.append(row)
    return rows


def test_the_server_takes_every_pair_of_options(prepared: ApiServer) -> None:
    """Two switches that do not go together would be seen: everything that comes of them is tried on the server, strictly."""
    rows = pairs()
    assert 4 < len(rows) < 40
    for row in rows:
        words = [word for name, value in row.items() for word in ("--set", f"{name}={value}")]
        done = template(*words)
        assert done.returncode == 0, (row, done.stderr)
        found = objects(done.stdout)
        names = [(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in found]
        assert len(set(names)) == len(names), row
        prepared.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", stdin=done.stdout)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.name)
def test_the_server_takes_the_plain_manifests(prepared: ApiServer, path: Path) -> None:
    done = prepared.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", str(path))
    assert len(done.stdout.splitlines()) == len(objects(path.read_text()))


@pytest.mark.parametrize("name", VALUES)
def test_pods_meet_the_restricted_standard(prepared: ApiServer, name: str) -> None:
    """Admission judges pods, not Deployments: each template is tried as a Pod. One in the host's network is refused: the judge is awake."""
    text = rendered(name)
    for number, made in enumerate(pods(text)):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**made["metadata"], "name": f"p{number}"}, "spec": made["spec"]}
        pod["spec"].pop("priorityClassName", None)
        prepared.request("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", pod)
        pod["spec"]["hostNetwork"] = True
        with pytest.raises(ApiError, match="violates PodSecurity"):
            prepared.request("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", pod)


def test_a_misspelt_field_would_be_seen(prepared: ApiServer) -> None:
    monitor = next(item for item in objects(rendered("everything")) if item["kind"] == "PodMonitor")
    monitor["spec"]["podMetricsEndpoints"][0]["intervall"] = "1m"
    done = prepared.kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(monitor), check=False
    )
    assert done.returncode != 0
    assert "intervall" in done.stderr
