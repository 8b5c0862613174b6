"""What routes of Gateway API may lead to beside Services, and routes that are dropped as a whole."""

from __future__ import annotations

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.trace import Trace
from meshcheck.semantics.tracing.trace import trace
from tests.support.manifests import app, space, thing

API = "gateway.networking.k8s.io/v1"
ISTIOD = """\
apiVersion: v1
kind: Pod
metadata: {name: istiod, namespace: istio-system}
spec: {containers: [{name: discovery, env: [{name: ENABLE_GATEWAY_API_INFERENCE_EXTENSION, value: "true"}]}]}
"""


def ask(rule: str, *texts: str, controller: str = "istio.io/gateway-controller") -> Trace:
    """A call through a gateway with a route of one rule."""
    documents = [
        *(space("shop"), app("shop", "cart"), *texts),
        f"apiVersion: {API}\nkind: GatewayClass\nmetadata: {{name: edge}}\nspec: {{controllerName: {controller}}}\n",
        thing(API, "Gateway", "shop", "gate", "{gatewayClassName: edge, listeners: [{name: http, port: 80, protocol: HTTP}]}"),
        thing(API, "HTTPRoute", "shop", "route", f"{{parentRefs: [{{name: gate}}], rules: [{rule}]}}"),
    ]
    reading = Reading()
    reading.add_text("world.yaml", "---\n".join(documents))
    to = {"url": "http://shop.example.com/", "via": {"namespace": "shop", "name": "gate", "port": 80}}
    return trace(build_world(reading, closed=True), question_of({"id": "q", "from": {"external": True}, "to": to, "method": "GET"}))


def backend(group: str, kind: str, name: str = "cart") -> str:
    """A rule with one backend."""
    return f"{{backendRefs: [{{group: {group}, kind: {kind}, name: {name}, port: 80}}]}}"


POOL = backend("inference.networking.k8s.io", "InferencePool")


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (backend("networking.istio.io", "Hostname", "cart.shop.svc.cluster.local"), "allowed"),
        (backend("networking.istio.io", "Hostname", "nobody.shop.svc.cluster.local"), "denied"),
        (backend("multicluster.x-k8s.io", "ServiceImport"), "allowed"),
        (backend("multicluster.x-k8s.io", "ServiceImport", "nobody"), "denied"),
        (backend("example.com", "Thing"), "denied"),
        (POOL, "denied"),
    ],
)
def test_istio(rule: str, verdict: str) -> None:
    """Istio knows Hostnames, takes ServiceImports for Services, and InferencePools only where istiod is told to; others get 500."""
    found = ask(rule)
    assert found.verdict == verdict
    if verdict == "denied":
        assert found.symptom.status == 500


def test_istio_with_inference_pools() -> None:
    """What the pool's picker does is not known here."""
    assert ask(POOL, ISTIOD).verdict == "unknown"


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (backend("gateway.envoyproxy.io", "Backend"), "unknown"),
        (backend("multicluster.x-k8s.io", "ServiceImport"), "unknown"),
        (backend("example.com", "Thing"), "denied"),
    ],
)
def test_another_controller(rule: str, verdict: str) -> None:
    """Backends that it may know are unknown here; what nobody knows gets 500, as the conformance tests ask for."""
    assert ask(rule, controller="gateway.envoyproxy.io/gatewayclass-controller").verdict == verdict


def test_a_route_that_is_dropped_says_why() -> None:
    """Istio drops a whole route for a filter that it does not know."""
    found = ask("{filters: [{type: ExtensionRef, extensionRef: {group: x.y, kind: Z, name: q}}], backendRefs: [{name: cart, port: 80}]}")
    assert (found.verdict, found.symptom.status) == ("denied", 404)
    assert found.decided_at is not None
    station = found.decided_at[1]
    assert "HTTPRoute shop/route is not used: Istio knows no ExtensionRef filters" in station.summary
    assert station.decider is not None
    assert station.decider.meta.ref.kind == "HTTPRoute"
