"""What pods really have goes before what labels would do: sidecars, ztunnel, readiness."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.batch import ask
from tests.support.manifests import app, space, thing

SECURITY = "security.istio.io/v1"
STRICT = thing(SECURITY, "PeerAuthentication", "shop", "default", "{mtls: {mode: STRICT}}")


def pod(owner: str, name: str = "cart-7d9f-abc", containers: str = "a", notes: str = "{}", ready: str = "True") -> str:
    """A Pod as a cluster has it, made by a controller."""
    listed = ", ".join(f"{{name: {c}, image: i}}" for c in containers.split())
    app_name = name.split("-")[0]
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: shop
  uid: x
  labels: {{app: {app_name}}}
  annotations: {notes}
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {owner}, controller: true, uid: y}}]
spec: {{containers: [{listed}]}}
status: {{phase: Running, podIP: 10.0.0.{len(name)}, conditions: [{{type: Ready, status: "{ready}"}}]}}
"""


CASES = [
    # id, namespace's labels, documents, verdict, a word of the summary or fact
    ("injected by label, running without", "istio-injection: enabled", [pod("cart-7d9f"), STRICT], "allowed", "no sidecar"),
    ("no label, running with", "a: b", [pod("cart-7d9f", containers="a istio-proxy"), STRICT], "denied", "plaintext"),
    ("no pod runs: the label decides", "istio-injection: enabled", [STRICT], "denied", "plaintext"),
    ("some with and some without", "a: b",
     [pod("cart-7d9f", containers="a istio-proxy"), pod("cart-7d9f", "cart-7d9f-abcd"), STRICT], "unknown", "some run with a sidecar"),
    ("captured by ztunnel", "a: b", [pod("cart-7d9f", notes="{ambient.istio.io/redirection: enabled}"), STRICT], "denied", "plaintext"),
    ("no pod is ready", "a: b", [pod("cart-7d9f", ready="False")], "denied", "is ready"),
    ("one pod is ready", "a: b", [pod("cart-7d9f", ready="False"), pod("cart-7d9f", "cart-7d9f-abcd")], "allowed", ""),
]  # fmt: skip


def test_some_with_and_some_without_behind_a_gateway() -> None:
    """Which of them the gateway calls is asked once."""
    gateway = app("istio-system", "gw").replace("name: a,", "name: istio-proxy,")
    server = "{selector: {app: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"
    route = "{hosts: [shop.example.com], gateways: [istio-system/gw], http: [{route: [{destination: {host: cart}}]}]}"
    networking = "networking.istio.io/v1"
    world = [
        *(space("shop", "a: b"), gateway, thing(networking, "Gateway", "istio-system", "gw", server)),
        *(thing(networking, "VirtualService", "shop", "cart", route), app("shop", "cart"), pod("cart-7d9f")),
        *(pod("cart-7d9f", "cart-7d9f-abcd", containers="a istio-proxy"), thing(SECURITY, "AuthorizationPolicy", "shop", "closed", "{}")),
    ]
    to = {"url": "http://shop.example.com/", "via": {"namespace": "istio-system", "name": "gw"}}
    question = {"id": "q", "from": {"external": True}, "to": to}
    trace = ask([{"id": "w", "closed_world": True, "manifests": "---\n".join(world), "questions": [question]}], brief=False)["w", "q"]
    assert trace["verdict"] == "unknown"
    assert "some run with a sidecar" in trace["missing"][0]["fact"]


@pytest.mark.parametrize(("labels", "documents", "verdict", "word"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_runs_decides(labels: str, documents: list[str], verdict: str, word: str) -> None:
    caller = app("shop", "web") + "---\n" + pod("web-1", "web-1-x", "a")
    world = [space("shop", labels), caller, app("shop", "cart"), *documents]
    question: dict[str, Any] = {"id": "q", "from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://cart.shop/"}}
    trace = ask([{"id": "w", "closed_world": True, "manifests": "---\n".join(world), "questions": [question]}], brief=False)["w", "q"]
    said = [s["summary"] for hop in trace["hops"] for s in hop["stations"]] + [m["fact"] for m in trace["missing"]] + trace.get("notes", [])
    assert trace["verdict"] == verdict, said
    assert not word or any(word in text for text in said), said
