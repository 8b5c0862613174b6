"""Why no rule allows a connection: every rule with what it wants and what the connection has, the nearest miss first."""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.model.core import Requirement, Selector
from meshcheck.model.network_policy import BlockPeer, NetworkPolicy, Peer, PodPeer, PolicyRule, PortRange
from meshcheck.model.objects import ObjectRef
from meshcheck.model.reason import Reason
from meshcheck.semantics.network_policy.peers import Endpoint, means
from meshcheck.semantics.network_policy.ports import covers


def explain(
    selecting: Iterable[NetworkPolicy], direction: str, peer: Endpoint, target: Endpoint, protocol: str, port: int, strict: bool
) -> tuple[Reason, ...]:
    """A reason for each rule, or for a policy without rules; sorted by the number of failing conditions."""
    out = weighed(selecting, direction, peer, target, protocol, port, strict)
    return tuple(reason for _, reason in sorted(out, key=lambda item: item[0]))


def weighed(
    selecting: Iterable[NetworkPolicy], direction: str, peer: Endpoint, target: Endpoint, protocol: str, port: int, strict: bool
) -> list[tuple[int, Reason]]:
    """The same reasons with the number of their failing conditions."""
    out: list[tuple[int, Reason]] = []
    for policy in selecting:
        rules = policy.rules(direction)
        ref = policy.meta.ref
        if not rules:
            out.append((99, Reason(f"isolates its pods for {direction} and has no {direction} rules", False, ref, ("spec",))))
        for rule in rules:
            out.append(_rule(policy, rule, direction, peer, target, protocol, port, strict))
    return out


def _rule(
    policy: NetworkPolicy, rule: PolicyRule, direction: str, peer: Endpoint, target: Endpoint, protocol: str, port: int, strict: bool
) -> tuple[int, Reason]:
    ref, side = policy.meta.ref, "from" if direction == "ingress" else "to"
    parts, failures = [], 0
    if rule.peers:
        tried = [_peer(ref, p, peer, policy.meta.namespace, strict) for p in rule.peers]
        holds = any(reason.holds for _, reason in tried)
        failures += 0 if holds else min(count for count, _ in tried)
        parts.append(Reason(side, holds, ref, (*rule.field, side), parts=tuple(reason for _, reason in tried)))
    if rule.ports:
        spans = tuple(_port(ref, span, target, protocol, port) for span in rule.ports)
        holds = any(reason.holds for reason in spans)
        failures += 0 if holds else 1
        parts.append(Reason("ports", holds, ref, (*rule.field, "ports"), parts=spans))
    return failures, Reason(f"{direction} rule {rule.index}", False, ref, rule.field, parts=tuple(parts))


def _peer(ref: ObjectRef, peer: Peer, end: Endpoint, namespace: str, strict: bool) -> tuple[int, Reason]:
    holds = means(peer, end, namespace, strict)
    if isinstance(peer, BlockPeer):
        wanted = peer.cidr + (f" except {', '.join(peer.excepts)}" if peer.excepts else "")
        actual = end.address or "an address that is not in the input"
        return 1, Reason("ipBlock", holds, ref, peer.field, (wanted,), actual)
    if not isinstance(peer, PodPeer):
        return 1, Reason("peer", holds, ref, peer.field)
    if end.workload is None or end.namespace is None:
        what = "an address outside the cluster" if not end.host else "a node"
        return 2, Reason("pods", False, ref, peer.field, ("pods of this cluster",), what)
    failing: list[Reason] = []
    if peer.namespaces is None:
        if end.workload.namespace != namespace:
            failing.append(
                Reason(
                    "podSelector alone", False, ref, peer.field, (f"pods of namespace {namespace}",), f"namespace {end.workload.namespace}"
                )
            )
    else:
        failing += _requirements(ref, "namespaceSelector", peer.namespaces, end.namespace.labels)
    if peer.pods is not None:
        failing += _requirements(ref, "podSelector", peer.pods, end.workload.pod_labels)
    return len(failing), Reason("peer", holds, ref, peer.field, parts=tuple(failing))


def _requirements(ref: ObjectRef, name: str, selector: Selector, labels: object) -> list[Reason]:
    assert isinstance(labels, dict)
    return [
        Reason(f"{name} {r.key}", False, ref, r.field, (_words(r),), f"{r.key}={labels[r.key]}" if r.key in labels else f"no label {r.key}")
        for r in selector.requirements
        if not r.holds(labels)
    ]


def _words(requirement: Requirement) -> str:
    if requirement.operator in ("Exists", "DoesNotExist"):
        return f"{requirement.key} {'exists' if requirement.operator == 'Exists' else 'does not exist'}"
    sign = "=" if requirement.operator == "In" and len(requirement.values) == 1 else " in " if requirement.operator == "In" else " not in "
    return f"{requirement.key}{sign}{', '.join(requirement.values)}"


def _port(ref: ObjectRef, span: PortRange, target: Endpoint, protocol: str, port: int) -> Reason:
    number = span.name or (
        "any port" if (span.low, span.high) == (0, 65535) else str(span.low) if span.low == span.high else f"{span.low}-{span.high}"
    )
    return Reason(
        "ports",
        covers(span, target, protocol, port),
        ref,
        span.field,
        (f"{span.protocol or 'any protocol'} {number}",),
        f"{protocol} {port}",
    )
