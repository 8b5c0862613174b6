"""`kubectl meshcheck` on a real API server: the namespace of the context, and names for the Tab key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
