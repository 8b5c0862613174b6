"""meshcheck judges its own chart: lint finds nothing wrong, Prometheus gets its metrics, and nobody else gets anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshcheck.cli.main import main
from tests.chart.rendering import rendered
from tests.support.manifests import app, space

MESH = """\
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The rendered chart in a mesh, with Prometheus where the values say, and somebody else."""
    text = rendered("defaults", "--set", "watch.enabled=true", "--set", "istio.enabled=true")
    neighbours = (
        MESH, space("monitoring"), space("shop"), space("meshcheck"), space("kube-system", "a: b"),
        app("monitoring", "prometheus", labels={"app.kubernetes.io/name": "prometheus"}), app("monitoring", "grafana"), app("shop", "cart"),
    )  # fmt: skip
    accounts = "---\n".join(
        f"apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        for namespace, name in (("monitoring", "prometheus"), ("monitoring", "grafana"), ("shop", "cart"))
    )
    (tmp_path / "world.yaml").write_text("\n---\n".join((text, *neighbours, accounts)))
    return tmp_path / "world.yaml"


@pytest.mark.parametrize(
    ("caller", "how", "method", "path", "port", "verdict"),
    [
        ("monitoring/prometheus", "mtls", "GET", "/metrics", 8080, "allowed"),
        ("monitoring/prometheus", "mtls", "GET", "/readyz", 8080, "denied"),
        ("monitoring/prometheus", "mtls", "POST", "/metrics", 8080, "denied"),
        ("monitoring/prometheus", "mtls", "GET", "/metrics", 8081, "denied"),
        ("monitoring/prometheus", "plaintext", "GET", "/metrics", 8080, "denied"),
        ("monitoring/prometheus", "plaintext", "GET", "/stats/prometheus", 15020, "allowed"),
        ("monitoring/grafana", "mtls", "GET", "/metrics", 8080, "denied"),
        ("monitoring/grafana", "plaintext", "GET", "/stats/prometheus", 15020, "denied"),
        ("shop/cart", "mtls", "GET", "/metrics", 8080, "denied"),
    ],
)
def test_who_gets_the_metrics(
    world: Path, caller: str, how: str, method: str, path: str, port: int, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prometheus with the mesh's certificates on the port itself; one without them at the sidecar's agent. Nobody else anywhere."""
    namespace, _, name = caller.partition("/")
    question = {
        "id": "q",
        "from": {"namespace": namespace, "workload": name, how: True},
        "to": {"namespace": "meshcheck", "workload": "Deployment/meshcheck", "port": port},
        "method": method,
        "path": path,
    }
    batch = world.with_suffix(".jsonl")
    batch.write_text(json.dumps({"id": "w", "manifests": [str(world)], "closed_world": True, "questions": [question]}))
    main(["trace", "--batch", str(batch)])
    answer = json.loads(capsys.readouterr().out)
    assert answer["trace"]["verdict"] == verdict, answer


def test_the_way_out_is_that_to_the_api_server(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """DNS and the API server's ports; nothing else, and nothing else in plain HTTP."""
    for target, verdict in (("tcp://10.96.0.1:443", "allowed"), ("tcp://192.0.2.7:6443", "allowed"), ("tcp://192.0.2.7:80", "denied")):
        main(["trace", "-f", str(world), "--closed-world", "--from", "meshcheck/meshcheck", "--to", target, "-o", "json"])
        found = json.loads(capsys.readouterr().out)
        stations = {s["station"]: s["verdict"] for hop in found["hops"] for s in hop["stations"]}
        assert stations["network-policy"] == verdict, (target, found)


@pytest.mark.parametrize("name", ["defaults", "everything", "few-rights", "foreign-account"])
def test_lint_finds_nothing_wrong(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "chart.yaml").write_text(rendered(name))
    status = main(["lint", "-f", str(tmp_path / "chart.yaml"), "-o", "json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [(f["code"], f["message"]) for f in findings if f["severity"] != "info"] == []
    assert status == 0


def test_lint_finds_nothing_wrong_where_everything_is_known(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a closed world rules may claim absences: of the chart's own objects none of them has anything to say."""
    main(["lint", "-f", str(world), "--closed-world", "-o", "json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    own = [f for f in findings if (f["object"] or {}).get("namespace") == "meshcheck" and f["severity"] != "info"]
    assert [(f["code"], f["object"], f["message"]) for f in own] == []
