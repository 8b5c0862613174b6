"""Random worlds in ambient mode: captured pods and others, policies that ztunnel applies, waypoints and the labels that ask for them.

What is right is not known here: istiod and ztunnel say so (run_ambient.py). A seed always makes the same world.
"""

from __future__ import annotations

import random
from typing import Any

import yaml

Json = dict[str, Any]

IPS = {
    "shop/web": "10.1.0.11",
    "shop/api": "10.1.0.12",
    "shop/db": "10.1.0.13",
    "edge/front": "10.1.0.30",
    "istio-system/tool": "10.1.0.40",
    "legacy/cron": "10.1.0.99",
}
WAYPOINTS = {"shop/wp": "10.1.0.50", "shop/wp2": "10.1.0.51", "infra/wp": "10.1.0.60"}
SERVICES = {"shop/api": "10.96.0.12", "shop/db": "None", "edge/front": "10.96.0.30"}
CALLED = ["svc:shop/api:80", "svc:edge/front:80", "svc:shop/api:81", "pod:shop/api:8080", "pod:shop/api:9090", "pod:shop/db:8080",
          "pod:edge/front:9090"]  # fmt: skip
CAPTURED = "ambient.istio.io/redirection"
_ACCOUNTS = ["web", "api", "cron", "front", "x", "tool"]
_NAMESPACES = ["shop", "legacy", "edge", "istio-system"]
_VALUES = {
    "principals": ["*", "*/sa/web", "cluster.local/ns/shop/*", "spiffe://cluster.local/ns/shop/sa/web", "corp/ns/shop/sa/web",
                   "cluster.local/*/web", *(f"cluster.local/ns/{ns}/sa/{sa}" for ns in _NAMESPACES for sa in ("web", "api", "front"))],
    "namespaces": [*_NAMESPACES, "*", "sh*", "*op", "e*e", "*p"],
    "serviceAccounts": [*_ACCOUNTS, "shop/web", "legacy/cron", "edge/front"],
    "ipBlocks": ["10.1.0.11", "10.1.0.0/24", "10.1.0.99/32", "10.1.0.64/26", "10.0.0.0/8", "192.168.0.0/16", "10.1.0.13/24"],
    "ports": ["8080", "9090", "80", "81", "5432"],
    "trustDomains": ["cluster.local", "corp", "*"],
    "requestPrincipals": ["*"],
    "remoteIpBlocks": ["10.0.0.0/8"],
    "methods": ["GET", "POST"],
    "paths": ["/", "/x*"],
    "hosts": ["api"],
}  # fmt: skip
_WHEN = {"source.ip": "ipBlocks", "source.namespace": "namespaces", "source.principal": "principals", "destination.ip": "ipBlocks",
         "destination.port": "ports", "source.serviceAccount": "serviceAccounts", "source.trustDomain": "trustDomains",
         "request.headers[x-a]": "methods", "connection.sni": "hosts"}  # fmt: skip


def case(seed: int) -> Json:
    """One world, and every caller's calls to every target."""
    rng = random.Random(seed)
    edge = rng.random() < 0.6
    modes = {"shop": True, "edge": edge, "legacy": False, "istio-system": False, "infra": False}
    documents = [_namespace(name, ambient, rng) for name, ambient in modes.items()]
    chance = {"shop/web": 0.9, "shop/api": 0.9, "shop/db": 1.0, "edge/front": float(edge), "istio-system/tool": 0.3, "legacy/cron": 0.0}
    documents += [_pod(name, IPS[name], rng.random() < chance[name], n, rng) for n, name in enumerate(IPS)]
    documents += [d for name in SERVICES for d in _service(name, rng)]
    documents += [{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "istio-waypoint",
                   "labels": {"istio.io/waypoint-for": rng.choice(["all", "service"])} if rng.random() < 0.2 else {}},
                   "spec": {"controllerName": "istio.io/mesh-controller"}}]  # fmt: skip
    documents += [d for name in WAYPOINTS if rng.random() < 0.85 for d in _waypoint(name, rng)]
    documents += [_policy(rng, n) for n in range(rng.choice([0, 1, 1, 2, 3]))]
    documents += [_peers(rng, n) for n in range(rng.choice([0, 0, 1, 2, 3]))]
    questions = [_question(f"{n}", caller, called) for n, (caller, called) in enumerate((c, t) for c in IPS for t in CALLED)]
    return {
        "id": f"ambient-{seed}",
        "closed_world": True,
        "manifests": yaml.safe_dump_all(documents, sort_keys=False),
        "questions": questions,
    }


def _question(qid: str, caller: str, called: str) -> Json:
    namespace, _, name = caller.partition("/")
    kind, target, port = called.split(":")
    where, _, who = target.partition("/")
    to = {"url": f"tcp://{who}.{where}:{port}"} if kind == "svc" else {"namespace": where, "pod": who, "port": int(port)}
    return {"id": qid, "from": {"namespace": namespace, "workload": name}, "to": to, "protocol": "tcp"}


def _namespace(name: str, ambient: bool, rng: random.Random) -> Json:
    labels = {"kubernetes.io/metadata.name": name, **({"istio.io/dataplane-mode": "ambient"} if ambient else {})}
    if name in ("shop", "edge"):
        labels |= (_uses(rng) if rng.random() < 0.5 else {}) | ({"team": "a"} if rng.random() < 0.5 else {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _uses(rng: random.Random) -> dict[str, str]:
    out = {"istio.io/use-waypoint": rng.choice(["wp", "wp", "wp2", "none", "typo"])} if rng.random() < 0.45 else {}
    return out | ({"istio.io/use-waypoint-namespace": rng.choice(["infra", "shop"])} if rng.random() < 0.35 else {})


def _pod(name: str, ip: str, captured: bool, number: int, rng: random.Random) -> Json:
    namespace, _, own = name.partition("/")
    labels = {"app": own, **(_uses(rng) if own in ("api", "db", "front") and rng.random() < 0.5 else {})}
    return _running(namespace, own, ip, own, labels, {CAPTURED: "enabled"} if captured else {}, number)


def _running(namespace: str, name: str, ip: str, account: str, labels: Json, notes: Json, number: int, container: str = "c") -> Json:
    ports = [{"name": "http", "containerPort": 8080}, {"name": "adm", "containerPort": 9090}]
    meta = {"name": name, "namespace": namespace, "labels": labels, "annotations": notes, "uid": f"u-{namespace}-{name}"}
    containers = [{"name": container, "image": "example/x", "ports": ports}]
    status = {"podIP": ip, "podIPs": [{"ip": ip}], "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    spec = {"serviceAccountName": account, "nodeName": f"n{number % 2}", "containers": containers}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def _service(name: str, rng: random.Random) -> list[Json]:
    namespace, _, own = name.partition("/")
    address = SERVICES[name]
    ports = [{"name": "tcp", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"clusterIP": address, "clusterIPs": [address], "selector": {"app": own}, "ports": ports}
    slices = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{own}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": own}},
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": [IPS[name]], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": own, "namespace": namespace}}
        ],
        "ports": [{"name": "tcp", "port": 8080, "protocol": "TCP"}],
    }
    meta = {"name": own, "namespace": namespace, "labels": _uses(rng)}
    return [{"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}, slices]


def _waypoint(name: str, rng: random.Random) -> list[Json]:
    namespace, _, own = name.partition("/")
    listener: Json = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    if rng.random() < 0.5:
        by_labels = [{"from": "Selector", "selector": {"matchLabels": m}} for m in ({"kubernetes.io/metadata.name": "shop"}, {"team": "a"})]
        listener["allowedRoutes"] = {"namespaces": rng.choice([{"from": "All"}, {"from": "Same"}, *by_labels])}
    if rng.random() < 0.05:
        listener["port"] = 15009
    ready = {"addresses": [{"type": "Hostname", "value": f"{own}.{namespace}.svc.cluster.local"}]}
    labels = {"istio.io/waypoint-for": rng.choice(["service", "workload", "all", "all", "none"])} if rng.random() < 0.6 else {}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": own, "namespace": namespace, "labels": labels},
        "spec": {"gatewayClassName": "istio-waypoint", "listeners": [listener]},
        "status": ready if rng.random() < 0.85 else {"conditions": [{"type": "Accepted", "status": "Unknown"}]},
    }
    made = {"gateway.networking.k8s.io/gateway-name": own, "gateway.istio.io/managed": "istio.io-mesh-controller"}
    address = WAYPOINTS[name].replace("10.1.", "10.96.")
    spec = {"clusterIP": address, "clusterIPs": [address], "selector": {"gateway.networking.k8s.io/gateway-name": own},
            "ports": [{"name": "mesh", "port": 15008, "targetPort": 15008, "protocol": "TCP"}]}  # fmt: skip
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": own, "namespace": namespace, "labels": made}, "spec": spec}
    labels = {**made, "istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "false"}
    return [gateway, service, _running(namespace, f"{own}-1", WAYPOINTS[name], own, labels, {}, 0, "istio-proxy")]


# ---- policies ----


def _some(rng: random.Random, kind: str) -> list[str]:
    return sorted({rng.choice(_VALUES[kind]) for _ in range(rng.choice([1, 1, 2]))})


def _fields(rng: random.Random, kinds: list[str]) -> Json:
    return {(f"not{k[0].upper()}{k[1:]}" if rng.random() < 0.3 else k): _some(rng, k) for k in kinds}


def _source(rng: random.Random) -> Json:
    plain = ["principals", "namespaces", "ipBlocks"]
    pick = rng.random()
    if pick < 0.15:
        return _fields(rng, ["serviceAccounts"])
    if pick < 0.25:
        return _fields(rng, ["trustDomains", *(["namespaces"] if rng.random() < 0.5 else [])])
    if pick < 0.35:
        return _fields(rng, [rng.choice(["requestPrincipals", "remoteIpBlocks"]), *([rng.choice(plain)] if rng.random() < 0.6 else [])])
    return _fields(rng, rng.sample(plain, rng.choice([1, 1, 2])))


def _operation(rng: random.Random) -> Json:
    pick = rng.random()
    if pick < 0.6:
        return _fields(rng, ["ports"])
    return _fields(rng, [rng.choice(["methods", "paths", "hosts"])] if pick < 0.8 else ["ports", rng.choice(["methods", "paths"])])


def _condition(rng: random.Random) -> Json:
    key = rng.choice(list(_WHEN))
    sides = rng.choice([("values",), ("values",), ("notValues",), ("values", "notValues")])
    return {"key": key, **{side: [rng.choice(_VALUES[_WHEN[key]])] for side in sides}}


def _rule(rng: random.Random) -> Json:
    out: Json = {}
    if rng.random() < 0.7:
        out["from"] = [{"source": _source(rng)} for _ in range(rng.choice([1, 1, 1, 2]))]
    if rng.random() < 0.6:
        out["to"] = [{"operation": _operation(rng)} for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.35:
        out["when"] = [_condition(rng) for _ in range(rng.choice([1, 1, 2]))]
    return out


def _policy(rng: random.Random, number: int) -> Json:
    spec: Json = {"action": rng.choice(["ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "AUDIT"])}
    pick = rng.random()
    if pick < 0.5:
        spec["selector"] = {"matchLabels": {"app": rng.choice(["api", "db", "web", "front"])}}
    elif pick < 0.64:
        spec["selector"] = rng.choice([{}, {"matchLabels": {}}])
    rules = [_rule(rng) for _ in range(rng.choice([0, 1, 1, 1, 2]))]
    if rules or spec["action"] != "ALLOW":
        spec["rules"] = rules or [{}]
    meta: Json = {"name": f"p{number}", "namespace": rng.choice(["shop", "shop", "shop", "istio-system", "edge"])}
    if rng.random() < 0.06:
        meta["annotations"] = {"istio.io/dry-run": "true"}
    return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": spec}


def _peers(rng: random.Random, number: int) -> Json:
    modes = ["STRICT", "STRICT", "PERMISSIVE", "DISABLE", "UNSET"]
    spec: Json = {"mtls": {"mode": rng.choice(modes)}} if rng.random() < 0.85 else {}
    pick = rng.random()
    if pick < 0.55:
        spec["selector"] = {"matchLabels": {"app": rng.choice(["api", "db", "front"])}}
        if rng.random() < 0.75:
            spec["portLevelMtls"] = {p: {"mode": rng.choice(modes)} for p in rng.sample([8080, 9090, 5432], rng.choice([1, 2, 2]))}
    elif pick < 0.65:
        spec["selector"] = rng.choice([{}, {"matchLabels": {}}])
    meta = {"name": f"pa{number}", "namespace": rng.choice(["shop", "shop", "istio-system", "edge"]),
            "creationTimestamp": f"2024-01-{number + 1:02d}T00:00:00Z"}  # fmt: skip
    return {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": meta, "spec": spec}
