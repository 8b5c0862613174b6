"""Random sidecar-inbound cases: policies on one workload, and calls to it.

A case is one world (`manifests`, one workload foo/svc with a sidecar) and questions in the batch
form that `meshcheck trace --batch` reads. Values come from small pools, so that rules match often and the
interesting edges (wildcards, case, ports in hosts, encoded paths, list claims, …) meet often.
What is right is not known here: istiod and Envoy say so (run_sidecar.py).
"""

from __future__ import annotations

import json
import random
from typing import Any

import yaml

from tests.oracle.tokens import Jwt

Json = dict[str, Any]

TD = "cluster.local"
ACCOUNTS = [("foo", "web"), ("bar", "web"), ("bar", "api"), ("bar-prod", "web"), ("istio-system", "gw"), ("foo", "svc"), ("bar", "web-2")]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
PATHS = [
    "/",
    "/api",
    "/api/",
    "/api/v1",
    "/api/v1/items",
    "/api/v1/items/42",
    "/admin",
    "/admin/",
    "/administrator",
    "/health",
    "/health?full=1",
    "/api/v1/items?x=/admin",
    "/API/v1",
    "//api",
    "/api//v1",
    "/api/../admin",
    "/api/%2e%2e/admin",
    "/api%2Fv1",
    "/a%64min",
    "/api/v1/items/42/reviews",
    "/x;a=1",
    "/api/v1/a=b",
    "/api#frag",
    "/static/js/app.js",
    "/v1/*/x",
]
PATH_PATTERNS = [
    "/",
    "/api",
    "/api/*",
    "/api*",
    "*/items",
    "*.js",
    "*",
    "/admin",
    "/admin*",
    "/health",
    "/api/v1/items/{*}",
    "/api/{**}",
    "/{*}/v1/{**}",
    "/api/v1/{*}/{*}",
    "*min",
    "/api/v1/items",
    "/api/v*/items",
    "/a%64min",
    "//api",
    "/{**}/reviews",
    "/v1/*/x",
    "/api/v1/items?x=/admin",
    "/API/*",
]
HOSTS = [
    "svc.foo",
    "svc.foo.svc.cluster.local",
    "SVC.foo",
    "svc.foo:8080",
    "api.example.com",
    "api.example.com:8080",
    "a.b.example.com",
    "svc",
    "10.0.0.1",
]
HOST_PATTERNS = [
    "svc.foo",
    "svc.foo:*",
    "svc.foo:8080",
    "*.example.com",
    "api.*",
    "*",
    "API.example.com",
    "svc",
    "*.foo",
    "svc*",
    "*.example.com:8080",
]
HEADERS = {"x-team": ["a", "b", "A", "ab", "", "a,b", "team-a"], "X-Env": ["prod", "prod-eu", "dev"], "x-flag": ["true"]}
HEADER_PATTERNS = ["a", "b", "a*", "*b", "*", "prod", "prod-*", "A", "true", "a,b", "team-*"]
IPS = ["127.0.0.1", "127.0.0.5", "127.0.1.9", "127.0.2.77", "127.9.9.9"]
CIDRS = ["127.0.0.0/24", "127.0.0.5", "127.0.0.0/16", "127.9.9.9/32", "10.0.0.0/8", "203.0.113.7", "127.0.2.64/26", "::1"]
XFFS = [None, None, None, "203.0.113.7", "203.0.113.7, 10.1.2.3", "10.1.2.3, 203.0.113.7"]
ISSUERS = ["https://idp.example.com", "local-issuer", "https://other.example.com/realms/x"]
SUBS = ["alice", "bob", "svc/robot", "", "42"]


def some(rng: random.Random, pool: list[Any], most: int = 3) -> list[Any]:
    return rng.sample(pool, k=min(len(pool), rng.choice([1, 1, 1, 2, 2, most])))


def principal_patterns() -> list[str]:
    full = [f"{TD}/ns/{n}/sa/{s}" for n, s in ACCOUNTS]
    return [
        *full,
        "*",
        f"{TD}/ns/foo/*",
        f"{TD}/ns/bar*",
        "*/sa/web",
        "*/ns/bar/sa/web",
        f"spiffe://{TD}/ns/foo/sa/web",
        f"{TD}/ns/*/sa/web",
        "old-td/ns/bar/sa/web",
        "web",
    ]


NAMESPACES = ["foo", "bar", "bar*", "*bar", "*", "bar-prod", "b*r", "istio-system", "FOO"]
SERVICE_ACCOUNTS = ["web", "foo/web", "bar/web", "bar/api", "svc"]
REQUEST_PRINCIPALS = [
    "*",
    "https://idp.example.com/alice",
    "https://idp.example.com/*",
    "local-issuer/bob",
    "*/alice",
    "local-issuer/*",
    "https://idp*",
    "https://other.example.com/realms/x/alice",
    "alice",
    "local-issuer/svc/robot",
    "*bob",
]
CLAIM_KEYS = [
    "request.auth.claims[groups]",
    "request.auth.claims[scope]",
    "request.auth.claims[realm][role]",
    "request.auth.claims[level]",
    "request.auth.claims[iss]",
    "request.auth.claims[admin]",
    "request.auth.claims[missing]",
]
CLAIM_VALUES = ["admin", "dev", "read", "write", "read write", "r*", "*in", "*", "3", "true", "local-issuer", "read:items", "owner"]
PORTS = ["8080", "80", "9090", "7070"]
SNIS = ["outbound_.80_._.svc.foo.svc.cluster.local"] * 4 + ["svc.foo", "outbound_.9090_._.svc.foo.svc.cluster.local"]


def neg(rng: random.Random, chance: float) -> bool:
    return rng.random() < chance


def source(rng: random.Random) -> Json:
    out: Json = {}
    fields = {
        "principals": principal_patterns(),
        "namespaces": NAMESPACES,
        "serviceAccounts": SERVICE_ACCOUNTS,
        "requestPrincipals": REQUEST_PRINCIPALS,
        "ipBlocks": CIDRS[:-1],
        "remoteIpBlocks": CIDRS[:-1],
    }
    names = rng.sample(sorted(fields), k=rng.choice([1, 1, 1, 2, 2, 3]))
    if "serviceAccounts" in names and ("principals" in names or "namespaces" in names):
        names = [n for n in names if n not in ("principals", "namespaces")]
    for n in names:
        positive = rng.random() < 0.75
        if positive:
            out[n] = some(rng, fields[n])
        if not positive or neg(rng, 0.15):
            out["not" + n[0].upper() + n[1:]] = some(rng, fields[n], 2)
    return out


def operation(rng: random.Random) -> Json:
    out: Json = {}
    fields = {"methods": [*METHODS, "G*", "*", "get", "P*"], "paths": PATH_PATTERNS, "hosts": HOST_PATTERNS, "ports": PORTS}
    for n in rng.sample(sorted(fields), k=rng.choice([1, 1, 2, 2, 3])):
        positive = rng.random() < 0.75
        if positive:
            out[n] = some(rng, fields[n])
        if not positive or neg(rng, 0.15):
            out["not" + n[0].upper() + n[1:]] = some(rng, fields[n], 2)
    return out


def condition(rng: random.Random) -> Json:
    kind = rng.choice(
        [
            "header",
            "header",
            "claim",
            "claim",
            "source.ip",
            "remote.ip",
            "source.namespace",
            "source.principal",
            "request.auth.principal",
            "request.auth.audiences",
            "request.auth.presenter",
            "destination.port",
            "destination.ip",
            "connection.sni",
        ]
    )
    if kind == "header":
        name = rng.choice(["x-team", "X-Env", "x-flag", "x-absent", "X-TEAM", "authorization"])
        key, pool = f"request.headers[{name}]", HEADER_PATTERNS
    elif kind == "claim":
        key, pool = rng.choice(CLAIM_KEYS), CLAIM_VALUES
    elif kind in ("source.ip", "remote.ip"):
        key, pool = kind, CIDRS[:-1]
    elif kind == "destination.ip":
        key, pool = kind, ["127.0.0.0/8", "10.0.0.0/8"]
    elif kind == "destination.port":
        key, pool = kind, PORTS
    elif kind == "source.namespace":
        key, pool = kind, NAMESPACES
    elif kind == "source.principal":
        key, pool = kind, principal_patterns()
    elif kind == "request.auth.principal":
        key, pool = kind, REQUEST_PRINCIPALS
    elif kind == "request.auth.audiences":
        key, pool = kind, ["aud-1", "aud-2", "aud-*", "*"]
    elif kind == "request.auth.presenter":
        key, pool = kind, ["client-1", "client-*", "*"]
    else:
        key, pool = kind, ["outbound_.8080_._.svc.foo.svc.cluster.local", "svc.foo", "*", "*.local", "outbound*"]
    out: Json = {"key": key}
    if rng.random() < 0.75:
        out["values"] = some(rng, pool)
    else:
        out["notValues"] = some(rng, pool, 2)
    if "values" in out and neg(rng, 0.12):
        out["notValues"] = some(rng, pool, 1)
    return out


def rule(rng: random.Random) -> Json:
    r: Json = {}
    if rng.random() < 0.55:
        r["from"] = [{"source": source(rng)} for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.6:
        r["to"] = [{"operation": operation(rng)} for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.3:
        r["when"] = [condition(rng) for _ in range(rng.choice([1, 1, 2]))]
    return r


def authorization_policy(rng: random.Random, i: int, action: str) -> Json:
    where = rng.choice(["foo", "foo", "foo", "istio-system"])
    spec: Json = {}
    pick = rng.random()
    if pick < 0.6:
        spec["selector"] = {"matchLabels": {"app": "svc"}}
    elif pick < 0.68:
        spec["selector"] = {"matchLabels": {"app": "other"}}
    elif pick < 0.74:
        spec["selector"] = {"matchLabels": {"app": "svc", "version": "v1"}}
    if action != "ALLOW" or rng.random() < 0.5:
        spec["action"] = action
    if action == "CUSTOM":
        spec["provider"] = {"name": "not-in-mesh-config"}
    n = rng.choice([0, 1, 1, 1, 2, 2, 3]) if action == "ALLOW" else rng.choice([1, 1, 2, 3])
    if n:
        spec["rules"] = [rule(rng) for _ in range(n)]
        if action == "CUSTOM" and rng.random() < 0.85:  # most other fields are refused with CUSTOM
            spec["rules"] = [
                {
                    "to": [{"operation": operation(rng)}],
                    **({"when": [{"key": "request.headers[x-team]", "values": some(rng, HEADER_PATTERNS)}]} if rng.random() < 0.3 else {}),
                }
                for _ in range(n)
            ]
        if action != "ALLOW":
            spec["rules"] = [r or {"to": [{"operation": {"methods": ["DELETE"]}}]} for r in spec["rules"]]
    meta: Json = {"name": f"p{i}", "namespace": where}
    if rng.random() < 0.06 and action in ("ALLOW", "DENY"):
        meta["annotations"] = {"istio.io/dry-run": rng.choice(["true", "false"])}
    return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": spec}


def request_authentication(rng: random.Random, i: int, jwt: Jwt) -> Json:
    rules = []
    for iss in some(rng, ISSUERS, 2):
        r: Json = {"issuer": iss, "jwks": jwt.jwks(iss)}
        if rng.random() < 0.3:
            r["audiences"] = some(rng, ["aud-1", "aud-2"], 2)
        if rng.random() < 0.15:
            r["fromHeaders"] = [{"name": "x-jwt", "prefix": rng.choice(["", "Token "])}]
        if rng.random() < 0.1:
            r["fromParams"] = ["token"]
        if rng.random() < 0.3:
            r["forwardOriginalToken"] = True
        rules.append(r)
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": f"ra{i}", "namespace": rng.choice(["foo", "foo", "istio-system"])},
        "spec": {**({"selector": {"matchLabels": {"app": "svc"}}} if rng.random() < 0.6 else {}), "jwtRules": rules},
    }


def peer_authentication(rng: random.Random, i: int) -> Json:
    where = rng.choice(["foo", "foo", "istio-system"])
    mode = rng.choice(["STRICT", "PERMISSIVE", "DISABLE", "UNSET", "STRICT"])
    spec: Json = {"mtls": {"mode": mode}}
    if where == "foo" and rng.random() < 0.6:
        spec["selector"] = {"matchLabels": {"app": "svc"}}
        if rng.random() < 0.4:
            spec["portLevelMtls"] = {8080: {"mode": rng.choice(["STRICT", "PERMISSIVE", "DISABLE", "UNSET"])}}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": f"pa{i}", "namespace": where},
        "spec": spec,
    }


def token(rng: random.Random, jwt: Jwt) -> tuple[str, str]:
    """A token and what was done to it."""
    iss = rng.choice(ISSUERS)
    claims: Json = {"iss": iss, "sub": rng.choice(SUBS), "exp": 4102444800}
    if rng.random() < 0.5:
        claims["aud"] = rng.choice(["aud-1", ["aud-1", "x"], ["aud-2"], "nope"])
    if rng.random() < 0.4:
        claims["groups"] = rng.choice([["admin", "dev"], ["dev"], "admin", []])
    if rng.random() < 0.4:
        claims["scope"] = rng.choice(["read", "read write", "read:items write", ["read", "write"]])
    if rng.random() < 0.3:
        claims["realm"] = {"role": rng.choice(["owner", ["owner", "dev"], "dev"])}
    if rng.random() < 0.3:
        claims["level"] = rng.choice([3, "3"])
    if rng.random() < 0.2:
        claims["admin"] = rng.choice([True, "true"])
    if rng.random() < 0.3:
        claims["azp"] = rng.choice(["client-1", "web"])
    how = rng.choices(["good", "expired", "stranger", "unknown-issuer", "early", "no-sub", "garbage"], [70, 7, 6, 6, 4, 4, 3])[0]
    if how == "expired":
        claims["exp"] = 1500000000
    if how == "early":
        claims["nbf"] = 4102444800
    if how == "no-sub":
        claims.pop("sub")
    if how == "unknown-issuer":
        claims["iss"] = "https://evil.example.com"
    if how == "garbage":
        return "not.a.jwt", how
    return jwt.sign(claims, None if how == "stranger" else iss), how


def mesh_config(rng: random.Random) -> tuple[str, list[str]]:
    """Mesh settings that change a verdict at a sidecar, and the trust domains that callers may come from."""
    lines, trust = [], []
    if rng.random() < 0.6:
        level = rng.choice(["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES", "DEFAULT"])
        lines += ["pathNormalization:", f"  normalization: {level}"]
    if rng.random() < 0.5:
        own = rng.choice(["td1", "cluster.local"])
        aliases = rng.choice([["old-td"], ["cluster.local", "old-td"], []])
        lines += [f"trustDomain: {own}", f"trustDomainAliases: {json.dumps([a for a in aliases if a != own])}"]
        trust = [own, "old-td", "cluster.local", "stranger-td"]
    return "\n".join(lines), trust


def question(rng: random.Random, qid: str, jwt: Jwt, with_jwt: bool, trust: list[str]) -> Json:
    q: Json = {"id": qid, "method": rng.choice(METHODS), "to": {"namespace": "foo", "workload": "svc", "port": 8080}}
    q["path"] = rng.choice(PATHS)
    q["host"] = rng.choice(HOSTS[:2] * 4 + HOSTS)
    if rng.random() < 0.75:
        ns, sa = rng.choice(ACCOUNTS)
        q["from"] = {"namespace": ns, "service_account": sa, "mtls": True}
        if trust and rng.random() < 0.3:
            q["from"]["trust_domain"] = rng.choice(trust)
    else:
        q["from"] = {"namespace": rng.choice(["foo", "bar", "legacy"]), "plaintext": True}
    q["source_ip"] = rng.choice(IPS[:1] * 3 + IPS)
    if "plaintext" not in q["from"]:
        q["sni"] = rng.choice(SNIS)
    pick = rng.random()
    if pick < 0.12:
        for name in ("method", "path", "host"):
            q.pop(name)
        q["to"]["port"], q["protocol"] = 9090, "tcp"
        return q
    if pick < 0.2:
        q["to"]["port"] = 7070
    headers: dict[str, list[str]] = {}
    for name, values in HEADERS.items():
        if rng.random() < 0.3:
            headers[name] = some(rng, values, 1) if len(values) < 2 or rng.random() < 0.9 else rng.sample(values, k=2)
    if xff := rng.choice(XFFS):
        headers["x-forwarded-for"] = [xff]
    if rng.random() < (0.7 if with_jwt else 0.1):
        tok, _ = token(rng, jwt)
        spot = rng.choices(["authorization", "x-jwt", "param", "lower"], [80, 8, 8, 4])[0]
        if spot == "authorization":
            headers["authorization"] = [f"Bearer {tok}"]
        elif spot == "lower":
            headers["authorization"] = [f"bearer {tok}"]
        elif spot == "x-jwt":
            headers["x-jwt"] = [rng.choice(["", "Token "]) + tok]
        else:
            q["path"] = q["path"].split("#")[0] + ("&" if "?" in q["path"] else "?") + "token=" + tok
    if q["method"] == "OPTIONS" and rng.random() < 0.6:
        headers["origin"] = ["https://app.example.com"]
        headers["access-control-request-method"] = ["GET"]
    q["headers"] = headers
    return q


WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: foo, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bar, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bar-prod, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: legacy}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: svc, namespace: foo}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: svc, namespace: foo}
spec:
  selector: {matchLabels: {app: svc}}
  template:
    metadata: {labels: {app: svc, version: v1}}
    spec:
      serviceAccountName: svc
      containers:
      - name: app
        image: example/app
        ports: [{name: http, containerPort: 8080}, {name: db, containerPort: 9090}, {name: misc, containerPort: 7070}]
---
apiVersion: v1
kind: Service
metadata: {name: svc, namespace: foo}
spec:
  selector: {app: svc}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: tcp-db, port: 9090, targetPort: 9090}
  - {name: misc, port: 7070, targetPort: 7070}
"""


def address(seed: int) -> str:
    """The loopback address that stands for the workload's pod, one for each world of a batch."""
    return f"127.50.{seed // 200 % 250}.{seed % 200 + 1}"


def case(seed: int, jwt: Jwt, questions: int = 12) -> Json:
    rng = random.Random(seed)
    docs = []
    actions = rng.choice(
        [
            ["ALLOW"],
            ["ALLOW"],
            ["DENY"],
            ["ALLOW", "DENY"],
            ["ALLOW", "ALLOW"],
            ["ALLOW", "DENY", "AUDIT"],
            ["DENY", "DENY"],
            ["ALLOW", "ALLOW", "DENY"],
            ["AUDIT"],
            [],
            ["CUSTOM"],
            ["CUSTOM", "ALLOW"],
        ]
    )
    docs += [authorization_policy(rng, i, a) for i, a in enumerate(actions)]
    with_jwt = rng.random() < 0.45
    if with_jwt:
        docs += [request_authentication(rng, i, jwt) for i in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.3:
        docs += [peer_authentication(rng, i) for i in range(rng.choice([1, 1, 2]))]
    mesh, trust = mesh_config(rng) if rng.random() < 0.3 else ("", [])
    asked = [question(rng, f"{seed}-{k}", jwt, with_jwt, trust) for k in range(questions)]
    for q in asked:
        q["to"]["ip"] = address(seed)
    return {
        "id": f"sidecar-{seed}",
        "closed_world": True,
        **({"mesh_config": mesh} if mesh else {}),
        "manifests": WORLD + "---\n" + yaml.safe_dump_all(docs, sort_keys=False),
        "questions": asked,
    }
