"""Random worlds of pods, addresses and policies, for Cilium's engine and for meshcheck."""

from __future__ import annotations

import random
from typing import Any

from tests.differential.test_network_policy import network_policy

Json = dict[str, Any]
SPACES = {"shop": {"team": "a", "env": "prod"}, "data": {"team": "b", "env": "prod"}, "dev": {"team": "a"}}
PODS: dict[tuple[str, str], Json] = {
    ("shop", "web"): {"labels": {"app": "web", "tier": "front"}, "ports": [("http", 8080, "TCP")]},
    ("shop", "api"): {"labels": {"app": "api", "tier": "back"}, "ports": [("http", 80, "TCP"), ("dns", 8081, "UDP")]},
    ("data", "db"): {"labels": {"app": "db", "tier": "back"}, "ports": [("http", 443, "TCP")]},
    ("data", "cache"): {"labels": {"app": "cache"}, "ports": []},
    ("dev", "tool"): {"labels": {"app": "web"}, "ports": [("http", 8081, "TCP")]},
}
ADDRESSES = ["203.0.113.7", "198.51.100.9", "203.0.113.200"]
BLOCKS = ["203.0.113.0/24", "0.0.0.0/0", "198.51.100.0/25", "203.0.113.128/25", "10.0.0.0/8"]
PORTS = [80, 443, 8080, 8081]
_KEYS = [
    ("app", ["web", "api", "db", "cache"]),
    ("k8s:app", ["web", "api"]),
    ("any:tier", ["front", "back"]),
    ("k8s:io.kubernetes.pod.namespace", ["shop", "data", "dev"]),
    ("io.kubernetes.pod.namespace", ["shop", "data"]),
    ("k8s:io.cilium.k8s.namespace.labels.team", ["a", "b"]),
    ("io.cilium.k8s.policy.serviceaccount", ["default", "other"]),
]


def selector(draw: random.Random, keys: int = len(_KEYS)) -> Json:
    """A label selector, empty at times."""
    out: Json = {}
    for _ in range(draw.choice([0, 1, 1, 1, 2])):
        key, values = draw.choice(_KEYS[:keys])
        if draw.random() < 0.7:
            out.setdefault("matchLabels", {})[key] = draw.choice(values)
            continue
        operator = draw.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        wanted = {"values": draw.sample(values, k=draw.randint(1, len(values)))} if operator.endswith("In") else {}
        out.setdefault("matchExpressions", []).append({"key": key, "operator": operator, **wanted})
    return out


def peers(draw: random.Random, side: str) -> Json:
    """The members of a rule that say who."""
    pick = draw.random()
    if pick < 0.15:
        return {}
    if pick < 0.6:
        return {f"{side}Endpoints": [selector(draw) for _ in range(draw.choice([0, 1, 1, 2]))]}
    if pick < 0.72:
        return {f"{side}CIDR": [draw.choice([*BLOCKS, "203.0.113.7"]) for _ in range(draw.randint(1, 2))]}
    if pick < 0.84:
        entry: Json = {"cidr": draw.choice(BLOCKS[:2])}
        if draw.random() < 0.6:
            entry["except"] = ["203.0.113.128/25"]
        return {f"{side}CIDRSet": [entry]}
    return {f"{side}Entities": [draw.choice(["all", "world", "cluster", "none", "host", "remote-node"]) for _ in range(draw.randint(1, 2))]}


def ports(draw: random.Random, looks_inside: bool) -> Json:
    """The member of a rule that says on which ports; with rules for requests where that may be."""
    if draw.random() < 0.35:
        return {}
    entries = []
    for _ in range(draw.randint(1, 2)):
        inside = looks_inside and draw.random() < 0.3
        written = []
        for _ in range(draw.choice([0, 1, 1, 1, 2]) if not inside else 1):
            port: Json = {"port": draw.choice([*map(str, PORTS), "http"] + ([] if inside else ["0", "dns"]))}
            if inside:
                port["protocol"] = "TCP"
            elif draw.random() < 0.5:
                port["protocol"] = draw.choice(["TCP", "UDP", "ANY"])
            if port["port"].isdigit() and port["port"] != "0" and draw.random() < 0.3 and not inside:
                port["endPort"] = int(port["port"]) + draw.choice([0, 1, 5])
            written.append(port)
        entry: Json = {"ports": written} if written or draw.random() < 0.5 else {}
        if inside:
            entry["rules"] = {"http": [{"method": "GET", "path": "/a"}]}
        entries.append(entry)
    return {"toPorts": entries}


def spec(draw: random.Random) -> Json:
    """One rule of Cilium: a subject, and lists of what is allowed and denied."""
    out: Json = {"endpointSelector": selector(draw, 3)}
    for direction, side in (("ingress", "from"), ("egress", "to")):
        if draw.random() < 0.6:
            out[direction] = [{**peers(draw, side), **ports(draw, True)} for _ in range(draw.randint(0, 2))]
        if draw.random() < 0.3:
            out[f"{direction}Deny"] = [{**peers(draw, side), **ports(draw, False)} for _ in range(draw.randint(1, 2))]
    if draw.random() < 0.25:
        out["enableDefaultDeny"] = {draw.choice(["ingress", "egress"]): draw.random() < 0.5}
    return out


def policies(draw: random.Random) -> list[Json]:
    """Some policies of all three kinds; at least one is Cilium's."""
    out: list[Json] = []
    for number in range(draw.randint(1, 4)):
        clusterwide = draw.random() < 0.3
        kind = "CiliumClusterwideNetworkPolicy" if clusterwide else "CiliumNetworkPolicy"
        meta: Json = {"name": f"c{number}"} if clusterwide else {"name": f"c{number}", "namespace": draw.choice(list(SPACES))}
        out.append({"apiVersion": "cilium.io/v2", "kind": kind, "metadata": meta, "spec": spec(draw)})
    return out + [network_policy(draw, number) for number in range(draw.choice([0, 0, 1, 2]))]


def manifests() -> list[Json]:
    """Namespaces and pods."""
    spaces: list[Json] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": v}} for n, v in SPACES.items()]
    for number, ((namespace, name), pod) in enumerate(PODS.items()):
        container = {"name": "a", "image": "b", "ports": [{"name": p, "containerPort": n, "protocol": t} for p, n, t in pod["ports"]]}
        meta = {"name": name, "namespace": namespace, "labels": pod["labels"]}
        status = {"podIP": f"10.1.0.{number + 1}"}
        spaces.append({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}, "status": status})
    server: Json = {"name": "kubernetes", "namespace": "default"}
    slices = {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}}
    ports = [{"name": "https", "port": 443}]
    spaces.append({"apiVersion": "v1", "kind": "Service", "metadata": server, "spec": {"ports": ports, "clusterIP": "10.96.0.1"}})
    endpoints = {"addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}], "ports": ports}
    return [*spaces, {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": slices, **endpoints}]


def ends() -> list[Json]:
    """The same, as identities of Cilium."""
    out: list[Json] = []
    for number, ((namespace, _), pod) in enumerate(PODS.items()):
        labels = [f"k8s:{key}={value}" for key, value in pod["labels"].items()]
        labels.append(f"k8s:io.kubernetes.pod.namespace={namespace}")
        spaces = {**SPACES[namespace], "kubernetes.io/metadata.name": namespace}
        labels += [f"k8s:io.cilium.k8s.namespace.labels.{key}={value}" for key, value in spaces.items()]
        labels += ["k8s:io.cilium.k8s.policy.serviceaccount=default", "k8s:io.cilium.k8s.policy.cluster=default"]
        named = {kind: {name: port for name, port, protocol in pod["ports"] if protocol == kind.upper()} for kind in ("tcp", "udp")}
        out.append({"id": 1001 + number, "labels": labels, **named})
    return out + [{"id": 2001 + number, "cidr": f"{address}/32"} for number, address in enumerate(ADDRESSES)]
