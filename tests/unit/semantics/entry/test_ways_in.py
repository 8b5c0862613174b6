"""Calls from outside: what the gateway, the load balancer, the browser and the workload make of them.

A case is (name, manifests, question, verdict, what is seen): a status, the kind of a failure, a location, or a word of a missing fact.
Istio's answers are those of istiod and Envoy (`tests/oracle`); those of Gateway API are the specification's.
"""

# ruff: noqa: E501  tables of manifests
from __future__ import annotations

from typing import Any

import pytest

from tests.support.batch import ask
from tests.support.manifests import app, space, thing

Json = dict[str, Any]
NET, SEC, API, ENVOY = "networking.istio.io/v1", "security.istio.io/v1", "gateway.networking.k8s.io/v1", "gateway.envoyproxy.io/v1alpha1"
POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingress}}
  template:
    metadata: {labels: {istio: ingress}}
    spec: {serviceAccountName: ingress, containers: [{name: istio-proxy, image: auto}]}
"""
PORTS = "ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]"


def balancer(extra: str = "externalTrafficPolicy: Local") -> str:
    return thing("v1", "Service", "istio-system", "ingress", f"{{type: LoadBalancer, {extra}, selector: {{istio: ingress}}, {PORTS}}}")


def gateway(servers: str, name: str = "gw") -> str:
    return thing(NET, "Gateway", "shop", name, f"{{selector: {{istio: ingress}}, servers: [{servers}]}}")


def routes(http: str, hosts: str = "shop.example.com", name: str = "web", more: str = "") -> str:
    return thing(NET, "VirtualService", "shop", name, f"{{hosts: ['{hosts}'], gateways: [gw], {more} http: [{http}]}}")


def secret(namespace: str, name: str = "cert") -> str:
    head = f"apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
    return head + "stringData: {tls.crt: '-----BEGIN CERTIFICATE-----', tls.key: '-----BEGIN PRIVATE KEY-----'}\n"


HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com']}"
HTTPS = "{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['shop.example.com'], tls: {mode: SIMPLE, credentialName: cert}}"
REDIRECT = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}"
PASS = "{port: {number: 443, name: tls, protocol: TLS}, hosts: ['db.example.com'], tls: {mode: PASSTHROUGH}}"
TO_WEB = "{route: [{destination: {host: web, port: {number: 80}}}]}"
SHOP = [space("shop", "a: b"), app("shop", "web"), POD]
BASE = [*SHOP, balancer(), gateway(HTTP)]
ROUTED = [*BASE, routes(TO_WEB)]


def to(url: str = "http://shop.example.com/", **more: Any) -> Json:
    return {"from": {"external": True}, "to": {"url": url}, "source_ip": "203.0.113.9", **more}


def policy(spec: str, namespace: str = "istio-system") -> str:
    return thing(SEC, "AuthorizationPolicy", namespace, "p", spec)


OFFICE = policy("{selector: {matchLabels: {istio: ingress}}, rules: [{from: [{source: {remoteIpBlocks: [203.0.113.0/24]}}]}]}")
CORS = "{corsPolicy: {allowOrigins: [{exact: 'https://app.test'}], allowMethods: [DELETE], allowHeaders: [x-a]}, route: [{destination: {host: web}}]}"
DELEGATED = thing(
    NET, "VirtualService", "shop", "part", "{http: [{match: [{uri: {prefix: /api/v1}}], route: [{destination: {host: web}}]}]}"
)
HIDDEN = thing(NET, "VirtualService", "shop", "web", f"{{hosts: [shop.example.com], gateways: [gw], exportTo: ['.'], http: [{TO_WEB}]}}")
ORIGIN, TOKEN = {"origin": "https://app.test"}, {"headers": {"authorization": ["Bearer x"]}}
MORE_EXACT = routes("{match: [{uri: {exact: /only}}], route: [{destination: {host: web}}]}", name="exact")
WILD = routes(TO_WEB, "*.example.com", name="wild")
DB = thing(NET, "VirtualService", "shop", "db", "{hosts: [db.example.com], gateways: [gw], tls: [{match: [{sniHosts: [db.example.com]}], route: [{destination: {host: web, port: {number: 80}}}]}]}")  # fmt: skip

ISTIO: list[tuple[str, list[str], Json, str, str]] = [
    ("reaches the workload", ROUTED, to(), "allowed", ""),
    ("no route for the host", ROUTED, to("http://blog.example.com/"), "denied", "404"),
    ("no listener on the port", ROUTED, to("http://shop.example.com/", **{"to": {"url": "https://shop.example.com/", "via":
     {"namespace": "istio-system", "name": "ingress", "port": 443}}}), "denied", "refused"),
    ("the port of Host is ignored", ROUTED, to(host="SHOP.example.com:8080"), "allowed", ""),
    ("an exact host hides the wildcard's routes", [*BASE, WILD, MORE_EXACT], to(), "denied", "404"),
    ("a VirtualService that only its namespace sees", [*BASE, HIDDEN], to(), "denied", "404"),
    ("a prefix is no path segment", [*BASE, routes("{match: [{uri: {prefix: /foo}}], route: [{destination: {host: web}}]}")],
     to("http://shop.example.com/foobar"), "allowed", ""),
    ("no Service behind", [*BASE, routes("{route: [{destination: {host: nobody}}]}")], to(), "denied", "503"),
    ("no subset", [*BASE, routes("{route: [{destination: {host: web, subset: v9}}]}")], to(), "denied", "503"),
    ("a fault", [*BASE, routes("{fault: {abort: {httpStatus: 418, percentage: {value: 100}}}, route: [{destination: {host: web}}]}")],
     to(), "denied", "418"),
    ("a fault without percentage", [*BASE, routes("{fault: {abort: {httpStatus: 418}}, route: [{destination: {host: web}}]}")],
     to(), "allowed", ""),
    ("a redirect keeps host and path", [*BASE, routes("{redirect: {scheme: https}}")], to("http://shop.example.com/a?b=c"), "allowed",
     "https://shop.example.com/a?b=c"),
    ("httpsRedirect without any route", [*SHOP, balancer(), gateway(REDIRECT)], to("http://shop.example.com/a"), "allowed",
     "https://shop.example.com/a"),
    ("a delegate", [*BASE, DELEGATED, routes("{match: [{uri: {prefix: /api}}], delegate: {name: part}}")],
     to("http://shop.example.com/api/v1/x"), "allowed", ""),
    ("a delegate that is no part of its root", [*BASE, DELEGATED, routes("{match: [{uri: {prefix: /other}}], delegate: {name: part}}")],
     to("http://shop.example.com/api/v1/x"), "denied", "404"),
    ("HTTPS with its certificate", [*SHOP, balancer(), gateway(HTTPS), routes(TO_WEB), secret("istio-system")],
     to("https://shop.example.com/"), "allowed", ""),
    ("HTTPS to a workload with a policy on paths", [space("shop"), *SHOP[1:], balancer(), gateway(HTTPS), routes(TO_WEB), secret("istio-system"),
     policy("{rules: [{to: [{operation: {paths: [/public]}}]}]}", "shop")], to("https://shop.example.com/private"), "denied", "403"),
    ("a certificate in another namespace", [*SHOP, balancer(), gateway(HTTPS), routes(TO_WEB), secret("shop")],
     to("https://shop.example.com/"), "denied", "reset"),
    ("a name that no server has", [*SHOP, balancer(), gateway(HTTPS), routes(TO_WEB), secret("istio-system")],
     to("https://shop.example.com/", sni="blog.example.com"), "denied", "reset"),
    ("passthrough by SNI", [*SHOP, balancer(), gateway(PASS), DB], to("tls://db.example.com:443", sni="db.example.com"), "allowed", ""),
    ("passthrough without a route", [*SHOP, balancer(), gateway(PASS)], to("tls://db.example.com:443", sni="db.example.com"), "denied", "refused"),
    ("passthrough without a route beside one with it", [*SHOP, balancer(), gateway(f"{PASS}, {PASS.replace('db.', 'dc.').replace('name: tls', 'name: tlc')}"), DB], to("tls://dc.example.com:443", sni="dc.example.com"), "denied", "reset"),
    ("policy at the gateway admits the address", [*ROUTED, OFFICE], to(), "allowed", ""),
    ("X-Forwarded-For is not believed", [*ROUTED, OFFICE],
     to(source_ip="198.51.100.1", headers={"x-forwarded-for": ["203.0.113.1"]}), "denied", "403"),
    ("a node stands between", [*SHOP, balancer("externalTrafficPolicy: Cluster"), gateway(HTTP), routes(TO_WEB), OFFICE], to(),
     "unknown", "node"),
    ("loadBalancerSourceRanges", [*SHOP, balancer("loadBalancerSourceRanges: [10.0.0.0/8]"), gateway(HTTP), routes(TO_WEB)], to(),
     "denied", "timeout"),
    ("claims choose a route", [*BASE, routes("{match: [{headers: {'@request.auth.claims.sub': {exact: eve}}}], route: [{destination: {host: web}}]}")],
     to(), "denied", "404"),
    ("a Service that is no gateway", [*SHOP, thing("v1", "Service", "shop", "front",
     "{type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}")], to("http://front.shop/"), "allowed", ""),
    ("a Service without an address outside", SHOP, to("http://web.shop/"), "unknown", "no address outside"),
    ("STRICT behind the gateway", [space("shop"), *ROUTED[1:],
     thing(SEC, "PeerAuthentication", "istio-system", "default", "{mtls: {mode: STRICT}}")], to(), "allowed", ""),
    ("the workload's policy sees the gateway", [space("shop"), *ROUTED[1:],
     policy("{rules: [{from: [{source: {principals: ['cluster.local/ns/istio-system/sa/other']}}]}]}", "shop")], to(), "denied", "403"),
]  # fmt: skip

BROWSER: list[tuple[str, list[str], Json, str, str]] = [
    ("a simple request that is allowed", [*BASE, routes(CORS)], to(**ORIGIN), "allowed", ""),
    ("a preflight that is allowed", [*BASE, routes(CORS)], to(method="DELETE", **ORIGIN), "allowed", ""),
    ("a method that is not listed", [*BASE, routes(CORS)], to(method="PUT", **ORIGIN), "denied", "cors"),
    ("Authorization is not listed", [*BASE, routes(CORS)], to(**ORIGIN, **TOKEN), "denied", "cors"),
    ("another origin", [*BASE, routes(CORS)], to(method="DELETE", origin="https://evil.test"), "unknown", "preflight"),
    ("the preflight is refused before CORS", [*BASE, routes(CORS),
     policy("{selector: {matchLabels: {istio: ingress}}, rules: [{to: [{operation: {methods: [DELETE]}}]}]}")],
     to(method="DELETE", **ORIGIN), "denied", "cors"),
    ("no CORS policy anywhere", ROUTED, to(**ORIGIN), "unknown", "Access-Control-Allow-Origin"),
    ("the page's own origin", ROUTED, to(origin="http://shop.example.com"), "allowed", ""),
]  # fmt: skip


def seen(trace: Json) -> str:
    """Everything about an answer that a case may speak of, in one text."""
    symptom = trace["symptom"]
    facts = " ".join(m["fact"] for m in trace["missing"])
    return f"{symptom['kind']} {symptom['status']} {(symptom.get('headers') or {}).get('location', '')} {facts}"


def check(manifests: list[str], question: Json, verdict: str, word: str) -> None:
    world = {"id": "w", "closed_world": True, "manifests": "---\n".join(manifests), "questions": [{"id": "q", **question}]}
    trace = ask([world], brief=False)["w", "q"]
    assert (trace["verdict"], word in seen(trace)) == (verdict, True), f"{trace['verdict']}: {seen(trace)}"


@pytest.mark.parametrize(("manifests", "question", "verdict", "word"), [c[1:] for c in ISTIO], ids=[c[0] for c in ISTIO])
def test_gateways_of_istio(manifests: list[str], question: Json, verdict: str, word: str) -> None:
    """Calls through Gateway and VirtualService end as istiod and Envoy end them."""
    check(manifests, question, verdict, word)


@pytest.mark.parametrize(("manifests", "question", "verdict", "word"), [c[1:] for c in BROWSER], ids=[c[0] for c in BROWSER])
def test_browsers(manifests: list[str], question: Json, verdict: str, word: str) -> None:
    """`origin` asks as a browser does: preflight, request, and the checks of both answers."""
    check(manifests, question, verdict, word)
