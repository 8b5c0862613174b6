"""A whole cluster, made by kind: pods that run, addresses and DNS are the cluster's own, and the answers are those of the files."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_kind import KindCluster

from meshcheck.cli.main import main
from tests.cluster.test_same_answers import FOLDER

pytestmark = pytest.mark.kind


def why_not() -> str | None:
    """Why there is no kind here; None when there is. Nothing is fetched: pytest-kind would take an old kind from the network."""
    for program in ("docker", "kind", "kubectl"):
        if shutil.which(program) is None:
            return f"no `{program}` in $PATH"
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"`docker info` fails: {(done.stderr.strip().splitlines() or ['it does not say why'])[-1]}"


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KindCluster]:
    if missing := why_not():
        pytest.skip(f"LOUD: no kind: {missing}: meshcheck was NOT tried on a cluster whose pods run")
    folder = tmp_path_factory.mktemp("kind")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # KindCluster makes `.pytest-kind` where it stands
        name = f"meshcheck-{os.getpid()}"
        programs = {"kind_path": Path(str(shutil.which("kind"))), "kubectl_path": Path(str(shutil.which("kubectl")))}
        cluster = KindCluster(name, folder / "kubeconfig", **programs)
        try:
            cluster.create()
            cluster.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=300s")
            yield cluster
        finally:
            cluster.delete()


def place(kind: KindCluster, text: str, folder: Path) -> Path:
    """Apply manifests, with an image that the node has, and wait until their pods run; returns the file that was applied.

    What stands for the cluster's own (its DNS in kube-system) is left out: kind has the real one.
    """
    found = str(kind.kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.images[*].names[*]}")).split()
    image = next(name for name in found if "/pause:" in name)
    documents = [d for d in yaml.safe_load_all(text) if d and "kube-system" not in (d["metadata"]["name"], d["metadata"].get("namespace"))]
    for document in documents:
        if document["kind"] == "Deployment":
            for container in document["spec"]["template"]["spec"]["containers"]:
                container["image"] = image
    file = folder / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    kind.kubectl("apply", "-f", str(file))
    for namespace in {d["metadata"]["namespace"] for d in documents if d["kind"] == "Deployment"}:
        kind.kubectl("wait", "--for=condition=Available", "deployment", "--all", "-n", namespace, "--timeout=180s")
    return file


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    status = main(["trace", *words, "-o", "json"])
    out, err = capsys.readouterr()
    assert status in (0, 1), err
    trace: dict[str, Any] = json.loads(out)
    return trace


def verdict(trace: dict[str, Any]) -> Any:
    """What a user acts upon: the verdict, what the caller sees, and the object that decides."""
    decided = trace["decided_by"] or {}
    return trace["verdict"], trace["symptom"], decided.get("station"), decided.get("object")


@pytest.mark.parametrize(("scenario", "expected"), [("empty-egress-list", "allowed"), ("dns-forgotten", "denied")])
def test_answers_of_a_cluster_that_runs(
    scenario: str, expected: str, kind: KindCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files, the cluster and its snapshot say the same."""
    file = place(kind, (FOLDER / scenario / "manifests.yaml").read_text(), tmp_path)
    try:
        words = shlex.split((FOLDER / scenario / "question.txt").read_text())
        call = words[words.index("--from") :]
        config = ("--kubeconfig", str(kind.kubeconfig_path))
        live = ask(capsys, *config, *call)
        assert live["verdict"] == expected
        assert verdict(live) == verdict(ask(capsys, "-f", str(FOLDER / scenario), *call, "--closed-world"))
        snapshot = str(tmp_path / "s")
        assert main(["snapshot", "-o", snapshot, *config]) == 0
        capsys.readouterr()
        assert ask(capsys, "--snapshot", snapshot, *call) == live
    finally:
        kind.kubectl("delete", "-f", str(file), "--wait=true", "--timeout=120s")
