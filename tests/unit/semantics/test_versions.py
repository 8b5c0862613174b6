"""The versions that images and labels say, and what older ones do not understand."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from meshcheck.cli.main import main
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.semantics.world.versions import control_planes, summary, version_in, versions_of
from tests.support.batch import ask
from tests.support.manifests import app, space, thing

IMAGES = [
    ("docker.io/istio/proxyv2:1.24.1", "1.24.1"),
    ("gcr.io/istio-release/proxyv2:1.24.1-distroless", "1.24.1"),
    ("proxyv2:1.24", "1.24"),
    ("registry:5000/istio/pilot:1.30.0-alpha.3", "1.30.0"),
    ("gcr.io/gke-release/asm/proxyv2:1.20.3-asm.4@sha256:00", "1.20.3"),
    ("registry:5000/istio/pilot", None),
    ("istio/proxyv2:latest", None),
    ("istio/proxyv2@sha256:0011", None),
    ("auto", None),
]


@pytest.mark.parametrize(("image", "version"), IMAGES)
def test_images(image: str, version: str | None) -> None:
    found = version_in(image)
    assert (str(found) if found else None) == version


def istiod(version: str, revision: str = "default", image: bool = True) -> str:
    tag = f"docker.io/istio/pilot:{version}" if image else "mirror/pilot@sha256:00"
    return (
        f"apiVersion: apps/v1\nkind: Deployment\n"
        f"metadata: {{name: istiod-{revision}, namespace: istio-system, labels: {{app.kubernetes.io/version: {version!r}}}}}\nspec:\n"
        f"  selector: {{matchLabels: {{app: istiod}}}}\n  template:\n    metadata: {{labels: {{app: istiod, istio.io/rev: {revision}}}}}\n"
        f"    spec: {{containers: [{{name: discovery, image: '{tag}'}}]}}\n"
    )


def pod(name: str, version: str) -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: cart-1-{name}\n  namespace: shop\n  uid: u\n  labels: {{app: cart}}\n"
        f'  annotations: {{sidecar.istio.io/status: \'{{"revision":"default"}}\'}}\n'
        f"  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: cart-1, controller: true, uid: v}}]\n"
        f"spec:\n  serviceAccountName: cart\n  containers: [{{name: a, image: 'a:9.9.9', ports: [{{containerPort: 8080}}]}}]\n"
        f"  initContainers: [{{name: istio-proxy, restartPolicy: Always, image: 'docker.io/istio/proxyv2:{version}'}}]\n"
        f"status: {{phase: Running, podIP: 10.0.0.{len(name)}}}\n"
    )


def test_of_workloads() -> None:
    """Proxies from the pods that run, whatever else is in them; istiod by image, else by label."""
    reading = Reading()
    reading.add_text("w", "---\n".join([app("shop", "cart"), pod("a", "1.24.1"), pod("bb", "1.22.0"), istiod("1.26.2", image=False)]))
    world = build_world(reading)
    cart = world.find_workload("shop", "cart")
    assert cart is not None
    found = versions_of(world, cart)
    assert [str(version) for version in found.proxies] == ["1.22.0", "1.24.1"]
    assert (str(found.control_plane), found.revision) == ("1.26.2", "default")
    assert {name: str(version) for name, version in control_planes(world).items()} == {"default": "1.26.2"}


def verdict(*documents: str, **question: Any) -> tuple[str, list[str]]:
    asked = {"id": "q", "from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://cart.shop/a/b"}, **question}
    base = [space("shop", "istio-injection: enabled"), app("shop", "web"), app("shop", "cart")]
    world = {"id": "w", "closed_world": True, "manifests": "---\n".join([*base, *documents]), "questions": [asked]}
    found = ask([world], brief=False)["w", "q"]
    return found["verdict"], [missing["fact"] for missing in found["missing"]]


def allow(rule: str) -> str:
    return thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "own", f"{{rules: [{rule}]}}")


ACCOUNTS = allow("{from: [{source: {serviceAccounts: [web]}}]}")
TEMPLATE = allow("{to: [{operation: {paths: ['/a/{*}']}}]}")
HEADER = allow("{when: [{key: 'request.headers[x-team]', values: [a]}]}")


@pytest.mark.parametrize(("policy", "since"), [(ACCOUNTS, "1.25"), (TEMPLATE, "1.22")])
def test_fields_that_an_older_istiod_does_not_know(policy: str, since: str) -> None:
    assert verdict(policy)[0] == "allowed", "without a version the newest is meant"
    assert verdict(policy, istiod(f"{since}.0"))[0] == "allowed"
    major, minor = since.split(".")
    older = f"{major}.{int(minor) - 1}.5"
    found, facts = verdict(policy, istiod(older))
    assert (found, any(f"istiod {older}" in fact and f"since {since}" in fact for fact in facts)) == ("unknown", True), facts


def test_what_does_not_depend_on_it_is_decided() -> None:
    """Another rule lets the call through, or nothing could."""
    both = allow("{from: [{source: {serviceAccounts: [web]}}]}, {to: [{operation: {methods: [GET]}}]}")
    assert verdict(both, istiod("1.20.0"))[0] == "allowed"
    narrowed = allow("{from: [{source: {serviceAccounts: [web]}}], to: [{operation: {methods: [POST]}}]}")
    assert verdict(narrowed, istiod("1.20.0"))[0] == "denied"


def test_headers_of_several_lines_at_older_proxies() -> None:
    several = {"headers": {"x-team": ["a", "b"]}}
    assert verdict(HEADER, pod("a", "1.30.0"), **several)[0] == "allowed"
    found, facts = verdict(HEADER, pod("a", "1.28.2"), **several)
    assert (found, "1.28.2" in facts[0]) == ("unknown", True)
    assert verdict(HEADER, pod("a", "1.28.2"), headers={"x-team": ["a"]})[0] == "allowed"
    assert verdict(HEADER, pod("a", "1.28.2"), headers={"x-team": ["b"]})[0] == "denied"


def test_each_revision_has_an_istiod_of_its_own() -> None:
    """The policy is read by the control plane that manages the called proxy."""
    planes = [istiod("1.20.0"), istiod("1.26.0", "new")]
    mesh = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio%s, namespace: istio-system}\ndata: {mesh: 'trustDomain: td'}\n"
    both = [*planes, mesh % "", mesh % "-new", ACCOUNTS]
    assert verdict(*both, pod("a", "1.26.0"))[0] == "unknown"
    assert verdict(*both, pod("a", "1.26.0").replace('"default"', '"new"'))[0] == "allowed"


def test_summary() -> None:
    """What a snapshot prints; containers of other names have versions of their own."""
    pods = [yaml.safe_load(pod(name, version)) for name, version in (("a", "1.24.1"), ("b", "1.24.1"), ("c", "1.22.0"))]
    plane = yaml.safe_load(istiod("1.26.2"))["spec"]["template"]
    tunnel = {"spec": {"containers": [{"name": "istio-proxy", "image": "istio/ztunnel:1.26.2"}]}}
    assert summary([*pods, plane, tunnel]) == "istiod 1.26.2 (default); proxies 1.24.1 (2), 1.22.0 (1); ztunnel 1.26.2 (1)"
    assert summary([{"spec": {"containers": [{"name": "web", "image": "web:1.2.3"}]}}]) == ""


def test_beside_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands in the text stands in JSON; without versions there is nothing."""
    world = tmp_path / "w.yaml"
    base = [space("shop", "istio-injection: enabled"), app("shop", "web"), app("shop", "cart")]
    world.write_text("---\n".join([*base, pod("a", "1.22.3"), istiod("1.24.1")]))
    words = ["trace", "-f", str(world), "--from", "shop/web", "--to", "http://cart.shop/"]
    assert main(words) == 0
    assert "Istio   shop/cart: proxy 1.22.3, istiod 1.24.1 (revision default)\n" in capsys.readouterr().out
    assert main([*words, "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["versions"]["shop/cart"] == {"proxies": ["1.22.3"], "control_plane": "1.24.1", "revision": "default"}
    schema = json.loads((files("meshcheck") / "data/schemas/trace.v1.json").read_text())
    jsonschema.validate(found, schema)
    world.write_text("---\n".join(base))
    assert main(words) == 0
    assert "Istio   " not in capsys.readouterr().out
