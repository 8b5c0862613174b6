"""Calls through Gateways of Gateway API: attachment, grants, filters, and the policies of Envoy Gateway.

A case is (name, more manifests, question, verdict, what is seen), as in test_ways_in.py.
"""

# ruff: noqa: E501  tables of manifests
from __future__ import annotations

from typing import Any

import pytest

from tests.support.manifests import app, space, thing
from tests.unit.semantics.entry.test_ways_in import check

Json = dict[str, Any]
API, ENVOY = "gateway.networking.k8s.io/v1", "gateway.envoyproxy.io/v1alpha1"


def gateway(listeners: str, kind: str = "eg", more: str = "") -> str:
    return thing(API, "Gateway", "infra", "gw", f"{{gatewayClassName: {kind}, {more} listeners: [{listeners}]}}")


def route(rules: str, more: str = "", name: str = "web", namespace: str = "shop", parent: str = "{name: gw, namespace: infra}") -> str:
    return thing(API, "HTTPRoute", namespace, name, f"{{parentRefs: [{parent}], {more} rules: [{rules}]}}")


def gateway_class(controller: str) -> str:
    return f"apiVersion: {API}\nkind: GatewayClass\nmetadata: {{name: eg}}\nspec: {{controllerName: {controller}}}\n"


def security(spec: str, kind: str = "HTTPRoute", name: str = "web", namespace: str = "shop", policy: str = "p") -> str:
    return thing(
        ENVOY,
        "SecurityPolicy",
        namespace,
        policy,
        f"{{targetRefs: [{{group: gateway.networking.k8s.io, kind: {kind}, name: {name}}}], {spec}}}",
    )


def to(url: str = "http://shop.example.com/", **more: Any) -> Json:
    return {"from": {"external": True}, "to": {"url": url, "via": {"namespace": "infra", "name": "gw", "port": 80}}, **more}


ALL = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}"
SAME = "{name: http, port: 80, protocol: HTTP}"
NAMED = "{name: http, port: 80, protocol: HTTP, hostname: '*.example.com', allowedRoutes: {namespaces: {from: All}}}"
EXACT = "{name: exact, port: 80, protocol: HTTP, hostname: 'api.example.com', allowedRoutes: {namespaces: {from: All}}}"
BACK = "backendRefs: [{name: web, port: 80}]"
WEB = f"{{{BACK}}}"
WORLD = [space("shop", "a: b"), space("infra", "a: b"), app("shop", "web")]
ANY = [*WORLD, gateway_class("example.com/any"), gateway(ALL)]
EG = [*WORLD, gateway_class("gateway.envoyproxy.io/gatewayclass-controller"), gateway(ALL), route(WEB)]
GRANT = thing("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "shop", "g",
              "{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: infra}], to: [{group: '', kind: Service}]}")  # fmt: skip
FOREIGN = route("{backendRefs: [{name: web, namespace: shop, port: 80}]}", namespace="infra", parent="{name: gw}")
USERS = "apiVersion: v1\nkind: Secret\nmetadata: {name: users, namespace: shop}\nstringData: {.htpasswd: 'eve:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M='}\n"  # test
KEYS = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: shop}\nstringData: {eve: s3cret}\n"
BY_KEY = "apiKeyAuth: {extractFrom: [{headers: [x-api-key]}], credentialRefs: [{name: keys}]}"
OFFICE = "authorization: {defaultAction: Deny, rules: [{action: Deny, principal: {clientCIDRs: [203.0.113.9/32]}}, {action: Allow, principal: {clientCIDRs: [203.0.113.0/24]}}]}"

BACKEND_TLS = thing(
    API,
    "BackendTLSPolicy",
    "shop",
    "t",
    "{targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: web.example, caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}}",
)
AUTHORITY = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca, namespace: shop}\ndata: {ca.crt: '-----BEGIN CERTIFICATE-----'}\n"
FAULT = thing(
    ENVOY,
    "BackendTrafficPolicy",
    "shop",
    "b",
    "{targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: web}], faultInjection: {abort: {httpStatus: 503, percentage: 10}}}",
)

CASES: list[tuple[str, list[str], Json, str, str]] = [
    ("reaches the workload", [*ANY, route(WEB)], to(), "allowed", ""),
    ("routes of other namespaces are not admitted", [*WORLD, gateway_class("example.com/any"), gateway(SAME), route(WEB)], to(), "denied", "404"),
    ("no section of that name", [*ANY, route(WEB, parent="{name: gw, namespace: infra, sectionName: https}")], to(), "denied", "404"),
    ("a hostname that the listener has not", [*WORLD, gateway_class("example.com/any"), gateway(NAMED), route(WEB, "hostnames: [shop.test],")], to(), "denied", "404"),
    ("a more exact listener owns the host", [*WORLD, gateway_class("example.com/any"), gateway(f"{NAMED}, {EXACT}"),
     route(WEB, parent="{name: gw, namespace: infra, sectionName: http}")], to("http://api.example.com/"), "unknown", "isolat"),
    ("no grant", [*ANY, FOREIGN], to(), "denied", "500"),
    ("with a grant", [*ANY, FOREIGN, GRANT], to(), "allowed", ""),
    ("no such Service", [*ANY, route("{backendRefs: [{name: nobody, port: 80}]}")], to(), "denied", "500"),
    ("no backends", [*ANY, route("{matches: [{path: {value: /}}]}")], to(), "denied", "500"),
    ("whole path segments", [*ANY, route(f"{{matches: [{{path: {{value: /foo}}}}], {BACK}}}")], to("http://shop.example.com/foobar"), "denied", "404"),
    ("a redirect is 302 by default", [*ANY, route("{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}")], to("http://shop.example.com/a"), "allowed", "302"),
    ("prefixes are replaced by segments", [*ANY, route("{matches: [{path: {value: /old}}], filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]}")],
     to("http://shop.example.com/old/a"), "allowed", "http://shop.example.com/a"),
    ("a filter that nobody knows", [*ANY, route(f"{{filters: [{{type: ExtensionRef, extensionRef: {{group: x.example, kind: Rule, name: z}}}}], {BACK}}}")], to(), "unknown", "ExtensionRef"),
    ("TLS to a backend, without a CA", [*ANY, route(WEB), BACKEND_TLS], to(), "denied", "500"),
    ("TLS to a backend", [*ANY, route(WEB), BACKEND_TLS, AUTHORITY], to(), "unknown", "certificate"),
    ("UDP", [*ANY, route(WEB)], to("udp://shop.example.com:53"), "unknown", "UDP"),
    ("a fault of some requests", [*EG, FAULT], to(), "unknown", "faultInjection"),
    ("a policy of the wrong form", [*EG, security("apiKeyAuth: 1")], to(), "unknown", "form"),
    ("no class", [*WORLD, gateway(ALL), route(WEB)], to(), "unknown", "GatewayClass"),
    ("Istio makes the pods", [*WORLD, gateway(ALL, "istio"), route(WEB)], to(), "allowed", ""),
    ("STRICT does not admit a gateway outside the mesh", [space("shop"), *ANY[1:], route(WEB), thing("security.istio.io/v1", "PeerAuthentication", "shop", "s", "{mtls: {mode: STRICT}}")], to(), "denied", "503"),
    ("STRICT admits Istio's own", [space("shop"), *WORLD[1:], gateway(ALL, "istio"), route(WEB), thing("security.istio.io/v1", "PeerAuthentication", "shop", "s", "{mtls: {mode: STRICT}}")], to(), "allowed", ""),
    ("no API key", [*EG, security(BY_KEY), KEYS], to(), "denied", "401"),
    ("the API key", [*EG, security(BY_KEY), KEYS], to(headers={"x-api-key": ["s3cret"]}), "allowed", ""),
    ("another API key", [*EG, security(BY_KEY), KEYS], to(headers={"x-api-key": ["guess"]}), "denied", "401"),
    ("a policy without its Secret is invalid", [*EG, security(BY_KEY)], to(headers={"x-api-key": ["s3cret"]}), "denied", "500"),
    ("user and password", [*EG, security("basicAuth: {users: {name: users}}"), USERS], to(headers={"authorization": ["Basic ZXZlOnRlc3Q="]}), "allowed", ""),
    ("another password", [*EG, security("basicAuth: {users: {name: users}}"), USERS], to(headers={"authorization": ["Basic ZXZlOm90aGVy"]}), "denied", "401"),
    ("no user", [*EG, security("basicAuth: {users: {name: users}}"), USERS], to(), "denied", "401"),
    ("a token is asked for", [*EG, security("jwt: {providers: [{name: a, issuer: i, remoteJWKS: {uri: 'https://i/keys'}}]}")], to(), "denied", "401"),
    ("an optional token", [*EG, security("jwt: {optional: true, providers: [{name: a, issuer: i, remoteJWKS: {uri: 'https://i/keys'}}]}")], to(), "allowed", ""),
    ("the first rule that matches", [*EG, security(OFFICE)], to(source_ip="203.0.113.9"), "denied", "403"),
    ("the second rule", [*EG, security(OFFICE)], to(source_ip="203.0.113.8"), "allowed", ""),
    ("the default", [*EG, security(OFFICE)], to(source_ip="198.51.100.1"), "denied", "403"),
    ("no address", [*EG, security(OFFICE)], to(), "unknown", "address"),
    ("the route's policy replaces the Gateway's", [*EG, security(OFFICE, "Gateway", "gw", "infra", "g"), security("cors: {allowOrigins: ['https://a.test']}")], to(), "allowed", ""),
    ("an external authorizer", [*EG, security("extAuth: {http: {backendRefs: [{name: authz, port: 80}]}}")], to(), "unknown", "authorizer"),
    ("the preflight goes before the token", [*EG, security("cors: {allowOrigins: ['https://a.test'], allowMethods: [GET]}, jwt: {providers: [{name: a, issuer: i, remoteJWKS: {uri: 'https://i/keys'}}]}")],
     to(method="OPTIONS", headers={"origin": ["https://a.test"], "access-control-request-method": ["GET"]}), "allowed", "200"),
]  # fmt: skip


@pytest.mark.parametrize(("manifests", "question", "verdict", "word"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_gateway_api(manifests: list[str], question: Json, verdict: str, word: str) -> None:
    """Calls through a Gateway end as the specification and its controller end them."""
    check(manifests, question, verdict, word)


PREFIXES = [("/p", "/", "/p/q", "//q"), ("/p", "/new/", "/p", "/new/"), ("/", "/new", "/p", "/newp"), ("/p/", "", "/p/q", "/p/q")]


@pytest.mark.parametrize(("prefix", "by", "path", "location"), PREFIXES)
def test_istio_redirects_prefixes_as_they_are_written(prefix: str, by: str, path: str, location: str) -> None:
    """Istio puts the text where the prefix was; the specification would put slashes right."""
    rule = f"matches: [{{path: {{type: PathPrefix, value: {prefix}}}}}], filters: [{{type: RequestRedirect, requestRedirect: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: '{by}'}}}}}}]"
    documents = [space("shop"), app("shop", "web"), gateway(ALL, "istio"), route(f"{{{rule}}}")]
    check(documents, to(f"http://shop.example.com{path}", source_ip="203.0.113.9"), "allowed", f"http://shop.example.com{location}")
