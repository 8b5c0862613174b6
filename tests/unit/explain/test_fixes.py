"""Fixes: what is offered, in which order, what else it opens, and what input that nobody expects does to it."""

from __future__ import annotations

from typing import Any

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.explain.fixes import fixes_of
from meshcheck.load.read import Reading
from meshcheck.model.trace import DENIED, Fix
from meshcheck.semantics.tracing.trace import trace
from tests.support.manifests import app

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {0}, labels: {{istio-injection: enabled}}}}\n"


def policy(kind: str, name: str, spec: str, api: str = "security.istio.io/v1", namespace: str = "shop") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n{spec}"


def fixes(*more: str, **question: Any) -> tuple[Fix, ...]:
    """Fixes of a call from shop/frontend to shop/cart in a mesh of three workloads."""
    reading = Reading()
    apps = [app("shop", "frontend"), app("shop", "cart"), app("web", "spa")]
    reading.add_text("mesh.yaml", "---\n".join([NAMESPACE.format("shop"), NAMESPACE.format("web"), *apps, *more]))
    assert not reading.not_read
    world = build_world(reading)
    asked = {"from": {"namespace": "shop", "workload": "frontend"}, "to": {"url": "http://cart.shop/api"}, **question}
    found = trace(world, question_of(asked))
    assert found.verdict == DENIED
    return fixes_of(world, found, reading.value_of)


def words(found: tuple[Fix, ...]) -> list[str]:
    return [fix.description for fix in found]


def test_what_else_a_fix_opens_is_said_with_an_example() -> None:
    """A method in a rule for all callers opens it to all of them; a rule of its own opens one request to one caller."""
    found = fixes(policy("AuthorizationPolicy", "cart", '  rules:\n  - to: [{operation: {methods: ["POST"]}}]\n'))
    assert found[0].description == "add `GET` to spec.rules[0].to[0].operation.methods of AuthorizationPolicy shop/cart"
    assert not found[0].safe
    said = [more.words for more in found[0].also_opens or ()]
    assert any(text.startswith("the same caller: method ") for text in said)
    assert any(text.startswith("web/spa → cart.shop: method ") for text in said)
    assert all(more.example is not None for more in found[0].also_opens or ())
    alone = found[1]
    assert alone.description.startswith("add AuthorizationPolicy shop/cart-allow-frontend with a rule for shop/frontend: GET /api")
    assert (alone.safe, alone.also_opens) == (True, ())


def test_a_policy_that_opens_other_targets_says_which() -> None:
    """An exception in a rule for a whole namespace opens other workloads of the namespace, too."""
    deny = policy("AuthorizationPolicy", "closed", '  action: DENY\n  rules:\n  - from: [{source: {principals: ["*"]}}]\n')
    other = app("shop", "stock")
    found = fixes(deny, other)
    assert any("shop/frontend → shop/stock" in more.words for fix in found for more in fix.also_opens or ())


def test_a_rule_without_the_token_is_no_way_around_a_rule_with_it() -> None:
    policies = policy("AuthorizationPolicy", "cart", '  rules:\n  - from: [{source: {requestPrincipals: ["*"]}}]\n')
    assert fixes(policies) == ()


def test_the_ports_of_services_and_pods() -> None:
    """The Service's port in a NetworkPolicy gives way to the pod's."""
    spec = "  podSelector: {}\n  ingress:\n  - from: [{podSelector: {}}]\n    ports: [{port: 80}]\n"
    found = fixes(policy("NetworkPolicy", "cart", spec, "networking.k8s.io/v1"))
    assert found[0].description.startswith("write 8080, the pod's port, instead of 80, the port of Service cart")
    assert found[0].patches[0][1] == ({"op": "replace", "path": "/spec/ingress/0/ports/0/port", "value": 8080},)


def test_both_directions_and_the_policy_behind_them_in_one_fix() -> None:
    closed = "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n  egress:\n  - ports: [{port: 53, protocol: UDP}]\n"
    nothing = policy("AuthorizationPolicy", "nothing", "  {}\n")
    found = fixes(policy("NetworkPolicy", "closed", closed, "networking.k8s.io/v1"), nothing)
    assert found[0].verified
    assert found[0].description.count("; and ") == 2
    assert len(found[0].patches) == 3


@pytest.mark.parametrize("mode", ["DISABLE", "SIMPLE"])
def test_the_client_s_side_goes_before_the_server_s(mode: str) -> None:
    strict = policy("PeerAuthentication", "default", "  mtls: {mode: STRICT}\n")
    rule = policy("DestinationRule", "cart", f"  host: cart\n  trafficPolicy: {{tls: {{mode: {mode}}}}}\n", "networking.istio.io/v1")
    found = words(fixes(strict, rule))
    assert found[0].startswith("take spec.trafficPolicy out of DestinationRule shop/cart") or "ISTIO_MUTUAL" in found[0]


def test_port_levels_of_a_destination_rule() -> None:
    strict = policy("PeerAuthentication", "default", "  mtls: {mode: STRICT}\n")
    ports = "  host: cart\n  trafficPolicy:\n    portLevelSettings:\n    - {port: {number: 80}, tls: {mode: DISABLE}}\n"
    found = fixes(strict, policy("DestinationRule", "cart", ports, "networking.istio.io/v1"))
    assert "portLevelSettings[0].tls" in found[0].description


def test_an_entry_that_a_new_object_would_clash_with_gets_another_name() -> None:
    taken = policy("AuthorizationPolicy", "cart-allow-frontend", "  {}\n")
    found = fixes(taken)
    assert any("shop/cart-allow-frontend-2" in text for text in words(found))


def test_a_client_of_which_nothing_is_known_gets_a_rule_for_the_port_alone() -> None:
    """At a gateway it is the last resort, and never safe."""
    pods = app("shop", "edge", annotations={"inject.istio.io/templates": "gateway"}, labels={"app": "edge", "istio": "edge"})
    servers = '  selector: {istio: edge}\n  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]\n'
    gateway = policy("Gateway", "edge", servers, "networking.istio.io/v1")
    route = '  hosts: ["*"]\n  gateways: [edge]\n  http: [{route: [{destination: {host: cart}}]}]\n'
    routes = policy("VirtualService", "edge", route, "networking.istio.io/v1")
    closed = "  podSelector: {matchLabels: {app: edge}}\n  ingress:\n  - from: [{podSelector: {}}]\n"
    policies = policy("NetworkPolicy", "closed", closed, "networking.k8s.io/v1")
    to = {"url": "http://edge.example.com/", "via": {"namespace": "shop", "name": "edge", "port": 80}}
    found = fixes(pods, gateway, routes, policies, **{"from": {"external": True}, "to": to})
    assert found[0].description == "add a rule to NetworkPolicy shop/closed: ingress from everywhere, TCP 8080"
    assert not any(fix.safe for fix in found)
