"""`kubectl meshcheck` on a real API server: the namespace of the context, and names for the Tab key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from meshcheck.cli.main import main
from tests.cluster.contents import put_text
from tests.support.apiserver import ApiServer

ROOT = Path(__file__).resolve().parents[2]
WORLD = ROOT / "manifests/scenarios/method-not-allowed/manifests.yaml"


pytest.importorskip(
    "kubernetes", reason="LOUD: no Kubernetes client (`pip install -e '.[cluster]'`): the plugin was NOT tried on a cluster"
)


def _kubectl(server: ApiServer, *words: str) -> subprocess.CompletedProcess[str]:
    """The real kubectl, with this meshcheck as its plugin."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['KUBEBUILDER_ASSETS']}:{os.environ['PATH']}"}
    return subprocess.run(["kubectl", *words], env=environment, capture_output=True, text=True, check=False)


def test_the_plugin_on_a_cluster(server: ApiServer) -> None:
    """Callers without a namespace are in that of the context, and the answer is that of the files."""
    assert put_text(server, WORLD.read_text()) == []  # what is put is taken away before the next test
    assert _kubectl(server, "config", "set-context", "--current", "--namespace=shop").returncode == 0
    try:
        done = _kubectl(server, "meshcheck", "why", "--from", "sa/shop/frontend", "--to", "http://cart/api/items", "-X", "DELETE")
        assert done.returncode in (1, 3), done.stderr
        assert "shop/cart" in done.stdout + done.stderr
        offered = _kubectl(server, "__complete", "meshcheck", "trace", "--from", "").stdout.splitlines()
        assert offered == ["shop/cart", "shop/frontend", "external", ":4"]
        assert "shop" in _kubectl(server, "__complete", "meshcheck", "trace", "-n", "").stdout.splitlines()
    finally:
        _kubectl(server, "config", "set-context", "--current", "--namespace=default")


def test_resources_that_the_server_serves(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of CRDs by their short names as well; what is not served is said to be so."""
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]}
    schema = {"openAPIV3Schema": {"type": "object"}}
    spec = {"group": "example.com", "names": names, "scope": "Namespaced"}
    spec["versions"] = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    server.request("POST", path, {"metadata": {"name": "widgets.example.com"}, "spec": spec})
    server.kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=60s")
    try:
        for name in ("wd", "widget", "Widgets"):
            assert main(["can", "--as", "bob", "list", name, "-n", "shop"]) == 1
            assert 'User "bob" cannot list resource "widgets" in API group "example.com"' in capsys.readouterr().out
    finally:
        server.request("DELETE", f"{path}/widgets.example.com")
    assert main(["can", "--as", "bob", "list", "podz", "-n", "shop"]) == 1
    assert "no resource `podz` is served by this API server" in capsys.readouterr().out
    assert main(["can", "--as", "bob", "list", "kongplugins.configuration.konghq.com", "-n", "shop"]) == 1
    assert "is served by this API server" in capsys.readouterr().out


def test_a_namespace_that_is_not_there(server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in `-n` is no empty answer, and leaves nothing behind; files may bring a namespace that is new."""
    assert put_text(server, WORLD.read_text()) == []
    for words in (("graph",), ("lint",), ("snapshot", "-o", str(tmp_path / "s"))):
        assert main([*words, "-n", "shoop"]) == 2
        out, err = capsys.readouterr()
        assert (out, err) == ("", "meshcheck: `-n shoop`: the cluster has no such namespace; did you mean `shop`?\n")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "new.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: shoop}}")
    assert main(["graph", "--live", "-f", str(tmp_path / "new.yaml"), "-n", "shoop"]) == 0
