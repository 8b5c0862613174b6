"""Random gateway cases: an ingress gateway, routes behind it (Istio's or Gateway API's), policies on it, and calls from outside.

Backends stand in namespaces without sidecars, so that all that can refuse a call stands at the gateway.
What is right is not known here: istiod and Envoy say so (run_gateway.py).
"""

from __future__ import annotations

import random
from typing import Any

import yaml

from tests.oracle.gen_sidecar import CIDRS, IPS, ISSUERS, request_authentication, some, token
from tests.oracle.tokens import Jwt

Json = dict[str, Any]

HOSTS = [
    "shop.example.com",
    "api.example.com",
    "blog.example.com",
    "a.b.example.com",
    "admin.example.org",
    "SHOP.example.com",
    "nowhere.test",
]
HOST_PATTERNS = [
    "shop.example.com",
    "api.example.com",
    "*.example.com",
    "*",
    "blog.example.com",
    "admin.example.org",
    "*.org",
    "*.b.example.com",
]
PATHS = [
    "/",
    "/api",
    "/api/",
    "/api/v1/items",
    "/api/v1/items/42",
    "/apiary",
    "/admin",
    "/admin/users",
    "/static/app.js",
    "/login?next=/admin",
    "/search?q=1&lang=de",
    "/search?q=",
    "/API/v1",
    "/api//v1",
    "/api/../admin",
    "/healthz",
    "/old/page",
    "/%61pi/v1",
]
METHODS = ["GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]
SERVICES = [("shop", "web", True), ("shop", "api", True), ("blog", "blog", True), ("blog", "empty", False)]
ORIGINS = ["https://app.example.com", "https://evil.example.net", "http://localhost:3000", "null"]
GATEWAY = {"namespace": "istio-system", "name": "istio-ingressgateway"}

WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
apiVersion: v1
kind: Namespace
metadata: {name: blog}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: istio-ingressgateway, namespace: istio-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata: {labels: {istio: ingressgateway, app: istio-ingressgateway}}
    spec:
      serviceAccountName: istio-ingressgateway
      containers: [{name: istio-proxy, image: istio/proxyv2:1.31.0, ports: [{containerPort: 8080}, {containerPort: 8443}]}]
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {istio: ingressgateway}
  ports:
  - {name: http2, port: 80, targetPort: 8080}
  - {name: https, port: 443, targetPort: 8443}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: {name: shop-cert, namespace: istio-system}
data: {tls.crt: Y2VydA==, tls.key: a2V5}
"""


def backend(namespace: str, name: str, ready: bool) -> str:
    docs = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "selector": {"app": name},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "http-alt", "port": 8081, "targetPort": 8081}],
            },
        }
    ]
    if ready:
        docs.append(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "selector": {"matchLabels": {"app": name}},
                    "template": {
                        "metadata": {"labels": {"app": name, "version": "v1"}},
                        "spec": {
                            "containers": [
                                {"name": "app", "image": "example/app", "ports": [{"containerPort": 8080}, {"containerPort": 8081}]}
                            ]
                        },
                    },
                },
            }
        )
    return yaml.safe_dump_all(docs, sort_keys=False)


def string_match(rng: random.Random, exact: str) -> Json:
    kind = rng.choice(["exact", "prefix", "regex", "exact"])
    return {kind: {"exact": exact, "prefix": exact[:3] or "a", "regex": rng.choice([exact, exact[:2] + ".*", ".+", "[a-z]+"])}[kind]}


def uri_match(rng: random.Random) -> Json:
    return rng.choice(
        [
            {"prefix": "/api"},
            {"prefix": "/api/"},
            {"prefix": "/"},
            {"exact": "/api"},
            {"exact": "/admin"},
            {"prefix": "/admin"},
            {"exact": "/healthz"},
            {"regex": "/api/v[0-9]+/items"},
            {"regex": "/api/.*"},
            {"regex": ".*\\.js"},
            {"prefix": "/static"},
            {"exact": "/login"},
            {"prefix": "/search"},
            {"regex": "/old/.*"},
        ]
    )


def destination(rng: random.Random) -> Json:
    namespace, name, _ = rng.choice(SERVICES)
    host = f"{name}.{namespace}.svc.cluster.local"
    if rng.random() < 0.06:
        host = "missing.shop.svc.cluster.local"
    return {"host": host, "port": {"number": rng.choice([80, 80, 80, 8081])}}


def http_match(rng: random.Random) -> Json:
    m: Json = {}
    if rng.random() < 0.85:
        m["uri"] = uri_match(rng)
        if rng.random() < 0.1:
            m["ignoreUriCase"] = True
    if rng.random() < 0.2:
        m["method"] = {"exact": rng.choice(["GET", "POST", "DELETE"])}
    if rng.random() < 0.2:
        m["headers"] = {rng.choice(["x-team", "x-env"]): rng.choice([string_match(rng, rng.choice(["a", "prod", "team-a"])), {}])}
    if rng.random() < 0.08:
        m["withoutHeaders"] = {"x-internal": rng.choice([{}, {"exact": "true"}])}
    if rng.random() < 0.12:
        m["queryParams"] = {rng.choice(["q", "lang"]): string_match(rng, rng.choice(["1", "de"]))}
    if rng.random() < 0.08:
        m["authority"] = string_match(rng, rng.choice(["shop.example.com", "api.example.com"]))
    if rng.random() < 0.05:
        m["scheme"] = {"exact": rng.choice(["http", "https"])}
    if rng.random() < 0.05:
        m["port"] = rng.choice([80, 443])
    return m or {"uri": {"prefix": "/"}}


def cors(rng: random.Random) -> Json:
    out: Json = {
        "allowOrigins": [
            rng.choice(
                [
                    {"exact": "https://app.example.com"},
                    {"regex": "https://.*\\.example\\.com"},
                    {"prefix": "http://localhost"},
                    {"exact": "*"},
                ]
            )
        ],
        "allowMethods": some(rng, ["GET", "POST", "PUT"], 3),
    }
    if rng.random() < 0.5:
        out["allowHeaders"] = ["authorization", "x-team"]
    if rng.random() < 0.3:
        out["allowCredentials"] = True
    if rng.random() < 0.3:
        out["unmatchedPreflights"] = rng.choice(["FORWARD", "IGNORE"])
    return out


def http_route(rng: random.Random) -> Json:
    r: Json = {}
    if rng.random() < 0.85:
        r["match"] = [http_match(rng) for _ in range(rng.choice([1, 1, 1, 2]))]
    pick = rng.random()
    if pick < 0.1:
        r["redirect"] = rng.choice(
            [{"uri": "/new"}, {"authority": "www.example.com"}, {"uri": "/x", "redirectCode": 302}, {"scheme": "https"}]
        )
        return r
    if pick < 0.2:
        r["directResponse"] = rng.choice(
            [{"status": 403, "body": {"string": "blocked by route"}}, {"status": 200, "body": {"string": "hello"}}, {"status": 503}]
        )
        return r
    r["route"] = [{"destination": destination(rng)}]
    if rng.random() < 0.15:
        r["rewrite"] = rng.choice([{"uri": "/rewritten"}, {"authority": "internal.example"}, {"uri": "/"}])
    if rng.random() < 0.12:
        r["fault"] = {"abort": {"httpStatus": rng.choice([403, 500, 404]), "percentage": {"value": 100}}}
    if rng.random() < 0.25:
        r["corsPolicy"] = cors(rng)
    if rng.random() < 0.1:
        r["headers"] = {"request": {"set": {"x-team": "set-by-route"}}}
    return r


def distinct_hosts(rng: random.Random) -> list[str]:
    """Hosts of a VirtualService; overlapping ones are refused, so they are rare here."""
    hosts = some(rng, HOST_PATTERNS, 2)
    if rng.random() < 0.95 and any(a != b and a.startswith("*") and b.endswith(a[1:]) for a in hosts for b in hosts):
        return hosts[:1]
    return hosts


def istio_routing(rng: random.Random) -> list[Json]:
    servers = [
        {
            "port": {"number": 80, "name": "http", "protocol": "HTTP"},
            "hosts": ["*"] if rng.random() < 0.5 else some(rng, [*HOST_PATTERNS, "shop/*.example.com", "./*", "*/*"], 3),
        }
    ]
    if rng.random() < 0.1:
        servers[0]["tls"] = {"httpsRedirect": True}
    if rng.random() < 0.5:
        servers.append(
            {
                "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
                "hosts": ["*"] if rng.random() < 0.4 else some(rng, HOST_PATTERNS, 2),
                "tls": {"mode": "SIMPLE", "credentialName": "shop-cert"},
            }
        )
    where = rng.choice(["istio-system", "istio-system", "shop"])
    docs = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "public", "namespace": where},
            "spec": {"selector": rng.choice([{"istio": "ingressgateway"}] * 19 + [{"istio": "other"}]), "servers": servers},
        }
    ]
    for n in range(rng.choice([1, 1, 2, 2, 3])):
        namespace = rng.choice(["shop", "shop", "blog", "istio-system"])
        gateway = rng.choice([f"{where}/public"] * 6 + ["public", "mesh"])
        spec: Json = {
            "hosts": distinct_hosts(rng),
            "gateways": [gateway],
            "http": [http_route(rng) for _ in range(rng.choice([1, 2, 2, 3]))],
        }
        if rng.random() < 0.5:
            spec["http"].append({"route": [{"destination": destination(rng)}]})
        if rng.random() < 0.08:
            spec["exportTo"] = rng.choice([["."], ["*"]])
        docs.append(
            {
                "apiVersion": "networking.istio.io/v1",
                "kind": "VirtualService",
                "metadata": {"name": f"vs{n}", "namespace": namespace, "creationTimestamp": f"2026-01-0{n + 1}T00:00:00Z"},
                "spec": spec,
            }
        )
    return docs


def gateway_api_routing(rng: random.Random) -> list[Json]:
    docs: list[Json] = [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "istio"},
            "spec": {"controllerName": "istio.io/gateway-controller"},
        }
    ]
    listeners = []
    for n in range(rng.choice([1, 1, 2])):
        li: Json = {"name": f"l{n}", "port": 80, "protocol": "HTTP"}
        if n or rng.random() < 0.35:
            li["hostname"] = (
                rng.choice(["shop.example.com", "*.example.com", "admin.example.org"])
                if n == 0
                else rng.choice(["api.example.com", "*.org"])
            )
        allowed = rng.choice(
            [
                None,
                {"from": "All"},
                {"from": "All"},
                {"from": "All"},
                {"from": "All"},
                {"from": "Selector", "selector": {"matchLabels": {"team": "shop"}}},
                {"from": "Same"},
            ]
        )
        if allowed:
            li["allowedRoutes"] = {"namespaces": allowed}
        listeners.append(li)
    docs.append(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "public", "namespace": "istio-system"},
            "spec": {
                "gatewayClassName": "istio",
                "addresses": [{"type": "Hostname", "value": "istio-ingressgateway.istio-system.svc.cluster.local"}],
                "listeners": listeners,
            },
        }
    )
    for n in range(rng.choice([1, 2, 2, 3])):
        namespace = rng.choice(["shop", "shop", "blog", "istio-system"])
        parent: Json = {"name": "public", "namespace": "istio-system"}
        if rng.random() < 0.3:
            parent["sectionName"] = rng.choice(["l0", "l1", "l9"])
        spec: Json = {"parentRefs": [parent], "rules": []}
        if rng.random() < 0.6:
            spec["hostnames"] = some(
                rng, ["shop.example.com", "api.example.com", "*.example.com", "blog.example.com", "admin.example.org"], 2
            )
        for _ in range(rng.choice([1, 1, 2, 3])):
            rule: Json = {}
            if rng.random() < 0.85:
                rule["matches"] = []
                for _ in range(rng.choice([1, 1, 2])):
                    m: Json = {}
                    if rng.random() < 0.85:
                        kind, value = rng.choice(
                            [
                                ("PathPrefix", "/api"),
                                ("PathPrefix", "/"),
                                ("Exact", "/api"),
                                ("PathPrefix", "/admin"),
                                ("Exact", "/healthz"),
                                ("RegularExpression", "/api/v[0-9]+/items"),
                                ("PathPrefix", "/search"),
                            ]
                        )
                        m["path"] = {"type": kind, "value": value}
                    if rng.random() < 0.2:
                        m["method"] = rng.choice(["GET", "POST", "DELETE"])
                    if rng.random() < 0.2:
                        m["headers"] = [{"name": rng.choice(["x-team", "X-Env"]), "value": rng.choice(["a", "prod"])}]
                    if rng.random() < 0.12:
                        m["queryParams"] = [{"name": "q", "value": "1"}]
                    rule["matches"].append(m or {"path": {"type": "PathPrefix", "value": "/"}})
            pick = rng.random()
            if pick < 0.12:
                rule["filters"] = [
                    {
                        "type": "RequestRedirect",
                        "requestRedirect": rng.choice(
                            [
                                {"hostname": "www.example.com"},
                                {"scheme": "https", "statusCode": 301},
                                {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/new"}},
                            ]
                        ),
                    }
                ]
            else:
                target_ns, name, _ = rng.choice(SERVICES)
                if rng.random() < 0.6:
                    target_ns, name = next(((a, b) for a, b, _ in SERVICES if a == namespace), (target_ns, name))
                ref: Json = {"name": name if rng.random() > 0.06 else "missing", "port": rng.choice([80, 80, 80, 9999])}
                if target_ns != namespace:
                    ref["namespace"] = target_ns
                rule["backendRefs"] = [ref]
                if rng.random() < 0.12:
                    rule["filters"] = [
                        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}}}
                    ]
                    rule["matches"] = [{"path": {"type": "PathPrefix", "value": "/api"}}]
            spec["rules"].append(rule)
        docs.append(
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "metadata": {"name": f"r{n}", "namespace": namespace, "creationTimestamp": f"2026-01-0{n + 1}T00:00:00Z"},
                "spec": spec,
            }
        )
    if rng.random() < 0.5:
        docs.append(
            {
                "apiVersion": "gateway.networking.k8s.io/v1beta1",
                "kind": "ReferenceGrant",
                "metadata": {"name": "grant", "namespace": rng.choice(["shop", "blog"])},
                "spec": {
                    "from": [
                        {
                            "group": "gateway.networking.k8s.io",
                            "kind": "HTTPRoute",
                            "namespace": rng.choice(["shop", "blog", "istio-system"]),
                        }
                    ],
                    "to": [{"group": "", "kind": "Service", **({"name": "web"} if rng.random() < 0.3 else {})}],
                },
            }
        )
    return docs


def gateway_policy(rng: random.Random, n: int, gateway_api: bool) -> Json:
    action = rng.choice(["ALLOW", "ALLOW", "DENY"])
    rules = []
    for _ in range(rng.choice([1, 1, 2])):
        r: Json = {}
        if rng.random() < 0.6:
            field = rng.choice(
                ["remoteIpBlocks", "ipBlocks", "notRemoteIpBlocks", "notIpBlocks", "requestPrincipals", "notRequestPrincipals"]
            )
            pool = (
                ["*", f"{ISSUERS[0]}/*", f"{ISSUERS[1]}/alice"]
                if "Principals" in field
                else [*CIDRS[:-1], "203.0.113.0/24", "10.1.2.3", "127.0.0.0/8"]
            )
            r["from"] = [{"source": {field: some(rng, pool, 2)}}]
        if rng.random() < 0.75:
            op: Json = {}
            for key, pool in (
                ("paths", ["/api/*", "/admin*", "/", "/static/*", "*", "/healthz", "/login", "/search"]),
                ("methods", ["GET", "POST", "DELETE", "OPTIONS"]),
                ("hosts", ["shop.example.com", "*.example.com", "shop.example.com:*", "api.example.com:80"]),
            ):
                if rng.random() < 0.45:
                    op[key if rng.random() < 0.8 else "not" + key.capitalize()] = some(rng, pool, 3)
            if op:
                r["to"] = [{"operation": op}]
        rules.append(r if r or action == "ALLOW" else {"to": [{"operation": {"methods": ["DELETE"]}}]})
    spec: Json = {"action": action, "rules": rules}
    if gateway_api and rng.random() < 0.5:
        spec["targetRefs"] = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}]
    elif rng.random() < 0.7:
        spec["selector"] = {"matchLabels": {"istio": "ingressgateway"}}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": f"g{n}", "namespace": "istio-system"},
        "spec": spec,
    }


def asked_of(docs: list[Json]) -> list[str]:
    """Hosts that the routes of a world speak of, wildcards filled in."""
    hosts = [h for d in docs for h in [*d.get("spec", {}).get("hosts", []), *d.get("spec", {}).get("hostnames", [])]]
    return [h.replace("*.", "shop.") if h.startswith("*.") else h for h in hosts if h != "*"] or HOSTS[:3]


def question(rng: random.Random, qid: str, jwt: Jwt, with_jwt: bool, https: bool, hosts: list[str]) -> Json:
    host, path = rng.choice(hosts) if rng.random() < 0.75 else rng.choice(HOSTS), rng.choice(PATHS)
    secure = https and rng.random() < 0.35
    port = 443 if secure else 80
    q: Json = {
        "id": qid,
        "from": {"external": True},
        "to": {"url": f"{'https' if secure else 'http'}://{host}:{port}{path}", "via": {**GATEWAY, "port": port}},
        "method": rng.choice(METHODS),
        "source_ip": rng.choice(IPS),
    }
    q["host"] = host if rng.random() < 0.85 else f"{host}:{port}"
    if secure:
        q["sni"] = host.lower()
    headers: dict[str, list[str]] = {}
    if rng.random() < 0.3:
        headers["x-team"] = [rng.choice(["a", "team-a", "b"])]
    if rng.random() < 0.2:
        headers["x-env"] = [rng.choice(["prod", "dev"])]
    if rng.random() < 0.08:
        headers["x-internal"] = ["true"]
    if rng.random() < 0.4:
        headers["x-forwarded-for"] = [rng.choice(["203.0.113.7", "203.0.113.7, 10.1.2.3", "10.1.2.3, 203.0.113.7", "127.0.0.5"])]
    if rng.random() < 0.25:
        headers["origin"] = [rng.choice(ORIGINS)]
        if q["method"] == "OPTIONS" or rng.random() < 0.3:
            q["method"] = "OPTIONS"
            headers["access-control-request-method"] = [rng.choice(["GET", "POST", "DELETE"])]
            if rng.random() < 0.5:
                headers["access-control-request-headers"] = [rng.choice(["authorization", "x-team", "x-other"])]
    if rng.random() < (0.6 if with_jwt else 0.05):
        headers["authorization"] = [f"Bearer {token(rng, jwt)[0]}"]
    q["headers"] = headers
    return q


def case(seed: int, jwt: Jwt, questions: int = 14) -> Json:
    rng = random.Random(seed)
    gateway_api = rng.random() < 0.35
    docs = gateway_api_routing(rng) if gateway_api else istio_routing(rng)
    if rng.random() < 0.5:
        docs += [gateway_policy(rng, n, gateway_api) for n in range(rng.choice([1, 1, 2]))]
    with_jwt = rng.random() < 0.3
    if with_jwt:
        ra = request_authentication(rng, 0, jwt)
        ra["metadata"]["namespace"] = "istio-system"
        ra["spec"].pop("selector", None)
        docs.append(ra)
    hops = rng.choice([0, 0, 0, 1, 2])
    mesh = f"defaultConfig:\n  gatewayTopology:\n    numTrustedProxies: {hops}" if hops else ""
    https = any(s.get("port", {}).get("number") == 443 for d in docs for s in d.get("spec", {}).get("servers", []))
    manifests = WORLD + "".join("---\n" + backend(*s) for s in SERVICES) + "---\n" + yaml.safe_dump_all(docs, sort_keys=False)
    return {
        "id": f"gateway-{seed}",
        "closed_world": True,
        **({"mesh_config": mesh} if mesh else {}),
        "manifests": manifests,
        "questions": [question(rng, f"{seed}-{k}", jwt, with_jwt, https, asked_of(docs)) for k in range(questions)],
    }
