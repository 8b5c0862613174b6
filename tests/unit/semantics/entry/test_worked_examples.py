"""Worked examples of the descriptions of Istio's gateways and of CORS that meshcheck follows, by their numbers."""

# ruff: noqa: E501  tables of manifests
from __future__ import annotations

from typing import Any

import pytest

from meshcheck.model.question import Caller, Question, Target
from meshcheck.semantics.browser import checks, requests
from tests.support.manifests import app, space, thing
from tests.unit.semantics.entry.test_ways_in import HTTPS, POD, TO_WEB, balancer, check, gateway, routes, secret, to

Json = dict[str, Any]
SEC, API = "security.istio.io/v1", "gateway.networking.k8s.io/v1"
MESH = [space("shop"), app("shop", "web"), POD, balancer()]
HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com']}"
PLAIN = [*MESH, gateway(HTTP), routes(TO_WEB)]
ENCRYPTED = [*MESH, gateway(HTTPS), routes(TO_WEB), secret("istio-system")]
ON_GATEWAY = "selector: {matchLabels: {istio: ingress}}"
TOKEN = {"claims": {"iss": "https://idp.example", "sub": "eve"}}
AT_WEB = thing(SEC, "AuthorizationPolicy", "shop", "p", "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}")
OWN_POD = thing(
    API,
    "Gateway",
    "istio-system",
    "gw",
    "{gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}",
)
ROUTE = thing(
    API, "HTTPRoute", "shop", "web", "{parentRefs: [{name: gw, namespace: istio-system}], rules: [{backendRefs: [{name: web, port: 80}]}]}"
)
VIA = {"to": {"url": "http://shop.example.com/", "via": {"namespace": "istio-system", "name": "gw", "port": 80}}}


def policy(spec: str, namespace: str = "istio-system") -> str:
    return thing(SEC, "AuthorizationPolicy", namespace, "p", spec)


def tokens(namespace: str, selector: str) -> str:
    return thing(
        SEC,
        "RequestAuthentication",
        namespace,
        "idp",
        f"{{{selector}, jwtRules: [{{issuer: 'https://idp.example', jwksUri: 'https://idp.example/keys'}}]}}",
    )


TARGETED = "{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: gw}]}"
GATEWAYS: list[tuple[str, list[str], Json, str, str]] = [
    ("7", [*PLAIN, policy("{}")], to(), "denied", "403"),
    ("13", [*PLAIN, policy(TARGETED)], to(), "allowed", ""),
    ("14", [space("shop"), app("shop", "web"), space("istio-system", "a: b"), OWN_POD, ROUTE, policy(TARGETED)], {**to(), **VIA}, "denied", "403"),
    ("24", [*PLAIN, policy("{action: DENY, rules: [{from: [{source: {notNamespaces: [a, b]}}]}]}", "shop")], to(), "denied", "403"),
    ("41", [*PLAIN, policy("{rules: [{from: [{source: {namespaces: [istio-system]}}]}]}", "shop")], to(), "allowed", ""),
    ("42", [*ENCRYPTED, policy(f"{{{ON_GATEWAY}, rules: [{{from: [{{source: {{principals: ['*']}}}}]}}]}}")], to("https://shop.example.com/"), "denied", "403"),
    ("43", [*MESH, gateway(HTTPS.replace("SIMPLE", "MUTUAL")), routes(TO_WEB), secret("istio-system")], to("https://shop.example.com/"), "unknown", "certificate"),
    ("52", [*ENCRYPTED, policy(f"{{{ON_GATEWAY}, rules: [{{to: [{{operation: {{ports: ['443']}}}}]}}]}}")], to("https://shop.example.com/"), "denied", "403"),
    ("52, the pod's port", [*ENCRYPTED, policy(f"{{{ON_GATEWAY}, rules: [{{to: [{{operation: {{ports: ['8443']}}}}]}}]}}")], to("https://shop.example.com/"), "allowed", ""),
    ("82", [*PLAIN, tokens("istio-system", ON_GATEWAY), AT_WEB], {**to(), **TOKEN}, "denied", "403"),
    ("83", [*PLAIN, tokens("istio-system", ON_GATEWAY), tokens("shop", "selector: {matchLabels: {app: web}}"), AT_WEB], {**to(), **TOKEN}, "denied", "403"),
    ("87", [*MESH, gateway(HTTP), routes("{match: [{uri: {exact: /there}}], route: [{destination: {host: web}}]}"), policy(f"{{{ON_GATEWAY}, rules: [{{from: [{{source: {{requestPrincipals: ['*']}}}}]}}]}}")], to(), "denied", "403"),
    ("117", [*PLAIN, thing(SEC, "PeerAuthentication", "istio-system", "default", "{mtls: {mode: STRICT}}")], to(), "allowed", ""),
]  # fmt: skip


@pytest.mark.parametrize(("manifests", "question", "verdict", "word"), [c[1:] for c in GATEWAYS], ids=[c[0] for c in GATEWAYS])
def test_istio(manifests: list[str], question: Json, verdict: str, word: str) -> None:
    """The examples of the description of Istio that need a gateway."""
    check(manifests, question, verdict, word)


UI = "https://ui.example"


def page(method: str = "GET", **headers: str) -> Question:
    """A request of a page of ui.example to another origin."""
    named = {name.replace("_", "-").lower(): (value,) for name, value in headers.items()}
    return Question(Caller(external=True), Target(host="api.example"), method=method, headers=named, origin=UI)


# (id, request, answer to the preflight or None, answer to the request) → a word of the console's line, or empty
BROWSERS: list[tuple[str, Question, tuple[int, dict[str, str]] | None, dict[str, str], str]] = [
    ("C01", page(Authorization="x"), (200, {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}), {}, "authorization"),
    ("C02", page("POST", Content_Type="application/json"), (401, {"access-control-allow-origin": UI}), {}, "ok status"),
    ("C03", page("POST", Content_Type="text/plain"), None, {}, "No 'Access-Control-Allow-Origin'"),
    ("C04", page("patch"), (200, {"access-control-allow-origin": UI, "access-control-allow-methods": "PATCH"}), {}, "Method patch"),
    ("C04 as it is written", page("PATCH"), (200, {"access-control-allow-origin": UI, "access-control-allow-methods": "get, patch"}), {}, "Method PATCH"),
    ("a list that is none", page("PUT"), (200, {"access-control-allow-origin": UI, "access-control-allow-methods": "GET PUT"}), {}, "Cannot parse"),
    ("a part of a file", page(Range="bytes=0-99"), None, {"access-control-allow-origin": "*"}, ""),
    ("its end", page(Range="bytes=-99"), (200, {"access-control-allow-origin": "*"}), {}, "field range"),
    ("a span that ends before it begins", page(Range="bytes=9-1"), (200, {"access-control-allow-origin": "*"}), {}, "field range"),
    ("many safe headers", page(Accept="a" * 120, Accept_Language="a" * 120), None, {"access-control-allow-origin": "*"}, ""),
    ("C05", page("PUT", Cookie="a=b"), (200, {"access-control-allow-origin": UI, "access-control-allow-credentials": "true", "access-control-allow-methods": "*"}), {}, "Method PUT"),
    ("C06", page(Cookie="a=b"), None, {"access-control-allow-origin": UI, "access-control-allow-credentials": "True"}, "Credentials"),
    ("C07", page(), None, {"access-control-allow-origin": f"{UI}/"}, "not equal"),
    ("C08", page(), None, {"access-control-allow-origin": f"{UI}, {UI}"}, "multiple values"),
    ("C09", page(), None, {"access-control-allow-origin": "*"}, ""),
    ("C10", page("DELETE"), (308, {}), {}, "Redirect is not allowed"),
    ("C11", page(Accept="application/json"), None, {"access-control-allow-origin": "*"}, ""),
    ("C12", page(Accept="a" * 200), (404, {}), {}, "No 'Access-Control-Allow-Origin'"),
    ("C13", page("HEAD", X_Request_ID="1"), (200, {"access-control-allow-origin": UI, "access-control-allow-headers": "X-Request-Id"}), {"access-control-allow-origin": UI}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "preflight", "headers", "word"), [c[1:] for c in BROWSERS], ids=[c[0] for c in BROWSERS])
def test_cors(asked: Question, preflight: tuple[int, dict[str, str]] | None, headers: dict[str, str], word: str) -> None:
    """The examples of browsers: whether a preflight is sent, and what the console says. C14 to C16 are about redirects, listeners and curl."""
    sent = requests.preflight_of(asked)
    assert (sent is not None) == (preflight is not None)
    credentials = requests.has_credentials(asked)
    problem = None
    if preflight is not None:
        status, given = preflight
        problem = checks.preflight_problem(status, given, UI, requests.method_of(asked), requests.unsafe_headers(asked), credentials)
    problem = problem or checks.origin_problem(headers, UI, credentials)
    assert (problem or "") == "" if not word else word in (problem or ""), problem


@pytest.mark.parametrize(
    ("written", "sent"),
    [("https://UI.example/", UI), ("https://ui.example:443", UI), ("http://ui.example:443", "http://ui.example:443"), ("null", "null")],
)
def test_an_origin_is_sent_as_browsers_write_it(written: str, sent: str) -> None:
    """Scheme, host and port only, in lower case, without the default port."""
    asked = Question(Caller(external=True), Target(host="api.example"), method="PUT", headers={}, origin=written)
    first = requests.preflight_of(asked)
    assert first is not None
    assert first.headers["origin"] == (sent,)


@pytest.mark.parametrize(("method", "origin"), [("GET", None), ("POST", ("http://api.example",))])
def test_a_page_says_its_own_origin_on_writes_only(method: str, origin: tuple[str] | None) -> None:
    """A GET to the page's own origin has no Origin header."""
    asked = Question(Caller(external=True), Target(host="api.example"), method=method, headers={}, origin="http://api.example")
    assert requests.actual_of(asked).headers.get("origin") == origin


def test_curl_enforces_nothing() -> None:
    """C16: without a page the call gets its answer, whatever headers that has."""
    check(PLAIN, to(method="POST"), "allowed", "")
