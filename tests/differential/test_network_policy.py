"""meshcheck and the naive evaluator give the same verdicts on random network policies."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.differential.naive_network_policy import verdict
from tests.support.batch import ask

Json = dict[str, Any]
WORLDS, QUESTIONS = 250, 12
SPACES = {"shop": {"team": "a", "env": "prod"}, "data": {"team": "b", "env": "prod"}, "dev": {"team": "a"}}
PODS = {
    ("shop", "web"): {"app": "web", "tier": "front"},
    ("shop", "api"): {"app": "api", "tier": "back"},
    ("data", "db"): {"app": "db", "tier": "back"},
    ("data", "cache"): {"app": "cache"},
    ("dev", "tool"): {"app": "web"},
}
ADDRESSES = ["203.0.113.7", "198.51.100.9", "203.0.113.200"]
BLOCKS = ["203.0.113.0/24", "0.0.0.0/0", "198.51.100.0/25", "203.0.113.128/25"]
PORTS = [80, 443, 8080, 8081]


def selector(draw: random.Random, keys: list[tuple[str, list[str]]]) -> Json:
    """A label selector, empty at times."""
    pick = draw.random()
    key, values = draw.choice(keys)
    if pick < 0.2:
        return {}
    if pick < 0.65:
        return {"matchLabels": {key: draw.choice(values)}}
    if pick < 0.85:
        return {
            "matchExpressions": [
                {"key": key, "operator": draw.choice(["In", "NotIn"]), "values": draw.sample(values, k=draw.randint(1, len(values)))}
            ]
        }
    return {"matchExpressions": [{"key": key, "operator": draw.choice(["Exists", "DoesNotExist"])}]}


def pods(draw: random.Random) -> Json:
    return selector(draw, [("app", ["web", "api", "db", "cache"]), ("tier", ["front", "back"])])


def spaces(draw: random.Random) -> Json:
    return selector(draw, [("team", ["a", "b"]), ("env", ["prod", "test"]), ("kubernetes.io/metadata.name", ["shop", "data", "dev"])])


def peer(draw: random.Random) -> Json:
    pick = draw.random()
    if pick < 0.3:
        block: Json = {"cidr": draw.choice(BLOCKS)}
        if block["cidr"] == "0.0.0.0/0" and draw.random() < 0.6:
            block["except"] = [draw.choice(BLOCKS[2:])]
        return {"ipBlock": block}
    if pick < 0.55:
        return {"podSelector": pods(draw)}
    return {"namespaceSelector": spaces(draw), **({"podSelector": pods(draw)} if pick < 0.8 else {})}


def port(draw: random.Random) -> Json:
    entry: Json = {"protocol": draw.choice(["TCP", "UDP"])} if draw.random() < 0.5 else {}
    if draw.random() < 0.8:
        entry["port"] = draw.choice(PORTS)
        if draw.random() < 0.3:
            entry["endPort"] = entry["port"] + draw.choice([0, 1, 5])
    return entry


def rule(draw: random.Random, side: str) -> Json:
    out: Json = {}
    if draw.random() < 0.8:
        out[side] = [peer(draw) for _ in range(draw.randint(1, 2))]
    if draw.random() < 0.6:
        out["ports"] = [port(draw) for _ in range(draw.randint(1, 2))]
    return out


def network_policy(draw: random.Random, number: int) -> Json:
    spec: Json = {"podSelector": pods(draw)}
    if draw.random() < 0.7:
        spec["policyTypes"] = draw.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    for direction, side in (("ingress", "from"), ("egress", "to")):
        if draw.random() < 0.6:
            spec[direction] = [rule(draw, side) for _ in range(draw.randint(0, 2))]
    meta = {"name": f"np{number}", "namespace": draw.choice(list(SPACES))}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def admin_policy(draw: random.Random, number: int, kind: str) -> Json:
    actions = ["Allow", "Deny", "Pass"] if kind == "AdminNetworkPolicy" else ["Allow", "Deny"]
    spec: Json = {"subject": {"namespaces": spaces(draw)}}
    if kind == "AdminNetworkPolicy":
        spec["priority"] = number
    for direction, side in (("ingress", "from"), ("egress", "to")):
        rules = []
        for _ in range(draw.randint(0, 2)):
            one: Json = (
                {"namespaces": spaces(draw)}
                if draw.random() < 0.5
                else {"pods": {"namespaceSelector": spaces(draw), "podSelector": pods(draw)}}
            )
            if side == "to" and draw.random() < 0.3:
                one = {"networks": [draw.choice(BLOCKS)]}
            found: Json = {"action": draw.choice(actions), side: [one]}
            if draw.random() < 0.4:
                found["ports"] = [{"portNumber": {"protocol": draw.choice(["TCP", "UDP"]), "port": draw.choice(PORTS)}}]
            rules.append(found)
        if rules:
            spec[direction] = rules
    name = f"a{number}" if kind == "AdminNetworkPolicy" else "default"
    return {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def world(seed: int) -> tuple[list[Json], Json]:
    """(policies, a line of a batch)."""
    draw = random.Random(seed)
    policies = [network_policy(draw, n) for n in range(draw.randint(0, 4))]
    policies += [admin_policy(draw, n, "AdminNetworkPolicy") for n in range(draw.choice([0, 0, 1, 2]))]
    policies += [admin_policy(draw, 0, "BaselineAdminNetworkPolicy")] if draw.random() < 0.3 else []
    items: list[Json] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": labels}} for n, labels in SPACES.items()
    ]
    for (namespace, name), labels in PODS.items():
        meta = {"name": name, "namespace": namespace, "labels": labels}
        items.append({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    draw.shuffle(policies)
    ends = [*({"namespace": namespace, "pod": name} for namespace, name in PODS), *({"ip": address} for address in ADDRESSES)]
    questions = []
    while len(questions) < QUESTIONS:
        source, target = draw.sample(ends, k=2)
        if "ip" in source and "ip" in target:
            continue
        call = {"from": source, "to": {**target, "port": draw.choice(PORTS)}, "protocol": draw.choice(["tcp", "udp"])}
        questions.append({"id": str(len(questions)), "layer": "network-policy", **call})
    text = "---\n".join(json.dumps(item) + "\n" for item in [*items, *policies])
    return policies, {"id": str(seed), "manifests": text, "closed_world": True, "questions": questions}


def end(value: Json) -> Json:
    """An end as the naive evaluator wants it."""
    return {"ip": value["ip"]} if "ip" in value else {"namespace": value["namespace"], "labels": PODS[value["namespace"], value["pod"]]}


def test_verdicts_are_those_of_the_naive_evaluator() -> None:
    """250 worlds, 3000 connections."""
    labels = {name: {**own, "kubernetes.io/metadata.name": name} for name, own in SPACES.items()}
    worlds = [world(seed) for seed in range(WORLDS)]
    traces = ask([line for _, line in worlds])
    tally, wrong = {"allowed": 0, "denied": 0}, []
    for policies, line in worlds:
        for question in line["questions"]:
            target = question["to"]
            want = verdict(policies, end(question["from"]), end(target), question["protocol"].upper(), target["port"], labels)
            tally[want] += 1
            got = traces[line["id"], question["id"]]["verdict"]
            if got != want:
                wrong.append(f"{line['id']} {question}: meshcheck {got}, naive {want}")
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong[:10])
    assert min(tally.values()) > 300, f"the worlds are one-sided: {tally}"
