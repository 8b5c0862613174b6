"""Calls through Traefik, Kong, Contour, HAProxy and the load balancers of clouds.

A case is (id of the worked example or a name, manifests, question, verdict, what is seen), as in test_ways_in.py.
"""

# ruff: noqa: E501  tables of manifests
from __future__ import annotations

from typing import Any

import pytest

from tests.support.manifests import app, space, thing
from tests.unit.semantics.entry.test_ways_in import check

Json = dict[str, Any]
BASE = [space("shop", "a: b"), app("shop", "web")]
TRAEFIK, KONG = "traefik.io/v1alpha1", "configuration.konghq.com/v1"


def pods(name: str, args: str = "") -> str:
    """A controller's pods behind a load balancer that keeps addresses."""
    labels = f"{{app.kubernetes.io/name: {name}}}"
    deployment = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: edge}}\nspec: {{selector: {{matchLabels: {labels}}}, template: {{metadata: {{labels: {labels}}}, spec: {{containers: [{{name: c, image: i, args: [{args}]}}]}}}}}}\n"
    service = thing(
        "v1", "Service", "edge", name, f"{{type: LoadBalancer, externalTrafficPolicy: Local, selector: {labels}, ports: [{{port: 80}}]}}"
    )
    return f"{deployment}---\n{service}"


def ingress(klass: str, notes: str = "", service: str = "web", path: str = "/") -> str:
    return f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: s, namespace: shop, annotations: {{{notes}}}}}\nspec: {{ingressClassName: {klass}, rules: [{{host: a.example, http: {{paths: [{{path: '{path}', pathType: Prefix, backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}]}}}}]}}\n"


def plugin(name: str, kind: str, config: str = "{}") -> str:
    return f"apiVersion: {KONG}\nkind: KongPlugin\nmetadata: {{name: {name}, namespace: shop}}\nplugin: {kind}\nconfig: {config}\n"


def middleware(name: str, spec: str) -> str:
    return thing(TRAEFIK, "Middleware", "shop", name, spec)


def to(**more: Any) -> Json:
    return {"from": {"external": True}, "to": {"url": more.pop("url", "http://a.example/")}, "source_ip": "203.0.113.9", **more}


USES = "traefik.ingress.kubernetes.io/router.middlewares: shop-m@kubernetescrd"
KONGS = "konghq.com/plugins: p"
ALB = "alb.ingress.kubernetes.io"
PREFLIGHT = {"method": "OPTIONS", "headers": {"origin": ["https://ui.example"], "access-control-request-method": ["PUT"]}}
PROXY = thing("projectcontour.io/v1", "HTTPProxy", "shop", "s",
              "{virtualhost: {fqdn: a.example, ipDenyPolicy: [{source: Peer, cidr: 203.0.113.0/24}]}, routes: [{conditions: [{prefix: /}], services: [{name: web, port: 80}]}, {conditions: [{prefix: /open}], ipAllowPolicy: [{source: Peer, cidr: 203.0.113.0/24}], services: [{name: web, port: 80}]}]}")  # fmt: skip
GKE_SERVICE = app("shop", "web").replace("metadata: {name: web, namespace: shop}\nspec:\n  selector: {app: web}\n  ports",
                                         "metadata: {name: web, namespace: shop, annotations: {cloud.google.com/backend-config: '{\"default\": \"b\"}'}}\nspec:\n  selector: {app: web}\n  ports")  # fmt: skip
ROUTE = thing(
    TRAEFIK,
    "IngressRoute",
    "shop",
    "s",
    "{routes: [{match: 'Host(`a.example`) && PathPrefix(`/api`)', kind: Rule, middlewares: [{name: m}], services: [{name: web, port: 80}]}]}",
)

INCLUDES = thing("projectcontour.io/v1", "HTTPProxy", "shop", "s",
                 "{virtualhost: {fqdn: a.example}, includes: [{name: nobody, conditions: [{prefix: /child}]}], routes: [{services: [{name: web, port: 80}]}]}")  # fmt: skip

EMPTY = thing("v1", "Service", "shop", "empty", "{selector: {app: nobody}, ports: [{port: 80}]}")
USERS = "apiVersion: v1\nkind: Secret\nmetadata: {name: users, namespace: shop}\nstringData: {users: 'eve:x'}\n"
POINT = "'--entrypoints.web.address=:80', "


def route(rule: str, more: str = "", name: str = "s", middlewares: str = "") -> str:
    spec = f"{{{more + ', ' if more else ''}routes: [{{match: '{rule}', kind: Rule, {middlewares} services: [{{name: web, port: 80}}]}}]}}"
    return thing(TRAEFIK, "IngressRoute", "shop", name, spec)


ROUTES = thing(TRAEFIK, "IngressRoute", "shop", "s",
               "{routes: [{match: 'Host(`a.example`) && PathPrefix(`/api`)', kind: Rule, middlewares: [{name: missing}], services: [{name: web, port: 80}]}, {match: 'Host(`a.example`)', kind: Rule, services: [{name: web, port: 80}]}]}")  # fmt: skip
CHILD = thing("projectcontour.io/v1", "HTTPProxy", "shop", "nobody",
              "{routes: [{services: [{name: web, port: 80}]}, {conditions: [{exact: /x}], directResponsePolicy: {statusCode: 418}}]}")  # fmt: skip
CRT = "apiVersion: v1\nkind: Secret\nmetadata: {name: crt, namespace: shop}\nstringData: {tls.crt: x, tls.key: x, ca.crt: x}\n"
WEB = "{services: [{name: web, port: 80}]}"


def proxy(name: str, host: str, *routes: str) -> str:
    return thing("projectcontour.io/v1", "HTTPProxy", "shop", name, f"{{virtualhost: {host}, routes: [{', '.join(routes)}]}}")


CASES: list[tuple[str, list[str], Json, str, str]] = [
    ("Traefik, plain", [ingress("traefik"), pods("traefik")], to(), "allowed", ""),
    ("I01: Traefik compares letters", [ingress("traefik", path="/foo"), pods("traefik")], to(url="http://a.example/foobar"), "allowed", ""),
    ("I10: no Service", [ingress("traefik", service="missing"), pods("traefik")], to(), "denied", "404"),
    ("O07", [ingress("traefik", USES), pods("traefik")], to(), "denied", "404"),
    ("O08", [ingress("traefik", USES), middleware("m", "{ipAllowList: {sourceRange: [10.0.0.0/8]}}"), pods("traefik")], to(headers={"x-forwarded-for": ["10.1.1.1"]}), "denied", "403"),
    ("O08 with depth", [ingress("traefik", USES), middleware("m", "{ipAllowList: {sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}}"), pods("traefik")], to(headers={"x-forwarded-for": ["10.1.1.1"]}), "unknown", "X-Forwarded-For"),
    ("... trusted", [ingress("traefik", USES), middleware("m", "{ipAllowList: {sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}}"), pods("traefik", POINT + "'--entrypoints.web.forwardedHeaders.insecure'")], to(headers={"x-forwarded-for": ["10.1.1.1"]}), "allowed", ""),
    ("... not trusted", [ingress("traefik", USES), middleware("m", "{ipAllowList: {sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}}"), pods("traefik", POINT)], to(headers={"x-forwarded-for": ["10.1.1.1"]}), "denied", "403"),
    ("a Middleware that is wrong drops the router", [ingress("traefik", USES), middleware("m", "{ipAllowList: {sourceRange: [10.0.0.0/33]}}"), pods("traefik")], to(), "denied", "404"),
    ("... and the next router takes the call", [ROUTES, pods("traefik")], to(url="http://a.example/api/x"), "allowed", ""),
    ("rules with alternatives", [route("(Host(`a.example`) || Host(`b.example`)) && !Method(`POST`) && Query(`q`, `1`)"), pods("traefik")], to(url="http://b.example/?q=1"), "allowed", ""),
    ("... that do not match", [route("(Host(`a.example`) || Host(`b.example`)) && !Method(`POST`) && Query(`q`, `1`)"), pods("traefik")], to(url="http://b.example/?q=1", method="POST"), "denied", "404"),
    ("a rule that is none", [route("Host(`a.example`) &&"), pods("traefik")], to(), "denied", "404"),
    ("a star is one label", [route("Host(`*.a.example`)"), pods("traefik")], to(to={"url": "http://x.y.a.example/", "via": {"namespace": "edge", "name": "traefik", "port": 80}}), "denied", "404"),
    ("a router with TLS takes no plaintext", [route("Host(`a.example`)", "tls: {}"), pods("traefik", POINT)], to(), "denied", "404"),
    ("another entry point", [route("Host(`a.example`)", "entryPoints: [other]"), pods("traefik", POINT)], to(), "denied", "404"),
    ("Traefik takes dots out before it compares", [route("Host(`a.example`) && Path(`/api`)"), pods("traefik")], to(url="http://a.example/x/../api"), "allowed", ""),
    ("half an escape", [route("Host(`a.example`)"), pods("traefik")], to(url="http://a.example/%zz"), "denied", "400"),
    ("a redirect after a prefix was added", [route("Host(`a.example`)", middlewares="middlewares: [{name: p}, {name: s}],"), middleware("p", "{addPrefix: {prefix: /p}}"), middleware("s", "{redirectScheme: {scheme: https}}"), pods("traefik")], to(url="http://a.example/x"), "allowed", "302 https://a.example/p/x"),
    ("a redirect to where the call is already", [route("Host(`a.example`)", middlewares="middlewares: [{name: s}],"), middleware("s", "{redirectScheme: {scheme: http}}"), pods("traefik")], to(), "allowed", ""),
    ("a Service without pods drops the router", [route("Host(`a.example`)").replace("name: web", "name: empty"), EMPTY, pods("traefik", POINT)], to(), "denied", "404"),
    ("... unless empty ones are allowed", [route("Host(`a.example`)").replace("name: web", "name: empty"), EMPTY, pods("traefik", POINT + "'--providers.kubernetesCRD.allowEmptyServices=true'")], to(), "denied", "503"),
    ("two routers of one priority", [route("Host(`a.example`)", "", "a"), route("Host(`a.example`)", "", "b"), pods("traefik")], to(), "unknown", "same priority"),
    ("O08 without the controller's Service", [ingress("traefik", USES), middleware("m", "{ipAllowList: {sourceRange: [10.0.0.0/8]}}")], to(), "unknown", "which address"),
    ("O09", [ingress("traefik", USES), middleware("m", "{chain: {middlewares: [{name: auth}, {name: cors}]}}"), USERS, middleware("auth", "{basicAuth: {secret: users}}"), middleware("cors", "{headers: {accessControlAllowOriginList: ['https://ui.example']}}"), pods("traefik")], to(**PREFLIGHT), "denied", "401"),
    ("O10", [ingress("traefik", USES), middleware("m", "{forwardAuth: {address: 'http://auth/'}}"), pods("traefik")], to(), "unknown", "answers"),
    ("an IngressRoute", [ROUTE, middleware("m", "{stripPrefix: {prefixes: [/api]}}"), pods("traefik")], to(url="http://a.example/api/x"), "allowed", ""),
    ("an IngressRoute for other paths", [ROUTE, middleware("m", "{stripPrefix: {prefixes: [/api]}}"), pods("traefik")], to(), "denied", "404"),
    ("O11", [ingress("kong", KONGS), pods("kong")], to(), "allowed", ""),
    ("O12", [ingress("kong", KONGS), plugin("p", "key-auth"), pods("kong")], to(**PREFLIGHT), "denied", "401"),
    ("Kong, a key that nobody knows here", [ingress("kong", KONGS), plugin("p", "key-auth"), pods("kong")], to(headers={"apikey": ["x"]}), "unknown", "credentials"),
    ("Kong, an address", [ingress("kong", KONGS), plugin("p", "ip-restriction", "{deny: [203.0.113.0/24]}"), pods("kong")], to(), "denied", "403"),
    ("Kong, CORS goes first", [ingress("kong", "konghq.com/plugins: 'k, c'"), plugin("k", "key-auth"), plugin("c", "cors", "{origins: ['https://ui.example']}"), pods("kong")], to(**PREFLIGHT), "allowed", "200"),
    ("HAProxy, a list", [ingress("haproxy", "haproxy.org/allow-list: 10.0.0.0/8"), pods("kubernetes-ingress")], to(), "denied", "403"),
    ("O15", [ingress("alb", f"{ALB}/inbound-cidrs: 10.0.0.0/8")], to(), "denied", "timeout"),
    ("O16", [ingress("alb", f"{ALB}/auth-type: oidc")], to(**PREFLIGHT), "allowed", "302"),
    ("AWS, a web ACL", [ingress("alb", f"{ALB}/wafv2-acl-arn: 'arn:x'")], to(), "unknown", "web ACL"),
    ("O17", [GKE_SERVICE, ingress("gce"), thing("cloud.google.com/v1", "BackendConfig", "shop", "b", "{iap: {enabled: true}}")], to(method="POST"), "denied", "401"),
    ("Contour, the virtual host denies", [PROXY, pods("envoy")], to(), "denied", "403"),
    ("O18: the route's list replaces it", [PROXY, pods("envoy")], to(url="http://a.example/open"), "allowed", ""),
    ("O13", [ingress("kong", "konghq.com/plugins: 'j, a'"), plugin("j", "jwt"), plugin("a", "acl", "{allow: [gold]}"), pods("kong")], to(headers={"authorization": ["Bearer x"]}), "unknown", "groups"),
    ("O14: one call is within its limit", [ingress("haproxy", "haproxy.org/rate-limit-requests: '10'"), pods("kubernetes-ingress")], to(), "allowed", ""),
    ("O19: an include that leads nowhere", [INCLUDES, pods("envoy")], to(url="http://a.example/child/x"), "denied", "502"),
    ("its prefix is compared letter by letter", [INCLUDES, pods("envoy")], to(url="http://a.example/children"), "denied", "502"),
    ("other paths of a proxy with includes", [INCLUDES, pods("envoy")], to(url="http://a.example/other"), "allowed", ""),
    ("an include is followed", [INCLUDES, CHILD, pods("envoy")], to(url="http://a.example/child/x"), "denied", "418"),
    ("... and its conditions are put together", [INCLUDES, CHILD, pods("envoy")], to(url="http://a.example/child"), "allowed", ""),
    ("of two proxies with one fqdn none is served", [proxy("a", "{fqdn: a.example}", WEB), proxy("b", "{fqdn: A.example}", WEB), pods("envoy")], to(), "denied", "404"),
    ("TLS is enforced", [proxy("a", "{fqdn: a.example, tls: {secretName: crt}}", WEB), CRT, pods("envoy")], to(url="http://a.example/x?y=1"), "allowed", "301 https://a.example/x?y=1"),
    ("... unless a route permits to do without", [proxy("a", "{fqdn: a.example, tls: {secretName: crt}}", "{permitInsecure: true, " + WEB[1:]), CRT, pods("envoy")], to(), "allowed", ""),
    ("without its Secret a proxy with TLS is not valid", [proxy("a", "{fqdn: a.example, tls: {secretName: crt}}", WEB), pods("envoy")], to(), "denied", "404"),
    ("no TLS, no handshake", [proxy("a", "{fqdn: a.example}", WEB), pods("envoy")], to(url="https://a.example/"), "denied", "tls"),
    ("a client certificate that nobody shows", [proxy("a", "{fqdn: a.example, tls: {secretName: crt, clientValidation: {caSecret: crt}}}", WEB), CRT, pods("envoy")], to(url="https://a.example/"), "denied", "tls"),
    ("one label for a star", [proxy("a", "{fqdn: '*.a.example'}", WEB), pods("envoy")], to(url="http://x.y.a.example/"), "denied", "404"),
    ("one route that is wrong takes all others away", [proxy("a", "{fqdn: a.example}", WEB, "{conditions: [{prefix: /x}], services: [{name: web, port: 80}], directResponsePolicy: {statusCode: 200}}"), pods("envoy")], to(), "denied", "404"),
    ("no Service that is there", [proxy("a", "{fqdn: a.example}", "{services: [{name: missing, port: 80}]}"), pods("envoy")], to(), "denied", "503"),
    ("a header that is not there is not unlike another", [proxy("a", "{fqdn: a.example}", "{conditions: [{header: {name: x, notexact: a}}], services: [{name: web, port: 80}]}"), pods("envoy")], to(), "denied", "404"),
    ("... unless it counts as empty", [proxy("a", "{fqdn: a.example}", "{conditions: [{header: {name: x, notexact: a, treatMissingAsEmpty: true}}], services: [{name: web, port: 80}]}"), pods("envoy")], to(), "allowed", ""),
    ("Contour trusts no X-Forwarded-For by itself", [proxy("a", "{fqdn: a.example, ipAllowPolicy: [{source: Remote, cidr: 10.0.0.0/8}]}", WEB), pods("envoy")], to(headers={"x-forwarded-for": ["10.1.1.1"]}), "denied", "403"),
    ("Contour, a preflight goes before lists", [proxy("a", "{fqdn: a.example, corsPolicy: {allowOrigin: ['*'], allowMethods: [GET]}, ipAllowPolicy: [{source: Peer, cidr: 10.0.0.0/8}]}", WEB), pods("envoy")], to(**PREFLIGHT), "allowed", "200"),
    ("... but not before Envoy's own answers", [proxy("a", "{fqdn: a.example, corsPolicy: {allowOrigin: ['*'], allowMethods: [GET]}}", "{directResponsePolicy: {statusCode: 418}}"), pods("envoy")], to(**PREFLIGHT), "denied", "418"),
    ("a host that no object has", [PROXY, pods("envoy")], to(to={"url": "http://b.example/", "via": {"namespace": "edge", "name": "envoy", "port": 80}}), "denied", "404"),
    ("O23", [ingress("haproxy", "haproxy-ingress.github.io/cors-enable: 'true', haproxy-ingress.github.io/auth-secret: creds"), pods("haproxy-ingress")], to(**PREFLIGHT), "allowed", "204"),
    ("a class that nobody knows", [ingress("acme")], to(), "unknown", "acme"),
    ("ingress-nginx without its pods", [ingress("nginx")], to(), "unknown", "ingress-nginx"),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "question", "verdict", "word"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_other_controllers(documents: list[str], question: Json, verdict: str, word: str) -> None:
    """Each controller refuses in its own words; what it alone can know is unknown, with the fact."""
    check([*BASE, *documents], question, verdict, word)
