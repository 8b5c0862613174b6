"""Where a fact is missing the answer is `unknown` and names it; the same call with the fact has an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.batch import ask
from tests.support.manifests import app, space, thing

Json = dict[str, Any]


SHOP = [space("shop"), app("shop", "web"), app("shop", "cart")]
STRICT = thing("security.istio.io/v1", "PeerAuthentication", "istio-system", "default", "{mtls: {mode: STRICT}}")
DNS = [space("kube-system", "a: b"), app("kube-system", "kube-dns").replace("port: 80, protocol: UDP", "port: 53, protocol: UDP")]
NP = "networking.k8s.io/v1"
NETWORKING = "networking.istio.io/v1"
CALL: Json = {"from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://cart.shop/"}}
SIMPLE = thing(NETWORKING, "DestinationRule", "shop", "cart", "{host: cart, trafficPolicy: {tls: {mode: SIMPLE}}}")
PLAIN_SHOP = [space("shop"), app("shop", "web"), app("legacy", "cart"), space("legacy", "a: b")]
TO_LEGACY: Json = {"from": {"namespace": "shop", "workload": "web"}, "to": {"url": "http://cart.legacy/"}}
CUSTOM = thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "ask", "{action: CUSTOM, provider: {name: opa}, rules: [{}]}")
BY_LABEL = "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"
RANGES = {"traffic.sidecar.istio.io/excludeOutboundIPRanges": "10.0.0.0/8"}
DELEGATE = "{hosts: [cart], http: [{match: [{uri: {prefix: /}}], delegate: {name: x}}]}"
LISTENER = "{port: {number: 8080, protocol: HTTP, name: http}, defaultEndpoint: '127.0.0.1:80'}"
INGRESS = f"{{workloadSelector: {{labels: {{app: cart}}}}, ingress: [{LISTENER}]}}"
PATCH = "{configPatches: [{applyTo: HTTP_FILTER, match: {context: SIDECAR_INBOUND}, patch: {operation: INSERT_FIRST, value: {name: x}}}]}"
LUA = thing("networking.istio.io/v1alpha3", "EnvoyFilter", "shop", "lua", PATCH)
OF_WEB = LUA.replace("SIDECAR_INBOUND", "SIDECAR_OUTBOUND").replace(
    "{configPatches", "{workloadSelector: {labels: {app: web}}, configPatches"
)
EXTENSIONS = "extensions.istio.io/v1alpha1"
TARGETS = "{url: 'oci://x/y', targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]}"


def plugin(match: str = "", more: str = "") -> str:
    """A WasmPlugin for everything in the shop."""
    return thing(EXTENSIONS, "WasmPlugin", "shop", "p", f"{{url: 'oci://x/y'{more}{f', match: [{match}]' if match else ''}}}")


AS_TCP = [text.replace("name: http, port: 80", "name: tcp, port: 80") for text in SHOP]
BYTES: Json = {**CALL, "to": {"url": "tcp://cart.shop:80"}}

CASES: list[tuple[str, list[str], Json, str, str]] = [
    # id, documents, question, verdict, a word of the missing fact or of the symptom
    ("DNS pods that nobody may ask",
     [*SHOP, *DNS, thing(NP, "NetworkPolicy", "kube-system", "d", "{podSelector: {}}")], CALL, "denied", "dns"),
    ("gRPC is POST",
     [*SHOP, thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "p", "{rules: [{to: [{operation: {methods: [POST]}}]}]}")],
     {**CALL, "to": {"url": "grpc://cart.shop:80/a.B/C"}}, "allowed", ""),
    ("TLS of the sidecar to an application",
     [*PLAIN_SHOP, SIMPLE.replace("namespace: shop", "namespace: legacy")], TO_LEGACY, "unknown", "speaks TLS"),
    ("TLS of the application", PLAIN_SHOP, {**TO_LEGACY, "to": {"url": "https://cart.legacy:443/"}}, "denied", "refused"),
    ("TLS on a port that is declared as HTTP", SHOP, {**CALL, "to": {"url": "https://cart.shop:80/"}}, "denied", "reset"),
    ("bytes on a port that is declared as HTTP", SHOP, {**CALL, "to": {"url": "tcp://cart.shop:80"}}, "unknown", "is HTTP"),
    ("UDP passes by the sidecars", [*SHOP, STRICT], {**CALL, "to": {"url": "udp://cart.shop:80"}}, "allowed", ""),
    ("two workloads with one account", [*SHOP, app("shop", "spy", "web"), thing(NP, "NetworkPolicy", "shop", "n", BY_LABEL)],
     {**CALL, "from": {"namespace": "shop", "service_account": "web"}}, "unknown", "service account"),
    ("an account that no workload has",
     [*SHOP, STRICT], {**CALL, "from": {"namespace": "shop", "service_account": "robot"}}, "allowed", ""),
    ("an account, and policies by label", [*SHOP, thing(NP, "NetworkPolicy", "shop", "n", BY_LABEL)],
     {**CALL, "from": {"namespace": "shop", "service_account": "robot"}}, "unknown", "labels"),
    ("a namespace and nothing more", SHOP, {**CALL, "from": {"namespace": "shop"}}, "unknown", "which workload"),
    ("mTLS with nobody's identity", SHOP, {**CALL, "from": {"namespace": "shop", "mtls": True}}, "unknown", "identity"),
    ("from outside to a Service", SHOP, {**CALL, "from": {"external": True}}, "unknown", "from outside"),
    ("a delegate that does not exist", [*SHOP, thing(NETWORKING, "VirtualService", "shop", "v", DELEGATE)], CALL, "allowed", ""),
    ("ingress listeners", [*SHOP, thing(NETWORKING, "Sidecar", "shop", "s", INGRESS)], CALL, "unknown", "ingress listeners"),
    ("address ranges of the caller", [space("shop"), app("shop", "cart"),
     app("shop", "web", annotations=RANGES)], CALL, "unknown", "address ranges"),
    ("an ambient caller", [*PLAIN_SHOP, space("mesh", "istio.io/dataplane-mode: ambient"), app("mesh", "web")],
     {**TO_LEGACY, "from": {"namespace": "mesh", "workload": "web"}}, "allowed", ""),
    ("an ambient caller that refuses a sidecar", [*PLAIN_SHOP, space("mesh", "istio.io/dataplane-mode: ambient, istio-injection: disabled"),
     app("mesh", "web")], {**TO_LEGACY, "from": {"namespace": "mesh", "workload": "web"}}, "allowed", ""),
    ("an EnvoyFilter", [*SHOP, LUA], CALL, "unknown", "EnvoyFilter shop/lua"),
    ("an EnvoyFilter for clusters", [*SHOP, LUA.replace("HTTP_FILTER", "CLUSTER")], CALL, "allowed", ""),
    ("an EnvoyFilter of the caller", [*SHOP, OF_WEB], CALL, "unknown", "EnvoyFilter shop/lua"),
    ("an EnvoyFilter of another caller", [*SHOP, OF_WEB.replace("app: web", "app: w")], CALL, "allowed", ""),
    ("a plugin", [*SHOP, plugin()], CALL, "unknown", "WasmPlugin shop/p"),
    ("a plugin for calls that arrive at another port", [*SHOP, plugin("{mode: SERVER, ports: [{number: 9}]}")], CALL, "allowed", ""),
    ("a plugin for calls that arrive", [*SHOP, plugin("{mode: SERVER, ports: [{number: 9}, {number: 8080}]}")], CALL, "unknown", "shop/p"),
    ("a plugin for gateways", [*SHOP, thing(EXTENSIONS, "WasmPlugin", "shop", "p", TARGETS)], CALL, "allowed", ""),
    ("a plugin for HTTP and bytes", [*AS_TCP, plugin()], BYTES, "allowed", ""),
    ("a plugin for bytes", [*AS_TCP, plugin(more=", type: NETWORK")], BYTES, "unknown", "shop/p"),
    ("a TrafficExtension", [*SHOP, thing(EXTENSIONS, "TrafficExtension", "shop", "t", "{lua: {inlineCode: x}}")],
     CALL, "unknown", "shop/t"),
    ("a browser", SHOP, {**CALL, "origin": "https://app.example.com"}, "unknown", "Access-Control-Allow-Origin"),
    ("a gateway", SHOP, {**CALL, "to": {"url": "http://shop.example.com/", "via": {"namespace": "x", "name": "y"}}}, "unknown", "gateway"),
]  # fmt: skip

OPEN: list[tuple[str, list[str], Json, str, str]] = [
    ("a Service whose pods are elsewhere",
     [*SHOP, app("shop", "db").partition("---\n")[2]], {**CALL, "to": {"url": "http://db.shop/"}}, "unknown", "labels"),
    ("a provider in a mesh config that was not read", [*SHOP, CUSTOM], CALL, "unknown", "mesh config"),
    ("an address that may be a pod's", [*SHOP, thing(NP, "NetworkPolicy", "shop", "n", BY_LABEL)],
     {**CALL, "from": {"ip": "10.1.2.3"}}, "unknown", "pod that is not in the input"),
]  # fmt: skip


def verdict(documents: list[str], question: Json, closed: bool) -> tuple[str, str]:
    """The verdict, and the missing facts or the symptom in one text."""
    world = {"id": "w", "closed_world": closed, "manifests": "---\n".join(documents), "questions": [{"id": "q", **question}]}
    trace = ask([world], brief=False)["w", "q"]
    return trace["verdict"], " ".join(m["fact"] for m in trace["missing"]) or trace["symptom"]["kind"]


@pytest.mark.parametrize(("documents", "question", "want", "word"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_closed_world(documents: list[str], question: Json, want: str, word: str) -> None:
    got, said = verdict(documents, question, True)
    assert (got, word in said) == (want, True), said


@pytest.mark.parametrize(("documents", "question", "want", "word"), [case[1:] for case in OPEN], ids=[case[0] for case in OPEN])
def test_open_world(documents: list[str], question: Json, want: str, word: str) -> None:
    got, said = verdict(documents, question, False)
    assert (got, word in said) == (want, True), said
    assert verdict(documents, question, True)[0] == "denied"


def test_a_delegate_elsewhere() -> None:
    """A delegate that is not in the input may do anything, unless the World is closed: then its route vanishes."""
    documents = [*SHOP, thing(NETWORKING, "VirtualService", "shop", "v", DELEGATE)]
    got, said = verdict(documents, CALL, False)
    assert (got, "delegate" in said) == ("unknown", True), said
    assert verdict(documents, CALL, True)[0] == "allowed"


def test_a_refusal_of_grpc_is_a_grpc_status() -> None:
    deny = thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "p", "{}")
    world = {
        "id": "w",
        "manifests": "---\n".join([*SHOP, deny]),
        "questions": [{"id": "q", **CALL, "to": {"url": "grpc://cart.shop:80/a.B/C"}}],
    }
    symptom = ask([world])["w", "q"]["symptom"]
    assert (symptom["status"], symptom["headers"]) == (200, {"grpc-status": "7", "grpc-message": "RBAC: access denied"})


def test_claims_are_written_into_headers_and_clients_cannot_forge_them() -> None:
    rules = '{jwtRules: [{issuer: idp, jwksUri: "https://idp/keys", outputClaimToHeaders: [{header: x-role, claim: role}]}]}'
    when = '{rules: [{when: [{key: "request.headers[x-role]", values: [admin]}]}]}'
    docs = [
        *SHOP,
        thing("security.istio.io/v1", "RequestAuthentication", "shop", "r", rules),
        thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "p", when),
    ]
    claims = {"iss": "idp", "sub": "alice", "role": "admin"}
    assert verdict(docs, {**CALL, "claims": claims}, True)[0] == "allowed"
    assert verdict(docs, {**CALL, "claims": {**claims, "role": "guest"}, "headers": {"x-role": ["admin"]}}, True)[0] == "denied"
    assert verdict(docs, {**CALL, "headers": {"x-role": ["admin"]}}, True)[0] == "denied"
