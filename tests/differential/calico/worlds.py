"""Random worlds with Calico's policies: small enough that policies meet, with every field that Calico's checker knows."""

from __future__ import annotations

import random
from typing import Any

Object = dict[str, Any]
KEYS = ("app", "role", "env")
VALUES = ("a", "b", "ab", "")
OUTSIDE = ("203.0.113.7", "203.0.113.77", "198.51.100.1")
BLOCKS = ("10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/30", "203.0.113.0/24", "203.0.113.0/28", "0.0.0.0/0", "10.1.1.2/32")
SET_BLOCKS = ("10.0.0.0/8", "10.1.0.0/16", "203.0.113.0/24", "198.51.100.1/32", "10.1.1.2/32", "10.1.0.0/24")
"""No block from /25 to /31: app-policy/policystore/ipset.go does not find addresses in those (the sets of a kernel do)."""
PORTS: tuple[int | str, ...] = (80, 443, "80:443", "1:1024", 8080)
ASKED_PORTS = (80, 443, 8080)
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}


def selector(rng: random.Random, depth: int = 0) -> str:
    """An expression as Calico takes it, with everything that its grammar has."""
    if depth < 3 and rng.random() < 0.35:
        inner = [selector(rng, depth + 1) for _ in range(rng.choice((2, 2, 3)))]
        text = rng.choice((" && ", " || ", "&&", " ||\t")).join(inner)
        return f"({text})" if rng.random() < 0.6 else text
    if rng.random() < 0.15:
        return rng.choice(("!", "! ", "!!")) + selector(rng, 3)
    key, value = rng.choice((*KEYS, "none", "in", "x.y/z-1")), rng.choice(VALUES)
    quote = rng.choice("'\"")
    form = rng.randrange(9)
    if form == 0:
        return rng.choice(("all()", "all( )", "!all()"))
    if form <= 1:
        return f"has({rng.choice((key, f' {key} '))})"
    if form <= 4:
        return f"{key}{rng.choice((' == ', '==', ' != ', '!='))}{quote}{value}{quote}"
    if form <= 6:
        values = ", ".join(f"{quote}{item}{quote}" for item in rng.sample(VALUES, rng.randrange(4)))
        return f"{key} {rng.choice(('in', 'not in', 'notin', 'not  in'))} {{{values}}}"
    operator = rng.choice(("contains", "starts with", "ends with", "startswith", "ends \t with"))
    return f"{key} {operator} {quote}{value}{quote}"


def broken(rng: random.Random) -> str:
    """A selector in which something was cut out, put in or swapped: most are none any more."""
    text = list(selector(rng))
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(len(text) + 1)
        if rng.random() < 0.5 and text:
            del text[min(place, len(text) - 1)]
        else:
            text.insert(place, rng.choice(["(", ")", "'", '"', "{", "}", ",", "=", "!", "&", "|", " ", "\n", "a", "in", " not ", "has("]))
    return "".join(text)


def labels(rng: random.Random) -> dict[str, str]:
    """Labels of a pod, a namespace, a service account or a set."""
    return {key: rng.choice(VALUES) for key in (*KEYS, "in", "x.y/z-1") if rng.random() < 0.5}


def world(rng: random.Random) -> list[Object]:
    """All objects of a world."""
    spaces = ("one", "two")
    out = [_object("v1", "Namespace", name, labels=labels(rng)) for name in spaces]
    out += [_object("v1", "ServiceAccount", name, space, labels=labels(rng)) for space in spaces for name in ("default", "robot")]
    out += [_pod(rng, space, number) for space in spaces for number in range(rng.choice((2, 3)))]
    out.append(_object("projectcalico.org/v3", "Tier", "default", spec={"order": 1000000, "defaultAction": "Deny"}))
    tiers = ["default", *rng.sample(["early", "equal", "late", "unordered"], rng.randrange(4))]
    orders = {"early": 5, "equal": 5, "late": 2000000, "unordered": None}
    for name in tiers[1:]:
        spec = {"defaultAction": rng.choice(("Deny", "Pass")), **({"order": orders[name]} if orders[name] is not None else {})}
        out.append(_object("projectcalico.org/v3", "Tier", name, spec=spec))
    for number in range(rng.choice((1, 2, 3, 4))):
        out.append(_policy(rng, rng.choice(tiers), number, rng.choice(("", *spaces))))
    for number in range(rng.choice((0, 0, 1, 2))):
        out.append(_plain(rng, number, rng.choice(spaces)))
    for number in range(rng.choice((0, 1, 2))):
        space = rng.choice(("", *spaces))
        kind = "NetworkSet" if space else "GlobalNetworkSet"
        nets = rng.sample(SET_BLOCKS, rng.choice((1, 2)))
        out.append(_object("projectcalico.org/v3", kind, f"set{number}", space, labels=labels(rng), spec={"nets": nets}))
    return out


def _object(api: str, kind: str, name: str, namespace: str = "", labels: dict[str, str] | None = None, **rest: Any) -> Object:
    meta: Object = {"name": name, **({"namespace": namespace} if namespace else {}), **({"labels": labels} if labels else {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **rest}


def _pod(rng: random.Random, space: str, number: int) -> Object:
    spec = {"serviceAccountName": rng.choice(("default", "robot")), "containers": [{"name": "c", "image": "i"}]}
    address = f"10.1.{('one', 'two').index(space)}.{number + 1}"
    status = {"podIP": address, "podIPs": [{"ip": address}]}
    return _object("v1", "Pod", f"pod{number}", space, labels(rng), spec=spec, status=status)


def _policy(rng: random.Random, tier: str, number: int, space: str) -> Object:
    kind = "NetworkPolicy" if space else "GlobalNetworkPolicy"
    name = f"p{number}" if tier == "default" else f"{tier}.p{number}"
    spec: Object = {"tier": tier, "selector": rng.choice(("all()", selector(rng), selector(rng)))}
    if rng.random() < 0.8:
        spec["order"] = rng.choice((10, 20, 20.5, 1000, 3000))
    if rng.random() < 0.25:
        spec["serviceAccountSelector"] = selector(rng)
    if not space and rng.random() < 0.25:
        spec["namespaceSelector"] = rng.choice((selector(rng), "projectcalico.org/name == 'one'"))
    for side in ("ingress", "egress"):
        if rng.random() < 0.7:
            spec[side] = [_rule(rng) for _ in range(rng.choice((1, 2, 3)))]
    if rng.random() < 0.5:
        spec["types"] = rng.choice((["Ingress"], ["Egress"], ["Ingress", "Egress"]))
    return _object("projectcalico.org/v3", kind, name, space, spec=spec)


def _rule(rng: random.Random) -> Object:
    rule: Object = {"action": rng.choice(("Allow", "Allow", "Deny", "Pass", "Log"))}
    protocol = rng.choice((None, "TCP", "UDP", "SCTP", 6, 17, "ICMP", 47))
    if protocol is not None:
        rule["protocol"] = protocol
    elif rng.random() < 0.2:
        rule["notProtocol"] = rng.choice(("TCP", 17))
    for end in ("source", "destination"):
        if rng.random() < 0.6:
            rule[end] = _entity(rng)
    if protocol in ("TCP", "UDP", "SCTP", 6, 17) and rng.random() < 0.5:
        rule.setdefault("destination", {})[rng.choice(("ports", "ports", "notPorts"))] = rng.sample(PORTS, rng.choice((1, 2)))
    return rule


def _entity(rng: random.Random) -> Object:
    found: Object = {}
    if rng.random() < 0.4:
        found["selector"] = selector(rng)
    if rng.random() < 0.2:
        found["notSelector"] = selector(rng)
    if rng.random() < 0.3:
        found["namespaceSelector"] = rng.choice((selector(rng), "all()", "global()", "projectcalico.org/name == 'two'"))
    if rng.random() < 0.2:
        found["nets"] = rng.sample(BLOCKS, rng.choice((1, 2)))
    if rng.random() < 0.15:
        found["notNets"] = rng.sample(BLOCKS[:5], rng.choice((1, 2)))
    if rng.random() < 0.15:
        found["serviceAccounts"] = rng.choice(
            ({"names": ["robot"]}, {"selector": selector(rng)}, {"names": ["default"], "selector": "all()"})
        )
    return found


def _plain(rng: random.Random, number: int, space: str) -> Object:
    """A NetworkPolicy of Kubernetes."""

    def chosen() -> Object:
        key = rng.choice(KEYS)
        return rng.choice(({}, {"matchLabels": {key: rng.choice(VALUES)}}, {"matchExpressions": [{"key": key, "operator": "Exists"}]}))

    def peer() -> Object:
        form = rng.randrange(4)
        if form == 0:
            return {"ipBlock": {"cidr": "10.1.0.0/16", **({"except": ["10.1.0.0/30"]} if rng.random() < 0.5 else {})}}
        return {
            **({"podSelector": chosen()} if form != 1 else {}),
            **({"namespaceSelector": chosen()} if form != 2 else {}),
        }

    def rule(side: str) -> Object:
        ports = [
            {"protocol": rng.choice(("TCP", "UDP")), "port": rng.choice((80, 443))},
            {"protocol": "SCTP"},
            {"port": 80, "endPort": 500},
        ]
        return {
            **({side: [peer() for _ in range(rng.choice((1, 2)))]} if rng.random() < 0.8 else {}),
            **({"ports": rng.sample(ports, rng.choice((1, 2)))} if rng.random() < 0.5 else {}),
        }

    types = rng.choice((["Ingress"], ["Egress"], ["Ingress", "Egress"]))
    spec: Object = {"podSelector": chosen(), "policyTypes": types}
    for side, list_name in (("ingress", "from"), ("egress", "to")):
        if side.capitalize() in types:
            spec[side] = [rule(list_name) for _ in range(rng.randrange(3))]
    return _object("networking.k8s.io/v1", "NetworkPolicy", f"k{number}", space, spec=spec)
