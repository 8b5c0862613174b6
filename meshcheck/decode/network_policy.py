"""NetworkPolicy and its admin tiers. Values were admitted before, so types can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.metadata import decode_selector
from meshcheck.model.core import Selector
from meshcheck.model.network_policy import (
    EGRESS,
    INGRESS,
    AdminPolicy,
    BlockPeer,
    DomainPeer,
    NetworkPolicy,
    NodePeer,
    Peer,
    PodPeer,
    PolicyRule,
    PortRange,
    UnknownPeer,
)
from meshcheck.model.objects import Meta, Path

_EMPTY: Mapping[str, Any] = {}
_LAST = 65535


def decode(value: Mapping[str, Any], meta: Meta) -> NetworkPolicy | AdminPolicy:
    """Any of the four kinds."""
    spec = value.get("spec") or _EMPTY
    return _network_policy(spec, meta) if meta.ref.kind == "NetworkPolicy" else _admin_policy(spec, meta)


def _network_policy(spec: Mapping[str, Any], meta: Meta) -> NetworkPolicy:
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return NetworkPolicy(
        meta=meta,
        pods=decode_selector(spec.get("podSelector"), ("spec", "podSelector")),
        directions=frozenset(name.lower() for name in types),
        ingress=_rules(spec.get("ingress"), "from", ("spec", INGRESS)),
        egress=_rules(spec.get("egress"), "to", ("spec", EGRESS)),
    )


def _rules(rules: Any, side: str, field: Path) -> tuple[PolicyRule, ...]:
    out = []
    for n, rule in enumerate(rules or ()):
        here, body = (*field, n), rule or _EMPTY
        out.append(
            PolicyRule(
                n,
                "",
                "Accept",
                tuple(_peer(peer, (*here, side, k)) for k, peer in enumerate(body.get(side) or ())),
                tuple(_port(port or _EMPTY, (*here, "ports", k)) for k, port in enumerate(body.get("ports") or ())),
                here,
            )
        )
    return tuple(out)


def _peer(peer: Mapping[str, Any], field: Path) -> Peer:
    block = peer.get("ipBlock")
    if block is not None:
        return BlockPeer(block["cidr"], tuple(block.get("except") or ()), (*field, "ipBlock"))
    namespaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
    return PodPeer(
        None if namespaces is None else decode_selector(namespaces, (*field, "namespaceSelector")),
        None if pods is None else decode_selector(pods, (*field, "podSelector")),
        field,
    )


def _port(port: Mapping[str, Any], field: Path) -> PortRange:
    protocol, number = port.get("protocol") or "TCP", port.get("port")
    if number is None:
        return PortRange(protocol, 0, _LAST, None, field)
    if isinstance(number, str):
        return PortRange(protocol, 0, _LAST, number, field)
    return PortRange(protocol, int(number), int(port.get("endPort") or number), None, field)


# ---- admin tiers ----


def _admin_policy(spec: Mapping[str, Any], meta: Meta) -> AdminPolicy:
    kind = meta.ref.kind
    tier = "Baseline" if kind == "BaselineAdminNetworkPolicy" else spec.get("tier") or "Admin"
    subject = _pods(spec.get("subject") or _EMPTY, ("spec", "subject"))
    return AdminPolicy(
        meta=meta,
        tier=tier,
        priority=int(spec.get("priority") or 0),
        subject=subject if isinstance(subject, PodPeer) else None,
        ingress=_admin_rules(spec.get("ingress"), "from", ("spec", INGRESS)),
        egress=_admin_rules(spec.get("egress"), "to", ("spec", EGRESS)),
    )


def _admin_rules(rules: Any, side: str, field: Path) -> tuple[PolicyRule, ...]:
    out = []
    for n, rule in enumerate(rules or ()):
        here = (*field, n)
        peers = [peer for k, raw in enumerate(rule.get(side) or ()) for peer in _admin_peer(raw or _EMPTY, (*here, side, k))]
        name = "ports" if "ports" in rule else "protocols"
        ports = [_admin_port(raw or _EMPTY, (*here, name, k)) for k, raw in enumerate(rule.get(name) or ())]
        action = "Accept" if rule.get("action") in ("Accept", "Allow") else rule.get("action") or "Deny"
        out.append(PolicyRule(n, rule.get("name") or "", action, tuple(peers), tuple(ports), here))
    return tuple(out)


def _admin_peer(peer: Mapping[str, Any], field: Path) -> list[Peer]:
    if peer.get("networks") is not None:
        return [BlockPeer(cidr, (), (*field, "networks", n), True) for n, cidr in enumerate(peer["networks"])]
    if peer.get("nodes") is not None:
        return [NodePeer(decode_selector(peer["nodes"], (*field, "nodes")), (*field, "nodes"))]
    if peer.get("domainNames") is not None:
        return [DomainPeer(tuple(peer["domainNames"]), (*field, "domainNames"))]
    return [_pods(peer, field)]


def _pods(peer: Mapping[str, Any], field: Path) -> Peer:
    """`namespaces` or `pods`; files older than 0.1.2 nest a `namespaceSelector` in `namespaces`."""
    everything = Selector(())
    if peer.get("namespaces") is not None:
        raw = peer["namespaces"]
        nested = raw.get("namespaceSelector") if isinstance(raw, dict) else None
        return PodPeer(decode_selector(nested if nested is not None else raw, (*field, "namespaces")), everything, field)
    if peer.get("pods") is not None:
        raw = peer["pods"]
        spaces = raw.get("namespaceSelector")
        if spaces is None and isinstance(raw.get("namespaces"), dict):
            spaces = raw["namespaces"].get("namespaceSelector")
        return PodPeer(
            decode_selector(spaces, (*field, "pods", "namespaceSelector")),
            decode_selector(raw.get("podSelector"), (*field, "pods", "podSelector")),
            field,
        )
    return UnknownPeer(field)


_PROTOCOLS = ("tcp", "udp", "sctp")


def _admin_port(port: Mapping[str, Any], field: Path) -> PortRange:
    """A port of v1alpha1 (`portNumber`, `portRange`, `namedPort`) or a protocol of v1alpha2."""
    if "destinationNamedPort" in port or "namedPort" in port:
        return PortRange(None, 0, _LAST, port.get("destinationNamedPort") or port.get("namedPort") or "", field)
    number = port.get("portNumber")
    if number is not None:
        return PortRange(number.get("protocol") or "TCP", int(number["port"]), int(number["port"]), None, (*field, "portNumber"))
    span = port.get("portRange")
    if span is not None:
        return PortRange(span.get("protocol") or "TCP", int(span["start"]), int(span["end"]), None, (*field, "portRange"))
    for protocol in _PROTOCOLS:
        if port.get(protocol) is not None:
            target = port[protocol].get("destinationPort") or _EMPTY
            found = target.get("range")
            if found is not None:
                return PortRange(protocol.upper(), int(found["start"]), int(found["end"]), None, (*field, protocol))
            if target.get("number") is not None:
                return PortRange(protocol.upper(), int(target["number"]), int(target["number"]), None, (*field, protocol))
            return PortRange(protocol.upper(), 0, _LAST, None, (*field, protocol))
    return PortRange("?", 0, _LAST, None, field)  # a protocol that nobody here understands: it fails closed
