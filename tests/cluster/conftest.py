"""A real API server for the whole run, with the CRDs of Istio and Gateway API; an empty one for each test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.contents import put, wipe
from tests.support import apiserver
from tests.support.apiserver import ApiServer
from tests.support.injectors import injector

MODULES = {
    "sigs.k8s.io/network-policy-api@v0.3.0": "config/crd/experimental/policy.networking.k8s.io_clusternetworkpolicies.yaml",
    "istio.io/api@v1.31.4": "kubernetes/customresourcedefinitions.gen.yaml",
    "sigs.k8s.io/gateway-api@v1.6.3": "config/crd/experimental",
}
USERS = {"alice": ["dev"], "bob": ["dev"], "carol": ["dev"]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(str(item.fspath)).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.cluster)


def why_not() -> str | None:
    """Why there is no API server here; None when there is one."""
    missing = apiserver.available()
    if missing is None and not shutil.which("go") and not Path("/usr/local/go/bin/go").exists():
        missing = "no `go`, which fetches the CRDs of Istio and Gateway API"
    return missing


@pytest.fixture(scope="session")
def started() -> Iterator[ApiServer]:
    if missing := why_not():
        pytest.skip(f"LOUD: no API server: {missing}; `export KUBEBUILDER_ASSETS=$(sh tests/cluster/kube-binaries/build.sh)`")
    with ApiServer(users=USERS) as server:
        apply_crds(server)
        yield server


def apply_crds(server: ApiServer) -> None:
    """The kinds of Istio and Gateway API, and admin policies."""
    for module, path in MODULES.items():
        found = folder_of_module(module) / path
        files = [file for file in found.glob("*.yaml") if not file.name.startswith("kustom")] if found.is_dir() else [found]
        server.kubectl("apply", "--server-side", *(word for file in sorted(files) for word in ("-f", str(file))))
    server.kubectl("apply", "--server-side", "-f", str(Path(__file__).parent / "admin-policies.yaml"))
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


@pytest.fixture
def server(started: ApiServer, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """The server, empty but for Istio's webhook that injects sidecars, and KUBECONFIG naming it."""
    wipe(started)
    assert put(started, [injector()]) == []
    monkeypatch.setenv("KUBECONFIG", started.kubeconfig())
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return started


def folder_of_module(module: str) -> Path:
    """A Go module's folder; fetched once, with the checksum that Go's own database has."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    done = subprocess.run(
        [go, "mod", "download", "-json", module], capture_output=True, text=True, cwd=Path(__file__).parent / "kube-binaries", check=False
    )
    if done.returncode:
        pytest.skip(f"LOUD: the CRDs of {module} cannot be fetched: {done.stderr.strip() or done.stdout.strip()}")
    return Path(json.loads(done.stdout)["Dir"])
