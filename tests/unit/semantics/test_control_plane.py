"""Switches of istiod in the input are followed: the same manifests mean something else with them."""

from __future__ import annotations

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.trace import Trace
from meshcheck.semantics.tracing.trace import trace
from tests.support.manifests import app, space, thing

MESH = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    trustDomain: home
    caCertificates: [{pem: x, trustDomains: [partner]}]
    extensionProviders:
    - {name: one, envoyExtAuthzHttp: {service: one.shop.svc.cluster.local, port: 80}}
    - {name: two, envoyExtAuthzHttp: {service: two.shop.svc.cluster.local, port: 80}}
"""


def authorizer(name: str) -> str:
    """A CUSTOM policy for everything at the cart, and its provider."""
    spec = f"{{selector: {{matchLabels: {{app: cart}}}}, action: CUSTOM, provider: {{name: {name}}}, rules: [{{}}]}}"
    return "---\n".join([app("shop", name), thing("security.istio.io/v1", "AuthorizationPolicy", "shop", name, spec)])


def istiod(**variables: str) -> str:
    """The Deployment of istiod with an environment."""
    env = ", ".join(f"{{name: {name}, value: '{value}'}}" for name, value in variables.items())
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: istiod, namespace: istio-system}}
spec:
  selector: {{matchLabels: {{app: istiod}}}}
  template:
    metadata: {{labels: {{app: istiod}}}}
    spec: {{containers: [{{name: discovery, image: pilot, env: [{env}]}}]}}
"""


def ask(question: dict[str, object], *texts: str) -> Trace:
    """The answer in a closed world of these manifests."""
    reading = Reading()
    reading.add_text("world.yaml", "---\n".join([space("shop"), app("shop", "web"), app("shop", "cart"), *texts]))
    return trace(build_world(reading, closed=True), question_of({"id": "q", "method": "GET", **question}))


CALL = {"from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://cart.shop/"}}


@pytest.mark.parametrize(("value", "verdict"), [("false", "denied"), ("true", "unknown"), ("1", "unknown"), ("yes", "denied")])
def test_several_authorizers(value: str, verdict: str) -> None:
    """Without the switch two providers shut everything; with it both are asked, and nobody here knows what they say."""
    found = ask(CALL, MESH, authorizer("one"), authorizer("two"), istiod(PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS=value))
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("domain", "variables", "verdict"),
    [
        ("home", {}, "allowed"),
        ("partner", {}, "allowed"),
        ("elsewhere", {}, "denied"),
        ("elsewhere", {"PILOT_SKIP_VALIDATE_TRUST_DOMAIN": "true"}, "allowed"),
    ],
)
def test_trust_domains(domain: str, variables: dict[str, str], verdict: str) -> None:
    """The mesh's own, those of `caCertificates`, and with the switch all of them."""
    caller = {"namespace": "shop", "workload": "web", "mtls": True, "trust_domain": domain}
    found = ask({**CALL, "from": caller}, MESH, istiod(**variables))
    assert found.verdict == verdict


GATEWAY = "---\n".join(
    [
        space("edge"),
        app("edge", "gate", istio="ingress").replace("name: a, image: b", "name: istio-proxy, image: auto"),
        thing(
            "networking.istio.io/v1",
            "Gateway",
            "shop",
            "public",
            "{selector: {app: gate}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}",
        ),
        thing(
            "networking.istio.io/v1",
            "VirtualService",
            "shop",
            "cart",
            "{hosts: [shop.example.com], gateways: [public], http: [{route: [{destination: {host: cart}}]}]}",
        ),
    ]
)
FROM_OUTSIDE = {
    "from": {"external": True},
    "to": {"url": "http://shop.example.com/", "via": {"namespace": "edge", "name": "gate", "port": 80}},
}


@pytest.mark.parametrize(("value", "verdict"), [("false", "allowed"), ("true", "denied")])
def test_gateways_of_another_namespace(value: str, verdict: str) -> None:
    """With the switch a gateway serves the Gateways of its own namespace only."""
    assert ask(FROM_OUTSIDE, MESH, GATEWAY, istiod(PILOT_SCOPE_GATEWAY_TO_NAMESPACE=value)).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [("true", "denied"), ("false", "allowed")])
def test_policies_with_selectors_at_gateways_of_gateway_api(value: str, verdict: str) -> None:
    """Without the switch such a gateway honours `targetRefs` only."""
    gateway = thing(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "edge",
        "gate",
        "{gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}",
    )
    route = thing(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        "shop",
        "cart",
        "{parentRefs: [{name: gate, namespace: edge}], hostnames: [shop.example.com], rules: [{backendRefs: [{name: cart, port: 80}]}]}",
    )
    nothing = thing("security.istio.io/v1", "AuthorizationPolicy", "edge", "nothing", "{}")
    texts = [MESH, space("edge"), gateway, route, nothing, istiod(ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY=value)]
    assert ask(FROM_OUTSIDE, *texts).verdict == verdict


def test_mesh_config_of_the_wrong_types_is_no_traceback() -> None:
    """Fields of another type are taken as absent."""
    bad = MESH.replace("extensionProviders:", "caCertificates: 5\n    extensionProviders: 5\n    x:")
    assert ask(CALL, bad).verdict == "allowed"
