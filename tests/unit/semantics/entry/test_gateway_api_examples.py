"""Worked examples of Gateway API and of Envoy Gateway, by their numbers; each with the class that it is about, and the generic one where it is about all.

A case is (number, more manifests, question, verdict, what is seen), as in test_ways_in.py.
"""

# ruff: noqa: E501  tables of manifests
from __future__ import annotations

from typing import Any

import pytest

from tests.support.batch import ask
from tests.support.manifests import app, space, thing
from tests.unit.semantics.entry.test_gateway_api import (
    ALL,
    ANY,
    API,
    BACK,
    BACKEND_TLS,
    EG,
    FOREIGN,
    SAME,
    WEB,
    WORLD,
    gateway,
    gateway_class,
    route,
    security,
    to,
)
from tests.unit.semantics.entry.test_ways_in import check

Json = dict[str, Any]
GENERIC = gateway_class("example.com/any")
OTHER = app("shop", "other")
R = "backendRefs: [{name: other, port: 80}]"
UI = {"origin": ["https://ui.example"], "access-control-request-method": ["GET"]}
WIDE = "{name: wide, port: 80, protocol: HTTP, hostname: '*.shop.example', allowedRoutes: {namespaces: {from: All}}}"
CORS = "{type: CORS, cors: {allowOrigins: ['https://ui.example'], allowMethods: [GET], allowHeaders: [content-type]}}"
SECURE = "{name: https, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: cert, namespace: shop}]}}"
CERT = "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: cert, namespace: shop}\nstringData: {tls.crt: '-----BEGIN CERTIFICATE-----', tls.key: '-----BEGIN PRIVATE KEY-----'}\n"
TWO = "{name: a, port: 443, protocol: HTTPS, hostname: a.example, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: own}]}}"
OWN = CERT.replace("name: cert, namespace: shop", "name: own, namespace: infra")
EMPTY = thing("v1", "Service", "shop", "empty", "{selector: {app: nobody}, ports: [{port: 80}]}")
GRPC = thing(
    API, "GRPCRoute", "shop", "rpc", "{parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: other, port: 80}]}]}"
)
GET_ONLY = f"{{matches: [{{method: GET}}], {BACK}}}"
GET_CORS = f"{{matches: [{{method: GET}}], filters: [{CORS}], {BACK}}}"
TOKENS = "jwt: {providers: [{name: a, issuer: i, remoteJWKS: {uri: 'https://i/keys'}}]}"


def two(first: str, second: str) -> list[str]:
    """Two routes, the first one older."""
    return [aged(route(first), "2026-01-01"), aged(route(second, name="second"), "2026-02-01")]


def aged(document: str, day: str) -> str:
    return document.replace("metadata: {", f"metadata: {{creationTimestamp: '{day}T00:00:00Z', ", 1)


def tls(host: str, **more: Any) -> Json:
    return {"from": {"external": True}, "to": {"url": f"https://{host}/", "via": {"namespace": "infra", "name": "gw", "port": 443}}, **more}


CASES: list[tuple[str, list[str], Json, str, str]] = [
    ("G01", [*ANY, route(WEB, "hostnames: ['*.shop.example'],")], to("http://a.b.shop.example/"), "allowed", ""),
    ("G02", [*WORLD, GENERIC, gateway(WIDE), route(WEB, "hostnames: [shop.example],")], to("http://shop.example/"), "denied", "404"),
    ("G06", [*ANY, route(GET_ONLY)], to(method="OPTIONS", headers=UI), "denied", "404"),
    ("G06 at Istio", [*WORLD, gateway(ALL, "istio"), route(GET_ONLY)], to(method="OPTIONS", headers=UI, source_ip="203.0.113.9"), "denied", "404"),
    ("G06 at Envoy Gateway, without a filter", [*EG[:-1], route(GET_ONLY)], to(method="OPTIONS", headers=UI), "denied", "404"),
    ("G06 at Envoy Gateway, with one", [*EG[:-1], route(GET_CORS)], to(method="OPTIONS", headers=UI), "allowed", "200"),
    ("G07", [*ANY, FOREIGN], to(), "denied", "500"),
    ("G09", [*ANY, EMPTY, route("{backendRefs: [{name: empty, port: 80}]}")], to(), "denied", "503"),
    ("G10", [*WORLD, GENERIC, gateway(SAME), route(WEB)], to(), "denied", "404"),
    ("G11", [*WORLD, GENERIC, gateway(f"{ALL}, {TWO}"), OWN, route(WEB, parent="{name: gw, namespace: infra, sectionName: a, port: 80}")], tls("a.example"), "denied", "404"),
    ("G12", [*WORLD, GENERIC, gateway(SECURE), CERT, route(WEB)], tls("a.example"), "denied", "refused"),
    ("G13", [*WORLD, GENERIC, gateway(f"{WIDE}, {WIDE.replace('wide', 'one').replace('*.shop', 'a.shop')}"), route(WEB, parent="{name: gw, namespace: infra, sectionName: wide}")], to("http://a.shop.example/"), "unknown", "isolat"),
    ("G14", [*WORLD, GENERIC, gateway(f"{TWO}, {TWO.replace('name: a,', 'name: b,').replace('a.example', 'b.example')}"), OWN, route(WEB)], tls("b.example", sni="a.example"), "denied", "421"),
    ("G16", [*ANY, route("{matches: [{path: {value: /}}]}")], to(), "denied", "500"),
    ("G16 with weights of 0", [*ANY, route("{backendRefs: [{name: web, port: 80, weight: 0}]}")], to(), "denied", "500"),
    ("G17", [*ANY, route(f"{{filters: [{CORS}], {BACK}}}")], to(origin="https://ui.example", headers={"authorization": ["Bearer x"]}), "denied", "cors"),
    ("G18", [*ANY, OTHER, aged(route(WEB), "2026-01-01"), aged(GRPC, "2026-02-01")], to("grpc://shop.example.com/a.S/Get"), "allowed", ""),
    ("G19", [*ANY, route(WEB), BACKEND_TLS], to(), "denied", "500"),
    ("O01", [*EG, security(TOKENS)], to(), "denied", "401"),
    ("O02", [*EG, security("authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {clientCIDRs: [10.0.0.0/8]}}]}", "Gateway", "gw", "infra", "g"), security("cors: {allowOrigins: ['https://a.test']}")], to(source_ip="203.0.113.9"), "allowed", ""),
    *[(f"O03 from {ip}", [*EG, security("authorization: {rules: [{action: Deny, principal: {clientCIDRs: [10.9.0.0/16]}}, {action: Allow, principal: {clientCIDRs: [10.0.0.0/8]}}]}")], to(source_ip=ip), verdict, "" if verdict == "allowed" else "403")
      for ip, verdict in (("10.9.1.1", "denied"), ("10.1.1.1", "allowed"), ("192.0.2.1", "denied"))],
    ("O04", [*EG, security("basicAuth: {users: {name: users}}")], to(), "denied", "500"),
    ("O06", [*EG, security(f"cors: {{allowOrigins: ['https://ui.example'], allowMethods: [GET]}}, {TOKENS}")], to(method="OPTIONS", headers=UI), "allowed", "200"),
]  # fmt: skip


@pytest.mark.parametrize(("manifests", "question", "verdict", "word"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_examples(manifests: list[str], question: Json, verdict: str, word: str) -> None:
    """Each worked example has the answer that was written for it."""
    check(manifests, question, verdict, word)


CHOICES: list[tuple[str, str, str, Json, str]] = [
    ("G03", f"{{matches: [{{path: {{value: /v1}}, headers: [{{name: x, value: '1'}}]}}], {BACK}}}", f"{{matches: [{{path: {{value: /v1/items}}}}], {R}}}", to("http://shop.example.com/v1/items", headers={"x": ["1"]}), "other"),
    ("G04", f"{{matches: [{{path: {{value: /foo}}}}], {BACK}}}", f"{{matches: [{{path: {{type: Exact, value: /foo}}}}], {R}}}", to("http://shop.example.com/foo"), "other"),
    ("G05", f"{{matches: [{{method: GET}}], {R}}}", f"{{matches: [{{headers: [{{name: a, value: '1'}}, {{name: b, value: '1'}}]}}], {BACK}}}", to(headers={"a": ["1"], "b": ["1"]}), "other"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "question", "service"), [c[1:] for c in CHOICES], ids=[c[0] for c in CHOICES])
def test_precedence(first: str, second: str, question: Json, service: str) -> None:
    """The more exact rule wins, whatever its age."""
    line = {
        "id": "w",
        "closed_world": True,
        "manifests": "---\n".join([*ANY, OTHER, *two(first, second)]),
        "questions": [{"id": "q", **question}],
    }
    trace = ask([line], brief=False)["w", "q"]
    assert (trace["verdict"], trace["reached"]["service"]) == ("allowed", service)


def test_envoy_gateway_counts_a_method_as_a_header() -> None:
    """G05 at Envoy Gateway: two headers are more than one method."""
    _, first, second, question, _ = CHOICES[2]
    documents = [*EG[:-1], OTHER, *two(first, second)]
    line = {"id": "w", "closed_world": True, "manifests": "---\n".join(documents), "questions": [{"id": "q", **question}]}
    assert ask([line], brief=False)["w", "q"]["reached"]["service"] == "web"


def test_some_calls_reach_a_backend_that_is_not_there() -> None:
    """G08: chance decides, so one call is neither allowed nor denied."""
    check([*ANY, route("{backendRefs: [{name: web, port: 80, weight: 1}, {name: nobody, port: 80, weight: 1}]}")], to(), "unknown", "which")


MESH_GATEWAY = [space("shop"), space("infra", "a: b"), app("shop", "web"), gateway(ALL, "istio"), route(f"{{filters: [{CORS}], {BACK}}}")]
SEC = "security.istio.io/v1"
DEMAND = "rules: [{from: [{source: {requestPrincipals: ['*']}}]}]"
AT_GATEWAY = thing(
    SEC, "AuthorizationPolicy", "infra", "p", f"{{targetRefs: [{{kind: Gateway, group: gateway.networking.k8s.io, name: gw}}], {DEMAND}}}"
)
CUSTOM = thing(
    SEC,
    "AuthorizationPolicy",
    "infra",
    "p",
    "{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: gw}], action: CUSTOM, provider: {name: nobody}, rules: [{}]}",
)
FROM = {"source_ip": "203.0.113.9"}
ISTIO: list[tuple[str, list[str], Json, str, str]] = [
    ("O20", [*MESH_GATEWAY, AT_GATEWAY], to(method="OPTIONS", headers=UI, **FROM), "denied", "403"),
    ("O21", [*MESH_GATEWAY, thing(SEC, "AuthorizationPolicy", "shop", "p", f"{{{DEMAND}}}")], to(method="OPTIONS", headers=UI, **FROM), "allowed", "200"),
    ("O22", [*MESH_GATEWAY, CUSTOM], to(**FROM), "denied", "403"),
]  # fmt: skip


@pytest.mark.parametrize(("manifests", "question", "verdict", "word"), [c[1:] for c in ISTIO], ids=[c[0] for c in ISTIO])
def test_istio(manifests: list[str], question: Json, verdict: str, word: str) -> None:
    """Policies at the gateway go before CORS, those of the workload behind it."""
    check(manifests, question, verdict, word)
