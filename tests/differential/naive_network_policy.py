"""NetworkPolicy and its admin tiers a second time: slow, obvious, on plain dictionaries, and sharing nothing with the product.

Only pods with known labels, and addresses outside; no named ports. What it says is read from the specification: isolation by selection,
the union of rules, tiers by priority, Pass leaves its tier, Baseline only where no NetworkPolicy selects.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]


def matches(selector: Json | None, labels: dict[str, str]) -> bool:
    """A label selector."""
    selector = selector or {}
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for item in selector.get("matchExpressions") or []:
        key, operator, values = item["key"], item["operator"], item.get("values") or []
        if operator == "In" and labels.get(key) not in values:
            return False
        if operator == "NotIn" and key in labels and labels[key] in values:
            return False
        if operator == "Exists" and key not in labels:
            return False
        if operator == "DoesNotExist" and key in labels:
            return False
    return True


def types_of(spec: Json) -> list[str]:
    """Directions that a NetworkPolicy isolates."""
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def peer_fits(peer: Json, end: Json, own: str, spaces: dict[str, dict[str, str]]) -> bool:
    """One peer of a NetworkPolicy rule; `end` has an `ip`, or a `namespace` and `labels`."""
    if "ipBlock" in peer:
        if "ip" not in end:
            return False
        block = peer["ipBlock"]
        inside = ip_address(end["ip"]) in ip_network(block["cidr"])
        return inside and not any(ip_address(end["ip"]) in ip_network(item) for item in block.get("except") or [])
    if "ip" in end:
        return False
    if "namespaceSelector" in peer:
        if not matches(peer["namespaceSelector"], spaces[end["namespace"]]):
            return False
    elif end["namespace"] != own:
        return False
    return matches(peer.get("podSelector"), end["labels"])


def port_fits(entry: Json, protocol: str, port: int) -> bool:
    """One port entry of a NetworkPolicy."""
    if entry.get("protocol", "TCP") != protocol:
        return False
    return "port" not in entry or entry["port"] <= port <= entry.get("endPort", entry["port"])


def admin_fits(rule: Json, side: str, end: Json, protocol: str, port: int, spaces: dict[str, dict[str, str]]) -> bool:
    """One rule of an AdminNetworkPolicy."""
    if "ports" in rule:
        numbers = [entry["portNumber"] for entry in rule["ports"]]
        if not any(number.get("protocol", "TCP") == protocol and number["port"] == port for number in numbers):
            return False
    for peer in rule[side]:
        if "networks" in peer and "ip" in end and any(ip_address(end["ip"]) in ip_network(item) for item in peer["networks"]):
            return True
        if "ip" in end:
            continue
        if "namespaces" in peer and matches(peer["namespaces"], spaces[end["namespace"]]):
            return True
        if "pods" in peer:
            pods = peer["pods"]
            if matches(pods["namespaceSelector"], spaces[end["namespace"]]) and matches(pods["podSelector"], end["labels"]):
                return True
    return False


def allowed(
    policies: list[Json], direction: str, subject: Json, peer: Json, protocol: str, port: int, spaces: dict[str, dict[str, str]]
) -> bool:
    """One direction of one connection."""
    lower, side = direction.lower(), "from" if direction == "Ingress" else "to"

    def tier(kind: str) -> str | None:
        found = [p for p in policies if p["kind"] == kind and matches(p["spec"]["subject"]["namespaces"], spaces[subject["namespace"]])]
        for policy in sorted(found, key=lambda p: p["spec"].get("priority", 0)):
            for rule in policy["spec"].get(lower) or []:
                if admin_fits(rule, side, peer, protocol, port, spaces):
                    return str(rule["action"])
        return None

    action = tier("AdminNetworkPolicy")
    if action in ("Allow", "Deny"):
        return action == "Allow"
    selecting = [
        p
        for p in policies
        if p["kind"] == "NetworkPolicy"
        and p["metadata"]["namespace"] == subject["namespace"]
        and direction in types_of(p["spec"])
        and matches(p["spec"].get("podSelector"), subject["labels"])
    ]
    if not selecting:
        return tier("BaselineAdminNetworkPolicy") != "Deny"
    for policy in selecting:
        for rule in policy["spec"].get(lower) or []:
            peers, ports = rule.get(side) or [], rule.get("ports") or []
            peer_ok = not peers or any(peer_fits(item, peer, policy["metadata"]["namespace"], spaces) for item in peers)
            if peer_ok and (not ports or any(port_fits(item, protocol, port) for item in ports)):
                return True
    return False


def verdict(policies: list[Json], source: Json, target: Json, protocol: str, port: int, spaces: dict[str, dict[str, str]]) -> str:
    """Both directions; ends that are no pods have none of their own."""
    out = "ip" in source or allowed(policies, "Egress", source, target, protocol, port, spaces)
    into = "ip" in target or allowed(policies, "Ingress", target, source, protocol, port, spaces)
    return "allowed" if out and into else "denied"
