"""Random worlds of AuthorizationPolicies, and calls to their workloads.

Pools are those of the oracle's generator, so that rules match often. Every policy is one that a cluster accepts, every
caller's identity is one that a sidecar accepts, and every token is a good one: what is left to decide is authorization.
"""

from __future__ import annotations

import random
from typing import Any

import yaml

from tests.oracle import gen_sidecar as pools

Json = dict[str, Any]

DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
WORKLOADS = {("foo", "svc"): {"app": "svc", "version": "v1"}, ("foo", "other"): {"app": "other"}, ("bar", "svc"): {"app": "svc"}}
TRUST_DOMAINS = ["*", "cluster.local", "td1", "old-td", "old*", "*.local", "*td"]
TEMPLATES = ["/v1/{*}/x", "/{**}", "/x;a=1/{**}", "/{*}", "/api/{**}/items", "/{*}/{*}/"]
PATHS = [p for p in pools.PATHS if "#" not in p] + ["/api/./v1", "/api\\v1", "/api/v1/..", "/api%5cv1", "/x/%2E%2E/admin"]


def workloads() -> list[Json]:
    """Three workloads with sidecars, in two namespaces, each behind a Service like those of the oracle's world."""
    docs: list[Json] = []
    for (namespace, name), labels in WORKLOADS.items():
        numbers = {"http": 8080, "tcp-db": 9090, "misc": 7070}
        ports = [{"name": port, "port": number, "targetPort": number} for port, number in numbers.items()]
        containers = [{"name": "app", "image": "example/app", "ports": [{"containerPort": number} for number in numbers.values()]}]
        template = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": "svc", "containers": containers}}
        meta = {"name": name, "namespace": namespace}
        docs += [
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": meta,
                "spec": {"selector": {"matchLabels": labels}, "template": template},
            },
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": labels, "ports": ports}},
        ]
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": {"istio-injection": "enabled"}}}
        for n in ("foo", "bar", "bar-prod")
    ]
    return [*namespaces, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}, *docs]


def policy(rng: random.Random, number: int, action: str) -> Json:
    """An AuthorizationPolicy that a cluster accepts."""
    made = pools.authorization_policy(rng, number, action)
    spec = made["spec"]
    made["metadata"]["namespace"] = rng.choice(["foo", "foo", "bar", "istio-system"])
    if action == "CUSTOM":  # what may not stand in such a rule is refused
        spec["rules"] = [{"to": [{"operation": pools.operation(rng)}]} for _ in spec["rules"]]
        if rng.random() < 0.4:
            spec["rules"][0]["when"] = [{"key": "request.headers[x-team]", "values": pools.some(rng, pools.HEADER_PATTERNS)}]
    for rule in spec.get("rules", []) if action != "CUSTOM" else []:
        if rng.random() < 0.1:
            rule.setdefault("from", []).append(
                {"source": {rng.choice(["trustDomains", "notTrustDomains"]): pools.some(rng, TRUST_DOMAINS, 2)}}
            )
        if rng.random() < 0.1:
            rule.setdefault("when", []).append({"key": "source.serviceAccount", "values": pools.some(rng, pools.SERVICE_ACCOUNTS)})
        if rng.random() < 0.1:
            rule.setdefault("to", []).append({"operation": {"paths": pools.some(rng, TEMPLATES)}})
    if rng.random() < 0.05:
        spec.pop("selector", None)
        spec["targetRefs"] = [{"group": "", "kind": "Service", "name": "svc"}]
    return made


def request_authentication(namespace: str) -> Json:
    """One that knows every issuer whose tokens are shown."""
    rules = [{"issuer": issuer, "jwksUri": "https://keys.example.com/jwks"} for issuer in pools.ISSUERS]
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": "tokens", "namespace": namespace},
        "spec": {"jwtRules": rules},
    }


def claims(rng: random.Random) -> Json:
    """The claims of a good token."""
    out: Json = {"iss": rng.choice(pools.ISSUERS), "sub": rng.choice(pools.SUBS)}
    choices: dict[str, list[Any]] = {
        "aud": ["aud-1", ["aud-1", "x"], ["aud-2"], "nope"],
        "groups": [["admin", "dev"], ["dev"], "admin", []],
        "scope": ["read", "read write", "read:items write", ["read", "write"]],
        "realm": [{"role": "owner"}, {"role": ["owner", "dev"]}, "owner"],
        "level": [3, "3"],
        "admin": [True, "true"],
        "azp": ["client-1", "web"],
    }
    return out | {name: rng.choice(values) for name, values in choices.items() if rng.random() < 0.4}


def question(rng: random.Random, name: str, with_tokens: bool, trust_domains: list[str]) -> Json:
    """A call to one of the workloads, as it arrives there."""
    namespace, target = rng.choice([("foo", "svc"), ("foo", "svc"), *WORKLOADS])
    port = rng.choice([8080] * 6 + [7070, 9090])
    q: Json = {"id": name, "to": {"namespace": namespace, "workload": target, "port": port}, "source_ip": rng.choice(pools.IPS)}
    if rng.random() < 0.8:
        caller, account = rng.choice(pools.ACCOUNTS)
        q["from"] = {"namespace": caller, "service_account": account, "mtls": True}
        q["sni"] = rng.choice(pools.SNIS)
        if trust_domains and rng.random() < 0.4:
            q["from"]["trust_domain"] = rng.choice(trust_domains)
    else:
        q["from"] = {"namespace": rng.choice(["foo", "bar"]), "plaintext": True}
    if port == 9090:
        return {**q, "protocol": "tcp"}
    q |= {
        "method": rng.choice(pools.METHODS),
        "path": rng.choice(PATHS),
        "host": rng.choice([*pools.HOSTS[:2] * 3, *pools.HOSTS]),
        "headers": {},
    }
    for header, values in pools.HEADERS.items():
        if rng.random() < 0.35:
            q["headers"][header] = rng.sample(values, k=min(len(values), rng.choice([1, 1, 1, 2])))
    if forwarded := rng.choice(pools.XFFS):
        q["headers"]["x-forwarded-for"] = [forwarded]
    if with_tokens and rng.random() < 0.7:
        q["claims"] = claims(rng)
    return q


def world(seed: int, questions: int = 8) -> tuple[Json, list[Json], Json]:
    """A world in the form of the batch, its AuthorizationPolicies, and its mesh settings."""
    rng = random.Random(seed)
    actions = rng.choice(
        [["ALLOW"], ["ALLOW", "ALLOW"], ["DENY"], ["ALLOW", "DENY"], ["DENY", "DENY"], ["CUSTOM", "ALLOW"], ["ALLOW", "DENY", "AUDIT"]]
    )
    policies = [policy(rng, n, action) for n, action in enumerate(actions)]
    with_tokens = rng.random() < 0.5
    mesh: Json = {}
    if rng.random() < 0.4:
        mesh["pathNormalization"] = {"normalization": rng.choice(["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"])}
    if rng.random() < 0.4:
        mesh["trustDomain"] = rng.choice(["td1", "cluster.local"])
        mesh["trustDomainAliases"] = rng.choice([["old-td"], ["old-td", "older-td"], []])
    known = [mesh["trustDomain"], *mesh["trustDomainAliases"]] if "trustDomain" in mesh else []
    asked = [question(rng, f"q{n}", with_tokens, known) for n in range(questions)]
    for q in asked:
        q["to"]["ip"] = f"127.51.{seed % 200}.{1 + list(WORKLOADS).index((q['to']['namespace'], q['to']['workload']))}"
    docs = [*workloads(), *policies, *([request_authentication("istio-system")] if with_tokens else [])]
    rng.shuffle(docs)
    line: Json = {
        "id": f"world-{seed}",
        "closed_world": True,
        "manifests": yaml.dump_all(docs, Dumper=DUMPER, sort_keys=False),
        "questions": asked,
    }
    if mesh:
        line["mesh_config"] = yaml.dump(mesh, Dumper=DUMPER)
    return line, policies, mesh
