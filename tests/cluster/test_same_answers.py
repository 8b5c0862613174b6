"""The same objects from files and through the API server, with its defaults: the same answers, hop by hop."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.cli.main import main
from tests.cluster.contents import put, put_text
from tests.cluster.installed import crds, stand_in_crds
from tests.support.apiserver import ApiServer

FOLDER = Path(__file__).resolve().parents[2] / "manifests" / "scenarios"
EVERY = sorted(path for path in FOLDER.iterdir() if path.is_dir())
OLDEST = "two-services-one-port"
"""The manifests say which Service is the older one; the API server gives both the second in which they came."""
IN_OTHER_WORDS = {
    "headless-with-one-plain-pod": "files have an order, a cluster lists by name: the pods of a Service come in another order",
    "block-of-pod-addresses": "a file shows which pods will have no sidecar, a cluster which run without one",
    "past-the-waypoint": "a file shows which pods ztunnel will capture, a cluster which it has",
    "revision-without-webhook": "the cluster of the tests has the webhook of the revision `default`, too",
}
"""Scenarios whose answers are the same but for their words."""
RUNS = "pod-address"
"""A Pod with an address, in a namespace with injection: a file shows what will be injected, a cluster what runs, which has no sidecar."""
PLUGINS = {"cilium": "cilium.io", "calico": "projectcalico.org"}
"""Network plugins whose kinds the API server is given for their scenarios."""
LOOKED_FOR = {
    "certificate-in-the-wrong-namespace": "istio-system/shop-cert",
    "password-file-missing": "shop/users",
}
"""Secrets that are not there, which the cluster is asked for as well."""


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """A trace without places."""
    status = main(["trace", *words, "-o", "json"])
    out, err = capsys.readouterr()
    assert status in (0, 1, 3), err
    trace: dict[str, Any] = json.loads(out)
    fixes = trace.pop("fixes")  # the best few of many, in the order of reading where they are equally good
    return {**_same(trace), "fixable": bool(fixes)}


def _same(value: Any) -> Any:
    """Without places, and without the fields that the API server's defaults add to a rule without matches."""
    if isinstance(value, dict):
        return {key: _same(item) for key, item in value.items() if key != "place"}
    if isinstance(value, str):
        return value.removesuffix(".matches[0]")
    return [_same(item) for item in value] if isinstance(value, list) else value


def question_of(scenario: Path) -> tuple[list[str], list[str]]:
    """The words of a scenario's question for files, and for the cluster."""
    words = shlex.split((scenario / "question.txt").read_text())
    live = [word for n, word in enumerate(words) if word != "-f" and words[n - 1 : n] != ["-f"] and word != "--closed-world"]
    secrets = [
        f"{d['metadata'].get('namespace', 'default')}/{d['metadata']['name']}"
        for d in yaml.safe_load_all((scenario / "manifests.yaml").read_text())
        if isinstance(d, dict) and d.get("kind") == "Secret"
    ]
    secrets += [LOOKED_FOR[scenario.name]] if scenario.name in LOOKED_FOR else []
    return [*words, "--closed-world"], [*live, *(word for name in secrets for word in ("--read-secrets", name))]


@pytest.mark.parametrize("scenario", [path for path in EVERY if path.name not in (OLDEST, RUNS)], ids=lambda path: path.name)
def test_scenario(scenario: Path, server: ApiServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scenario)
    group = PLUGINS.get(scenario.name.partition("-")[0])
    plugin = [crd for crd in stand_in_crds(server) if crd["spec"]["group"] == group] if group else []
    with crds(server, plugin):
        refused = put_text(server, (scenario / "manifests.yaml").read_text())
        words, live = question_of(scenario)
        through, files = ask(capsys, *live), ask(capsys, *words)
    if scenario.name in IN_OTHER_WORDS:
        through, files = ({key: trace[key] for key in ("verdict", "symptom", "missing")} for trace in (through, files))
    assert through == files, refused


def test_the_oldest_service_is_the_oldest_in_the_cluster(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Which of two Services gives a port its protocol follows creationTimestamp, which only the API server writes."""
    scenario = FOLDER / OLDEST
    documents = [d for d in yaml.safe_load_all((scenario / "manifests.yaml").read_text()) if isinstance(d, dict)]
    services = sorted((d for d in documents if d["kind"] == "Service"), key=lambda d: str(d["metadata"].get("creationTimestamp")))
    put(server, [d for d in documents if d["kind"] != "Service"])
    for service in services:
        put(server, [service])
        time.sleep(1.1)  # timestamps are whole seconds
    words, live = question_of(scenario)
    words[words.index("-f") + 1] = str(scenario / "manifests.yaml")
    assert ask(capsys, *live) == ask(capsys, *words)


def test_a_pod_that_runs_without_a_sidecar_has_none(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The label of its namespace came later, or its webhook was down: no policy of the mesh is applied, and the answer says so."""
    text = (FOLDER / RUNS / "manifests.yaml").read_text()
    put_text(server, text)
    _, live = question_of(FOLDER / RUNS)
    found = ask(capsys, *live)
    assert (found["verdict"], found["reached"]["workload"]) == ("allowed", "cart-0")
    assert any("no sidecar" in station["summary"] for hop in found["hops"] for station in hop["stations"])
