"""Calls through ingress-nginx. The ids are those of worked examples that were written by hand from the controller's source and its tests.

A case is (id, Ingresses, more of the ConfigMap, question, verdict, what is seen), as in test_ways_in.py.
"""

# ruff: noqa: E501  tables of manifests
from __future__ import annotations

from typing import Any

import pytest

from tests.support.batch import ask
from tests.support.manifests import app, space, thing
from tests.unit.semantics.entry.test_ways_in import check

Json = dict[str, Any]
CLASS = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n"
LABELS = "{app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}"
POD = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: ingress-nginx-controller, namespace: ingress-nginx}}
spec:
  selector: {{matchLabels: {LABELS}}}
  template:
    metadata: {{labels: {LABELS}}}
    spec: {{serviceAccountName: ingress-nginx, containers: [{{name: controller, image: registry.k8s.io/ingress-nginx/controller:v1.15.0}}]}}
"""
SERVICE = thing("v1", "Service", "ingress-nginx", "ingress-nginx-controller",
                f"{{type: LoadBalancer, externalTrafficPolicy: POLICY, selector: {LABELS}, ports: [{{name: http, port: 80, targetPort: 80}}, {{name: https, port: 443, targetPort: 443}}]}}")  # fmt: skip


def ingress(
    rules: str, notes: str = "", name: str = "s", more: str = "", created: str = "", klass: str = "ingressClassName: nginx,"
) -> str:
    prefixed = ", ".join(f"nginx.ingress.kubernetes.io/{note}" for note in notes.split(" ; ") if note)
    age = f", creationTimestamp: '{created}'" if created else ""
    return f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: shop{age}, annotations: {{{prefixed}}}}}
spec: {{{klass} {more} rules: [{rules}]}}
"""


def rule(path: str = "/", kind: str = "Prefix", service: str = "web", host: str = "a.example", port: int = 80) -> str:
    named = f"host: '{host}', " if host else ""
    return f"{{{named}http: {{paths: [{{path: '{path}', pathType: {kind}, backend: {{service: {{name: {service}, port: {{number: {port}}}}}}}}}]}}}}"


def to(url: str = "http://a.example/", source_ip: str | None = "203.0.113.9", **more: Any) -> Json:
    return {"from": {"external": True}, "to": {"url": url}, **({"source_ip": source_ip} if source_ip else {}), **more}


def secret(name: str, key: str, value: str = "eve:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=") -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: shop}}\nstringData: {{{key}: '{value}'}}\n"


W, TLS = rule(), "tls: [{hosts: [a.example], secretName: crt}],"
BASIC = "auth-type: basic ; nginx.ingress.kubernetes.io/auth-secret: creds".replace(" ; nginx.ingress.kubernetes.io/", " ; ")
EVE = {"headers": {"authorization": ["Basic ZXZlOnRlc3Q="]}}
PREFLIGHT = {"method": "OPTIONS", "headers": {"origin": ["https://ui.example"], "access-control-request-method": ["PUT"]}}

PAIR = "apiVersion: v1\nkind: Secret\nmetadata: {name: pair, namespace: shop}\nstringData: {tls.crt: x, tls.key: x}\n"
EMPTY = thing("v1", "Service", "shop", "empty", "{selector: {app: nobody}, ports: [{port: 80}]}")
CASES: list[tuple[str, list[str], str, Json, str, str]] = [
    ("plain", [ingress(W)], "", to(), "allowed", ""),
    ("I01", [ingress(rule("/foo"))], "", to("http://a.example/foobar"), "denied", "404"),
    ("I02", [ingress(rule(host="*.shop.example"))], "", to("http://a.b.shop.example/"), "denied", "404"),
    ("I02 one label", [ingress(rule(host="*.shop.example"))], "", to("http://a.shop.example/"), "allowed", ""),
    ("I03", [ingress(rule(host="*.shop.example"))], "", to("http://shop.example/"), "denied", "404"),
    ("I04", [ingress(rule("/foo", "Exact", "missing"), name="a"), ingress(rule("/foo"), name="b")], "", to("http://a.example/foo"), "denied", "503"),
    ("I04 with a slash", [ingress(rule("/foo", "Exact", "missing"), name="a"), ingress(rule("/foo"), name="b")], "", to("http://a.example/foo/"), "allowed", ""),
    ("N30: one call is within its limits", [ingress(W, "limit-rps: '5'")], "", to(), "allowed", ""),
    ("I05", [ingress(rule("/foo", "Exact"))], "", to("http://a.example/foo/"), "denied", "404"),
    ("I06", [ingress(rule("/foo/"))], "", to("http://a.example/foo"), "allowed", "301"),
    ("I07", [ingress(rule("/aaa/bb"))], "", to("http://a.example/aaa/bbb"), "denied", "404"),
    ("I08", [ingress(W, klass="")], "", to(), "denied", "404"),
    ("I09", [CLASS.replace("{name: nginx}", "{name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}}"), ingress(W, klass="")], "", to(), "denied", "404"),
    ("I10", [ingress(rule(service="missing"))], "", to(), "denied", "503"),
    ("I11", [ingress(rule(host=""), name="any"), ingress(rule("/api"), name="api")], "", to(), "denied", "404"),
    ("I12", [ingress("", more="defaultBackend: {service: {name: web, port: {number: 80}}},")], "", to("http://anything.example/x"), "allowed", ""),
    ("I13", [ingress(W, name="old", created="2026-01-01T00:00:00Z"), ingress(rule(service="missing"), name="new", created="2026-02-01T00:00:00Z")], "", to(), "allowed", ""),
    ("N01", [ingress(W, "allowlist-source-range: 10.0.0.0/8")], "", to(), "denied", "403"),
    ("N03", [ingress(W, "allowlist-source-range: 10.0.0.0/8")], "use-forwarded-headers: 'true'", to(headers={"x-forwarded-for": ["10.1.1.1"]}), "allowed", ""),
    ("N04", [ingress(W, "allowlist-source-range: '10.0.0.0/8,not-a-cidr'")], "", to(source_ip="10.1.1.1"), "denied", "503"),
    ("N05", [ingress(W, "allowlist-source-range: ''")], "", to(), "denied", "503"),
    ("N06 denied", [ingress(W, "allowlist-source-range: 10.0.0.0/8 ; denylist-source-range: 10.9.0.0/16")], "", to(source_ip="10.9.1.1"), "denied", "403"),
    ("N06 allowed", [ingress(W, "allowlist-source-range: 10.0.0.0/8 ; denylist-source-range: 10.9.0.0/16")], "", to(source_ip="10.1.1.1"), "allowed", ""),
    ("N07", [ingress(W, "allowlist-source-range: 0.0.0.0/0")], "block-cidrs: 203.0.113.0/24", to(), "allowed", ""),
    ("block-cidrs", [ingress(W)], "block-cidrs: 203.0.113.0/24", to(), "denied", "403"),
    ("N08", [ingress(W, "allowlist-source-range: 0.0.0.0/0")], "", to(source_ip="2001:db8::5"), "denied", "403"),
    ("N09", [ingress(W, BASIC), secret("creds", "auth")], "", to(), "denied", "401"),
    ("N09 with the password", [ingress(W, BASIC), secret("creds", "auth")], "", to(**EVE), "allowed", ""),
    ("N10", [ingress(W, BASIC)], "", to(), "denied", "503"),
    ("N10 without the key", [ingress(W, BASIC), secret("creds", "users")], "", to(), "denied", "503"),
    ("N11", [ingress(W, "auth-type: basic ; auth-secret: other/creds")], "", to(), "denied", "503"),
    ("N12", [ingress(W, "auth-tls-secret: ca")], "", to("http://a.example/public"), "denied", "403"),
    ("N13", [ingress(W, "auth-tls-secret: shop/ca ; auth-tls-verify-client: 'on'", more=TLS), secret("ca", "ca.crt")], "", to("https://a.example/"), "denied", "400"),
    ("N14", [ingress(W, "auth-url: 'http://auth.auth.svc.cluster.local/verify'")], "", to(), "unknown", "authorizer"),
    ("N15", [ingress(W, "auth-url: 'https://sso.example/verify' ; auth-signin: 'https://sso.example/start'")], "", to(), "unknown", "https://sso.example/start"),
    ("N16", [ingress(W, "auth-url: sso.example/verify")], "", to(), "denied", "503"),
    ("N17 by address", [ingress(W, "satisfy: any ; allowlist-source-range: 10.0.0.0/8 ; " + BASIC), secret("creds", "auth")], "", to(source_ip="10.1.1.1"), "allowed", ""),
    ("N17 by password", [ingress(W, "satisfy: any ; allowlist-source-range: 10.0.0.0/8 ; " + BASIC), secret("creds", "auth")], "", to(**EVE), "allowed", ""),
    ("N17 by nothing", [ingress(W, "satisfy: any ; allowlist-source-range: 10.0.0.0/8 ; " + BASIC), secret("creds", "auth")], "", to(), "denied", "401"),
    ("N18", [ingress(W, "allowlist-source-range: 10.0.0.0/8 ; " + BASIC), secret("creds", "auth")], "", to(), "denied", "403"),
    ("N19", [ingress(W, "enable-cors: 'true' ; allowlist-source-range: 10.0.0.0/8 ; " + BASIC), secret("creds", "auth")], "", to(**PREFLIGHT), "allowed", "204"),
    ("N20", [ingress(W, "enable-cors: 'true'")], "", to(origin="https://ui.example", headers={"cookie": ["a=b"]}), "denied", "cors"),
    ("N20 without cookies", [ingress(W, "enable-cors: 'true'")], "", to(origin="https://ui.example"), "allowed", ""),
    ("N21", [ingress(W, "enable-cors: 'true' ; cors-allow-origin: 'https://ui.example'")], "", to(method="PUT", origin="https://evil.example"), "unknown", "preflight"),
    ("N23", [ingress(rule("/old/(.*)", "ImplementationSpecific", "missing"), "rewrite-target: /$1", "a"), ingress(rule("/admin", "Exact"), name="b")], "", to("http://a.example/ADMINISTRATION"), "allowed", ""),
    ("N24", [ingress(rule("/v[0-9]+/x", "ImplementationSpecific"), "use-regex: 'true'", "a"), ingress(rule("/v1", service="missing"), name="b")], "", to("http://a.example/v1/x"), "allowed", ""),
    ("N25", [ingress(W, more=TLS)], "", to("http://a.example/x", method="POST"), "allowed", "https://a.example/x"),
    ("N26", [ingress(W, "force-ssl-redirect: 'true'")], "", to(headers={"x-forwarded-proto": ["https"]}), "allowed", "308"),
    ("N27", [ingress(rule(host="*.shop.example"), name="wild", more="tls: [{hosts: ['*.shop.example'], secretName: crt}],"), ingress(rule(host="a.shop.example"), name="plain")], "", to("http://a.shop.example/"), "allowed", "308"),
    ("N28", [ingress(W, "configuration-snippet: 'return 403;'")], "", to(), "denied", "404"),
    ("N28 dropped", [ingress(W, "configuration-snippet: 'return 403;'")], "annotations-risk-level: Critical", to(), "allowed", ""),
    ("N29", [ingress(W, "configuration-snippet: 'return 403;'")], "annotations-risk-level: Critical, allow-snippet-annotations: 'true'", to(), "unknown", "configuration-snippet"),
    ("a permanent redirect", [ingress(W, "permanent-redirect: 'https://b.example/'")], "", to(), "allowed", "https://b.example/"),
    ("N05 by its older name", [ingress(W, "whitelist-source-range: ''")], "", to(), "allowed", ""),
    ("N31", [ingress(rule(service="empty"), "allowlist-source-range: 10.0.0.0/8"), EMPTY], "", to(), "denied", "503"),
    ("N32", [ingress(rule(service="empty"), "service-upstream: 'true'"), EMPTY], "", to(), "denied", "502"),
    ("N33", [ingress(W, "allowlist-source-range: 10.0.0.0/8")], "custom-http-errors: '403,503'", to(), "denied", "404"),
    ("N34", [ingress(W)], "", to("http://a.example/upload", method="POST", headers={"content-length": ["2000000"]}), "denied", "413"),
    ("N34 with room", [ingress(W, "proxy-body-size: 2m")], "", to("http://a.example/upload", method="POST", headers={"content-length": ["2000000"]}), "allowed", ""),
    ("N35", [ingress(rule("/admin"), BASIC, created="2026-01-01T00:00:00Z"), secret("creds", "auth")], "", to("http://a.example/nothing"), "denied", "401"),
    ("N36", [ingress(W)], "block-user-agents: '~*curl.*'", to(headers={"user-agent": ["curl/8.5"]}), "denied", "403"),
    ("N37", [ingress(W, BASIC), secret("creds", "auth")], "", to("http://a.example/.well-known/acme-challenge/x"), "denied", "401"),
    ("N37 with a path of its own", [ingress(rule("/.well-known/acme-challenge"), BASIC), secret("creds", "auth")], "", to("http://a.example/.well-known/acme-challenge/x"), "allowed", ""),
    ("a path without a host has no default of its own", [ingress(rule("/x", host=""), BASIC), secret("creds", "auth")], "", to("http://any.example/y"), "denied", "404"),
    ("the catch-all knows no redirects", [ingress("", "force-ssl-redirect: 'true'", more="defaultBackend: {service: {name: web, port: {number: 80}}},")], "", to(), "allowed", ""),
    ("the health page", [], "", to("http://any.example/healthz"), "allowed", "200"),
    ("a redirect loses the slash at its end", [ingress(W, more=TLS)], "", to("http://a.example/x/"), "allowed", "https://a.example/x"),
    ("... unless it is to stay", [ingress(W, "preserve-trailing-slash: 'true'", more=TLS)], "", to("http://a.example/x/"), "allowed", "https://a.example/x/"),
    ("TLS for another host of the Ingress is TLS for this one, too", [ingress(rule() + ", " + rule(host="b.example"), more=TLS)], "", to("http://b.example/"), "allowed", "308"),
    ("TLS of another Ingress is not", [ingress(W, name="a", more=TLS), ingress(rule(host="b.example"), name="b")], "", to("http://b.example/"), "allowed", ""),
    ("no-tls-redirect-locations are compared with the path of the rule", [ingress(W, more=TLS)], "", to("http://a.example/.well-known/acme-challenge/x"), "allowed", "308"),
    ("app-root", [ingress(rule("/app"), "app-root: /app/start")], "", to(), "allowed", "http://a.example/app/start"),
    ("a flaw goes before CORS", [ingress(W, "enable-cors: 'true' ; auth-type: basic ; auth-secret: none")], "", to(**PREFLIGHT), "denied", "503"),
    ("a flaw goes before redirects", [ingress(W, "permanent-redirect: 'https://b.example/' ; denylist-source-range: ''")], "", to(), "denied", "503"),
    ("a wrong auth-type hides the whole Ingress", [ingress(W, "auth-type: bearer ; auth-secret: creds")], "", to(), "denied", "404"),
    ("a URL with a percent sign, too", [ingress(W, "auth-url: 'https://sso.example/a%20b'")], "", to(), "denied", "404"),
    ("a wrong switch of from-to-www-redirect, too", [ingress(W, "from-to-www-redirect: 'yes'")], "", to(), "denied", "404"),
    ("a word of the blocklist, too", [ingress(W, "upstream-vhost: proxy_pass")], "annotation-value-word-blocklist: 'load_module,proxy_pass'", to(), "denied", "404"),
    ("a level below High, too", [ingress(W, "auth-url: 'https://sso.example/a'")], "annotations-risk-level: Medium", to(), "denied", "404"),
    ("auth-request-redirect that is not valid loses auth-url", [ingress(W, "auth-url: 'https://sso.example/a' ; auth-request-redirect: 'a b%'")], "", to(), "allowed", ""),
    ("a part of a list that is empty", [ingress(W, "allowlist-source-range: '10.0.0.0/8,'")], "", to(source_ip="10.1.1.1"), "denied", "503"),
    ("an address without a length", [ingress(W, "allowlist-source-range: 203.0.113.9")], "", to(), "allowed", ""),
    ("client certificates of another namespace", [ingress(W, "auth-tls-secret: other/ca")], "", to(), "denied", "403"),
    ("a common name, and no certificate", [ingress(W, "auth-tls-secret: shop/ca ; auth-tls-verify-client: optional ; auth-tls-match-cn: CN=eve"), secret("ca", "ca.crt")], "", to(), "denied", "403"),
    ("an alias", [ingress(W, "server-alias: 'b.example,*.c.example'")], "", to("http://x.y.c.example/"), "allowed", ""),
    ("an alias that is a host of its own", [ingress(W, "server-alias: b.example", "a"), ingress(rule(host="b.example", service="missing"), name="b")], "", to("http://b.example/"), "denied", "503"),
    ("from-to-www-redirect", [ingress(W, "from-to-www-redirect: 'true'")], "", to("http://www.a.example/x?y=1"), "allowed", "http://a.example:80/x?y=1"),
    ("rewrite-target of / makes patterns of all paths", [ingress(rule("/foo"), "rewrite-target: /")], "", to("http://a.example/FOObar"), "allowed", ""),
    ("... also where it is only not the path of the default", [ingress(rule("/foo"), "rewrite-target: /foo")], "", to("http://a.example/foobar"), "allowed", ""),
    ("rewrite-target to another site", [ingress(rule("/foo/(.*)", "ImplementationSpecific"), "rewrite-target: https://b.example/$1")], "", to("http://a.example/foo/x"), "allowed", "https://b.example/x"),
    ("exactly a path with a slash", [ingress(rule("/foo/", "Exact"))], "", to("http://a.example/foo"), "allowed", "http://a.example/foo/"),
    ("a port of the pods is as good as one of the Service", [ingress(rule(port=8080))], "", to(), "allowed", ""),
    ("of the same age the last of the alphabet is first", [ingress(W, name="a"), ingress(rule(service="missing"), name="b")], "", to(), "denied", "503"),
    ("origins that are not valid are all origins", [ingress(W, "enable-cors: 'true' ; cors-allow-origin: 'https://other.example/'")], "", to(origin="https://ui.example"), "allowed", ""),
    ("N22", [ingress(W, "enable-cors: 'true' ; cors-allow-origin: ui.example")], "", to(origin="https://ui.example"), "unknown", "Allow-Origin"),
    ("nothing holds the start of an origin", [ingress(W, "enable-cors: 'true' ; cors-allow-origin: 'http://ui.example'")], "", to(origin="http://ui.example", headers={"authorization": ["a"]}), "allowed", ""),
    ("the origin null", [ingress(W, "enable-cors: 'true' ; cors-allow-origin: 'null'")], "", to(origin="null"), "allowed", ""),
    ("headers that are not listed", [ingress(W, "enable-cors: 'true'")], "", to(origin="https://ui.example", headers={"x-own": ["1"]}), "denied", "cors"),
    ("a star among the headers is not valid", [ingress(W, "enable-cors: 'true' ; cors-allow-headers: '*'")], "", to(origin="https://ui.example", headers={"x-own": ["1"]}), "denied", "cors"),
    ("plaintext to the port of TLS", [ingress(W)], "", to("http://a.example:443/"), "denied", "400"),
    ("a path that leads above the root", [ingress(W)], "", to("http://a.example/.."), "denied", "400"),
    ("a path with half an escape", [ingress(W)], "", to("http://a.example/%zz"), "denied", "400"),
    ("a long body for a host that nobody has", [], "proxy-body-size: 1k", to("http://b.example/", method="POST", headers={"content-length": ["2000"]}), "denied", "413"),
    ("a location that only says 503 has nginx's own limit", [ingress(W, "auth-type: basic ; auth-secret: none")], "proxy-body-size: 1k", to(method="POST", headers={"content-length": ["2000"]}), "denied", "503"),
    ("a common name is asked for without a CA, too", [ingress(W, "auth-tls-secret: shop/pair ; auth-tls-match-cn: CN=eve"), PAIR], "", to(), "denied", "403"),
    ("a wrong error page hides the whole Ingress", [ingress(W, "auth-tls-secret: shop/ca ; auth-tls-error-page: 'a b;'"), secret("ca", "ca.crt")], "", to(), "denied", "404"),
    ("a wrong realm, too", [ingress(W, BASIC + " ; auth-realm: 'a;b'"), secret("creds", "auth")], "", to(), "denied", "404"),
    ("... unless the Secret is missing", [ingress(W, BASIC + " ; auth-realm: 'a;b'")], "", to(), "denied", "503"),
    ("a permanent redirect need not be a URL", [ingress(W, "permanent-redirect: /here")], "", to(), "allowed", "http://a.example/here"),
    ("... and stays as it is where redirects are relative", [ingress(W, "permanent-redirect: /here ; relative-redirects: 'true'")], "", to(), "allowed", "301 /here"),
    ("a temporal redirect must be one", [ingress(W, "temporal-redirect: /here")], "", to(), "allowed", ""),
    ("a redirect with a variable hides the whole Ingress", [ingress(W, "permanent-redirect: 'https://b.example$request_uri'")], "", to(), "denied", "404"),
    ("www. of a host with a star is no name", [ingress(rule(host="*.shop.example"), "from-to-www-redirect: 'true'")], "", to(), "unknown", "www.*.shop.example"),
    ("a path that is no regular expression", [ingress(rule("/x(", "ImplementationSpecific"), "use-regex: 'true'")], "", to(), "unknown", "/x("),
    ("one that is left to nginx", [ingress(rule("/x(?R)?", "ImplementationSpecific"), "use-regex: 'true'")], "", to("http://a.example/x"), "unknown", "(?R)"),
    ("only the first alternative is held at the start", [ingress(rule("/x|/y", "ImplementationSpecific"), "use-regex: 'true'")], "", to("http://a.example/a/y"), "allowed", ""),
    ("default-backend stands in for pods that are not there", [ingress(rule(service="empty"), "default-backend: web"), EMPTY], "", to(), "allowed", ""),
    ("... unless it has none, too", [ingress(rule(service="missing"), "default-backend: empty"), EMPTY], "", to(), "denied", "503"),
    ("the default backend is asked for no path", [ingress(rule("/x$", "ImplementationSpecific"), "rewrite-target: new")], "", to("http://a.example/y"), "denied", "400"),
    ("a canary that names a Service first takes it from all others", [ingress(W), ingress(rule(host="c.example"), "canary: 'true'", "z")], "", to(), "denied", "404"),
    ("... but not one that comes later", [ingress(W, name="z"), ingress(rule("/c"), "canary: 'true'", "a")], "", to(), "allowed", ""),
    ("its path is then a path like others", [ingress(W, name="z"), ingress(rule("/c", service="missing"), name="x"), ingress(rule("/c"), "canary: 'true'", "a")], "", to("http://a.example/c"), "denied", "503"),
    ("the default backend has no page in place of its own 404", [], "custom-http-errors: '404'", to(), "denied", "500"),
    ("... so it has none for others", [ingress(W, "allowlist-source-range: 10.0.0.0/8")], "custom-http-errors: '403,404'", to(), "denied", "500"),
    ("... but it may take a 404 from a location's own list", [ingress(rule("/x"), "custom-http-errors: '404'")], "", to(), "denied", "404"),
    ("a default-backend without pods has no pages", [ingress(W, "allowlist-source-range: 10.0.0.0/8 ; custom-http-errors: '403' ; default-backend: empty"), EMPTY], "", to(), "denied", "404"),
    ("a handshake for a host that nobody has", [ingress(W)], "ssl-reject-handshake: 'true'", to("https://b.example/"), "denied", "tls"),
]  # fmt: skip


def world(documents: list[str], settings: str, policy: str = "Local", labels: str = "a: b") -> list[str]:
    config = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: ingress-nginx-controller, namespace: ingress-nginx}}\ndata: {{{settings}}}\n"
    )
    return [
        space("shop", labels),
        space("ingress-nginx", "a: b"),
        app("shop", "web"),
        POD,
        SERVICE.replace("POLICY", policy),
        CLASS,
        config,
        *documents,
    ]


@pytest.mark.parametrize(("documents", "settings", "question", "verdict", "word"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_ingress_nginx(documents: list[str], settings: str, question: Json, verdict: str, word: str) -> None:
    """Each worked example has the answer that was written for it."""
    check(world(documents, settings), question, verdict, word)


def test_a_node_in_between_hides_the_address() -> None:
    """N02: with externalTrafficPolicy Cluster nobody knows which address the list is compared with."""
    check(world([ingress(W, "allowlist-source-range: 203.0.113.0/24")], "", "Cluster"), to(), "unknown", "node")


def test_strict_pods_are_not_reached_from_outside_the_mesh() -> None:
    """N38: the controller has no sidecar, so nginx gets a reset and says 502."""
    strict = thing("security.istio.io/v1", "PeerAuthentication", "shop", "s", "{mtls: {mode: STRICT}}")
    check(world([ingress(W), strict], "", labels="istio-injection: enabled"), to(), "denied", "502")


def test_a_policy_in_the_mesh_sees_no_identity() -> None:
    """N39: an ALLOW policy by principal refuses plaintext from the controller."""
    policy = thing("security.istio.io/v1", "AuthorizationPolicy", "shop", "p", "{rules: [{from: [{source: {principals: ['*']}}]}]}")
    check(world([ingress(W), policy], "", labels="istio-injection: enabled"), to(), "denied", "403")


def test_a_controller_with_a_sidecar_calls_pods_by_address() -> None:
    """N40: its own sidecar does not know the public host, and sends plaintext to a STRICT pod."""
    strict = thing("security.istio.io/v1", "PeerAuthentication", "shop", "s", "{mtls: {mode: STRICT}}")
    documents = world([ingress(W), strict], "", labels="istio-injection: enabled")
    documents[1] = space("ingress-nginx", "istio-injection: enabled")
    check(documents, to(), "denied", "503")


CANARIES: list[tuple[str, Json, str]] = [
    ("canary-by-header: x-new", {"x-new": ["always"]}, "other"),
    ("canary-by-header: x-new ; canary-weight: '100'", {"x-new": ["never"]}, "web"),
    ("canary-by-header: x-new ; canary-by-header-value: 'yes'", {"x-new": ["yes"]}, "other"),
    ("canary-by-header: x-new ; canary-by-header-pattern: '[a-c]+'", {"x-new": ["xbx"]}, "other"),
    ("canary-by-cookie: new", {"cookie": ["a=b; new=always"]}, "other"),
    ("canary-weight: '100'", {}, "other"),
    ("canary-weight: '0'", {}, "web"),
    ("canary-weight: '100' ; allowlist-source-range: 10.0.0.0/8", {}, "other"),
]


@pytest.mark.parametrize(("notes", "headers", "service"), CANARIES)
def test_canaries(notes: str, headers: Json, service: str) -> None:
    """Header, then cookie, then weight say which Service gets the call; other annotations of a canary are not looked at."""
    documents = [ingress(W), ingress(rule(service="other"), f"canary: 'true' ; {notes}", "c"), app("shop", "other")]
    line = {
        "id": "w",
        "closed_world": True,
        "manifests": "---\n".join(world(documents, "")),
        "questions": [{"id": "q", **to(headers=headers)}],
    }
    trace = ask([line], brief=False)["w", "q"]
    assert (trace["verdict"], trace["reached"]["service"]) == ("allowed", service)
