"""Why Cilium refuses: every rule with what it wants and what the connection has, the nearest miss first."""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.cilium import (
    CidrGroupPeer,
    CidrPeer,
    CiliumPeer,
    CiliumPorts,
    CiliumRule,
    EndpointPeer,
    EntityPeer,
    HttpRule,
    NamePeer,
    ServicePeer,
)
from meshcheck.model.network_policy import PortRange
from meshcheck.model.objects import ObjectRef
from meshcheck.model.reason import Reason
from meshcheck.semantics.network_policy.cilium.connection import Connection
from meshcheck.semantics.network_policy.cilium.identities import explain_selector
from meshcheck.semantics.network_policy.cilium.peers import Peering, any_of, means
from meshcheck.semantics.network_policy.cilium.policies import CiliumSet, Selecting
from meshcheck.semantics.network_policy.cilium.requests import admits, has, whole
from meshcheck.semantics.network_policy.ports import covers
from meshcheck.semantics.network_policy.travelling import Request


def denial(one: Selecting, rule: CiliumRule) -> tuple[Reason, ...]:
    """The rule that denies."""
    return (Reason(f"{rule.section} rule {rule.index}", True, one.policy.meta.ref, rule.field),)


def closed(policies: CiliumSet, selecting: Iterable[Selecting], call: Connection) -> tuple[Reason, ...]:
    """A reason for each rule that allows something, sorted by the number of failing conditions."""
    out: list[tuple[int, Reason]] = []
    for one in selecting:
        peering = Peering(call.subject, call.peer, one.namespace, policies.around, lambda name: policies.resolves(call.subject, name))
        for rule in one.spec.rules(call.direction):
            if not rule.denies:
                out.append(_rule(one.policy.meta.ref, rule, peering, call))
    return tuple(reason for _, reason in sorted(out, key=lambda item: item[0]))


def _rule(ref: ObjectRef, rule: CiliumRule, peering: Peering, call: Connection) -> tuple[int, Reason]:
    if rule.nothing:
        return 9, Reason(f"{rule.section} rule {rule.index} names neither peers nor ports: it allows nothing", False, ref, rule.field)
    parts, failures = [], 0
    if rule.peers is not None:
        tried = [_peer(ref, peer, peering) for peer in rule.peers]
        holds = any_of(rule, peering)
        failures += 0 if holds else min((count for count, _ in tried), default=3)
        name = str(rule.peers[0].field[-2]) if rule.peers else "peers"
        parts.append(Reason(name, holds, ref, (*rule.field, name), parts=tuple(reason for _, reason in tried)))
    if rule.ports is not None:
        spans = tuple(_port(ref, span, call) for entry in rule.ports for span in entry.ports)
        holds = any(reason.holds for reason in spans)
        failures += 0 if holds else 1
        parts.append(Reason("toPorts", holds, ref, (*rule.field, "toPorts"), parts=spans))
    return failures, Reason(f"{rule.section} rule {rule.index}", False, ref, rule.field, parts=tuple(parts))


def _peer(ref: ObjectRef, peer: CiliumPeer, peering: Peering) -> tuple[int, Reason]:
    end, holds = peering.peer, means(peer, peering)
    if isinstance(peer, EndpointPeer) and end.workload is not None and end.is_pod and not end.doubtful:
        failing = explain_selector(ref, peer.selector, end, peering.namespace, peer.field)
        return max(1, len(failing)), Reason("peer", holds, ref, peer.field, parts=tuple(failing))
    return 2 if isinstance(peer, EndpointPeer) else 1, Reason(
        str(peer.field[-2]), holds, ref, peer.field, (_wanted(peer),), _actual(peering)
    )


def _wanted(peer: CiliumPeer) -> str:
    if isinstance(peer, EndpointPeer):
        return "pods of this cluster"
    if isinstance(peer, CidrPeer):
        return peer.cidr + (f" except {', '.join(peer.excepts)}" if peer.excepts else "") + " (outside the cluster)"
    if isinstance(peer, CidrGroupPeer):
        return f"CiliumCIDRGroup {peer.name}" if peer.name else "CiliumCIDRGroups by labels"
    if isinstance(peer, EntityPeer):
        return peer.name
    if isinstance(peer, ServicePeer):
        return f"Service {peer.namespace + '/' if peer.namespace else ''}{peer.name}" if peer.name else "Services by labels"
    return (peer.name or peer.pattern) if isinstance(peer, NamePeer) else peer.what


def _actual(peering: Peering) -> str:
    end = peering.peer
    if end.workload is not None:
        return f"pod {end.workload}"
    if end.host:
        return f"node {end.node}".rstrip()
    return end.name or end.address or "an address that is not in the input"


def _port(ref: ObjectRef, span: PortRange, call: Connection) -> Reason:
    wanted = span.name or ("every port" if span.low == 0 else f"{span.low}" if span.low == span.high else f"{span.low}-{span.high}")
    wanted = f"{span.protocol} {wanted}" if span.protocol else wanted
    holds = covers(span, call.target, call.protocol, call.port)
    return Reason("port", holds, ref, span.field, (wanted,), f"{call.protocol} {call.port}")


def requests(looking: Iterable[tuple[Selecting, CiliumPorts]], request: Request) -> tuple[Reason, ...]:
    """A reason for each HTTP rule, sorted by the number of failing conditions."""
    out = [_http(one.policy.meta.ref, rule, request) for one, entry in looking for rule in entry.http]
    return tuple(reason for _, reason in sorted(out, key=lambda item: item[0]))


def _http(ref: ObjectRef, rule: HttpRule, request: Request) -> tuple[int, Reason]:
    parts = []
    texts = (("method", rule.method, request.method), ("path", rule.path, request.path), ("host", rule.host, request.authority))
    for name, wanted, actual in texts:
        if wanted:
            parts.append(Reason(name, whole(wanted, actual), ref, (*rule.field, name), (wanted,), actual))
    for header in rule.headers:
        lines = request.headers.get(header.name.lower())
        words = f"{header.name}: {header.value}" if header.value is not None else header.name
        parts.append(Reason("header", has(header, request), ref, header.field, (words,), ", ".join(lines) if lines else "no such header"))
    failing = sum(1 for part in parts if not part.holds)
    return failing, Reason(f"HTTP rule {rule.field[-1]}", admits(rule, request), ref, rule.field, parts=tuple(parts))
