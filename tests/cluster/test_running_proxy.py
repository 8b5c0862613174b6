"""The configuration of a running proxy through the API server's port-forward: to a stand-in for a kubelet, and on to Envoy's admin port."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from meshcheck.cli.main import main
from tests.cluster.conftest import why_not
from tests.support.apiserver import ApiServer, find_binary
from tests.support.kubelet import Kubelet
from tests.support.proxies import Proxy

pytest.importorskip("kubernetes", reason="LOUD: no Kubernetes client: port-forward was NOT tried")
ROOT = Path(__file__).resolve().parents[2]
DUMP = (ROOT / "tests/unit/cli/proxy/method-not-allowed.json").read_bytes()
MANIFESTS = str(ROOT / "manifests/scenarios/method-not-allowed/manifests.yaml")
ROLE = [
    {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["get", "create"]},
    {"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": ["get", "list"]},
]


@pytest.fixture(scope="module")
def admin_port() -> Iterator[int]:
    """Envoy's administration, as far as it is asked here: a dump of some size, in pieces."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/config_dump" else 404)
            self.end_headers()
            self.wfile.write(DUMP)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, admin_port: int) -> Iterator[tuple[ApiServer, Kubelet]]:
    if missing := why_not():
        pytest.skip(f"LOUD: no API server: {missing}; port-forward was NOT tried")
    with (
        ApiServer(users={"alice": [], "bob": []}) as server,
        Kubelet(server, tmp_path_factory.mktemp("node"), {15000: admin_port}) as kubelet,
    ):
        container = {"name": "istio-proxy", "image": "x"}
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
        for name in ("cart-7d", "cart-old"):
            pod = {"metadata": {"name": name, "labels": {"app": "cart"}}, "spec": {"containers": [container]}}
            server.request("POST", "/api/v1/namespaces/shop/pods", pod)
        server.run_pod("shop", "cart-7d", "10.0.0.1")
        template = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [container]}}
        spec = {"selector": {"matchLabels": {"app": "cart"}}, "template": template}
        server.request("POST", "/apis/apps/v1/namespaces/shop/deployments", {"metadata": {"name": "cart"}, "spec": spec})
        rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"
        server.request("POST", f"{rbac}/roles", {"metadata": {"name": "forward"}, "rules": ROLE})
        subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "alice"}
        reference = {"kind": "Role", "apiGroup": "rbac.authorization.k8s.io", "name": "forward"}
        server.request("POST", f"{rbac}/rolebindings", {"metadata": {"name": "forward"}, "roleRef": reference, "subjects": [subject]})
        yield server, kubelet


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real kubectl, which asks for exec first; no proxies."""
    (tmp_path / "kubectl").symlink_to(find_binary("kubectl"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def proxy(capsys: pytest.CaptureFixture[str], name: str, *words: str) -> tuple[int, str, str]:
    status = main(["proxy", "-f", MANIFESTS, name, "-n", "shop", "-o", "json", *words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("name", ["cart-7d", "pod/cart-7d", "deploy/cart", "shop/cart-7d", "deploy/shop/cart"])
def test_who_may_not_exec_asks_a_port(
    name: str, cluster: tuple[ApiServer, Kubelet], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pods/exec is forbidden, pods/portforward is not: the dump is that of the file."""
    server, kubelet = cluster
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig(user="alice"))
    kubelet.asked.clear()
    assert main(["proxy", "-f", MANIFESTS, str(ROOT / "tests/unit/cli/proxy/method-not-allowed.json"), "-o", "json"]) == 0
    wanted = json.loads(capsys.readouterr().out)
    status, out, err = proxy(capsys, name)
    assert status == 0, err
    found = json.loads(out)
    for each in (*found["proxies"], *wanted["proxies"]):
        each.pop("source", None)
    assert found == wanted
    assert [path.partition("?")[0].split("/")[1:4] for path in kubelet.asked] == [["portForward", "shop", "cart-7d"]]


def test_an_image_without_the_program(
    cluster: tuple[ApiServer, Kubelet], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """exec is allowed and fails, port-forward works; and it works where there is no kubectl at all."""
    server, kubelet = cluster
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig())
    kubelet.asked.clear()
    assert proxy(capsys, "cart-7d")[0] == 0
    assert {path.split("/")[1] for path in kubelet.asked} == {"exec", "portForward"}
    monkeypatch.setenv("PATH", "/nothing")
    assert proxy(capsys, "cart-7d")[0] == 0


def test_impersonation_reaches_the_port(
    cluster: tuple[ApiServer, Kubelet], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who is impersonated is who asks: alice may, bob may not, whatever the administrator may."""
    server, _ = cluster
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig())
    assert proxy(capsys, "cart-7d", "--as", "alice")[0] == 0
    status, _, err = proxy(capsys, "cart-7d", "--as", "bob")
    assert status == 2
    assert 'exec: Error from server (Forbidden): pods "cart-7d" is forbidden: User "bob" cannot' in err
    assert 'port-forward: 403 pods "cart-7d" is forbidden: User "bob" cannot' in err
    assert "it needs `create` on pods/exec or on pods/portforward" in err


def test_through_a_proxy(cluster: tuple[ApiServer, Kubelet], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The way is that of every other request."""
    server, _ = cluster
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig(user="alice"))
    with Proxy(("127.0.0.1", int(server.url.rpartition(":")[2])), "ann:secret") as between:
        monkeypatch.setenv("PATH", "/nothing")
        assert proxy(capsys, "cart-7d", "--proxy-url", between.url)[0] == 0
        assert len(between.seen) == 1


def test_what_cannot_be_read(
    cluster: tuple[ApiServer, Kubelet], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pod that is not there, one that does not run, one whose proxy does not listen: both ways are named, in one line."""
    server, kubelet = cluster
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig())
    for name, said in (
        ("nope", 'port-forward: 404 pods "nope" not found'),
        ("deploy/nope", 'port-forward: 404 deployments.apps "nope" not found'),
        ("cart-old", "port-forward: 400 pod cart-old does not have a host assigned"),
    ):
        status, out, err = proxy(capsys, name)
        assert (status, out) == (2, "")
        assert said in err
        assert len(err.splitlines()) == 1
    monkeypatch.setattr(kubelet, "ports", {})
    status, _, err = proxy(capsys, "cart-7d")
    assert status == 2
    assert "dial tcp4 127.0.0.1:19000: connect: connection refused" in err
    assert [path.rpartition("=")[2] for path in kubelet.asked if path.startswith("/portForward")][-2:] == ["15000", "19000"]
