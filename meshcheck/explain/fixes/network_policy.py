"""NetworkPolicies and their admin tiers: one more peer or port, one more rule, or a policy of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.causes import failing
from meshcheck.explain.fixes import calico, cilium
from meshcheck.explain.fixes.case import Candidate, Case, at, change, created, free_name, push, single, telling_labels
from meshcheck.explain.fixes.wire import Wire
from meshcheck.model.json_patch import Step
from meshcheck.model.network_policy import INGRESS
from meshcheck.model.objects import Meta, Path
from meshcheck.model.reason import Reason

_ADMIN = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways past a station of network policies."""
    wire = Wire(case)
    if case.decider is not None and case.decider.ref.kind in _ADMIN:
        yield from _admin(case, wire, case.decider)
        return
    if any(m.meta.ref.kind in cilium.KINDS for m in case.station.policies):
        yield from cilium.candidates(case, wire)
    if any(calico.is_of_calico(m.meta) for m in case.station.policies):
        yield from calico.candidates(case, wire)
    if case.decider is not None and case.station.decider is not None and case.station.decider.effect == "denies":
        return
    metas = {m.meta.ref: m.meta for m in case.station.policies if m.effect == "isolates" and m.meta.ref.kind == "NetworkPolicy"}
    for reason in case.station.reasons:
        meta = metas.get(reason.object) if reason.object else None
        raw = case.raw(meta)
        if meta is not None and raw is not None:
            yield from _near_miss(case, wire, meta, raw, reason)
    for meta in metas.values():
        raw = case.raw(meta)
        rule = _rule(wire, meta.namespace)
        if raw is not None and rule is not None and at(raw, ("spec", wire.direction)):
            wide = 0 if wire.list_name in rule else 2
            yield single(f"add a rule to {meta.ref}: {wire.words}", meta, push(raw, ("spec", wire.direction), rule), wide=wide)
    yield from _new_policy(case, wire, next(iter(metas.values()), None))


def _rule(wire: Wire, namespace: str) -> dict[str, Any] | None:
    """A rule for the connection in a policy of a namespace; for clients of which nothing is known it names the ports alone."""
    peer = wire.peer_for(namespace)
    if peer is not None:
        return {wire.list_name: [peer], "ports": wire.ports}
    return {"ports": wire.ports} if wire.anybody else None


def _near_miss(case: Case, wire: Wire, meta: Meta, raw: Mapping[str, Any], reason: Reason) -> Iterator[Candidate]:
    """A rule that lacks the port, or the peer."""
    field = _rule_of(reason.field)
    if field is None:
        return
    missed = [leaf.field for leaf in failing(reason) if leaf.field]
    ports = any("ports" in path for path in missed)
    peers = any(wire.list_name in path for path in missed)
    name = f"{wire.direction} rule {field[-1]} of {meta.ref}"
    if ports and not peers:
        yield from _other_port(case, wire, meta, raw, field)
        steps = tuple(push(raw, (*field, "ports"), port) for port in wire.ports)
        yield Candidate(f"add {wire.port_words} to the ports of {name}", ((meta, steps),))
    peer = wire.peer_for(meta.namespace)
    if peers and not ports and peer is not None and at(raw, (*field, wire.list_name)):
        step = push(raw, (*field, wire.list_name), peer)
        yield single(f"add {wire.peer_words} to the peers of {name}", meta, step, wide=int(not at(raw, (*field, "ports"))))


def _rule_of(field: Path) -> Path | None:
    """`("spec", "ingress", 0)`, whatever stands behind it."""
    return field[:3] if len(field) >= 3 and isinstance(field[2], int) else None


def _other_port(case: Case, wire: Wire, meta: Meta, raw: Mapping[str, Any], rule: Path) -> Iterator[Candidate]:
    """The port of a Service where policies see that of the pod."""
    server = wire.subject if wire.direction == INGRESS else wire.peer
    if server is None:
        return
    numbers = {port.number: service.name for service in case.world.services_of(server) for port in service.ports}
    for number, written in enumerate(at(raw, (*rule, "ports")) or ()):
        port = written.get("port") if isinstance(written, dict) else None
        if port in numbers and port != wire.port:
            words = f"write {wire.port}, the pod's port, instead of {port}, the port of Service {numbers[port]}, in {wire.direction} rule"
            step: Step = change((*rule, "ports", number, "port"), wire.port)
            yield single(f"{words} {rule[-1]} of {meta.ref}", meta, step)


def _new_policy(case: Case, wire: Wire, beside: Meta | None) -> Iterator[Candidate]:
    """A policy that opens this connection and nothing else; others stay as they are, because policies add up."""
    subject = wire.subject
    rule = _rule(wire, subject.namespace) if subject is not None else None
    if subject is None or rule is None:
        return
    other = wire.peer.name if wire.peer is not None else "address" if wire.address else "everywhere"
    verb = "from" if wire.direction == INGRESS else "to"
    name = free_name(case.world, "NetworkPolicy", subject.namespace, f"{subject.name}-{verb}-{other}")
    spec = {
        "podSelector": {"matchLabels": telling_labels(case.world, subject)},
        "policyTypes": [wire.direction.capitalize()],
        wire.direction: [rule],
    }
    near = beside or subject.meta
    new = created("NetworkPolicy", "networking.k8s.io/v1", subject.namespace, name, spec=spec)
    yield Candidate(f"add {new[0].ref}: {wire.words}", (new,), 0 if wire.list_name in rule else 2, near)


# ---- admin tiers ----


def _admin(case: Case, wire: Wire, meta: Meta) -> Iterator[Candidate]:
    """A rule in front of the one that denies; for the baseline tier a NetworkPolicy does, too."""
    if meta.ref.kind == "BaselineAdminNetworkPolicy" or at(case.raw(meta), ("spec", "tier")) == "Baseline":
        yield from _new_policy(case, wire, None)
    raw = case.raw(meta)
    number = case.station.decider.field[2] if case.station.decider is not None and len(case.station.decider.field) > 2 else None
    if raw is None or not isinstance(number, int) or wire.peer is None:
        return
    peer = {
        "pods": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": wire.peer.namespace}},
            "podSelector": {"matchLabels": telling_labels(case.world, wire.peer)},
        }
    }
    for action, words in (("Pass", "leaves it to NetworkPolicies"), ("Allow", "allows it"), ("Accept", "allows it")):
        rule = {"name": f"{action.lower()}-{wire.peer.name}"[:63], "action": action, wire.list_name: [peer]}
        step: Step = {"op": "add", "path": f"/spec/{wire.direction}/{number}", "value": rule}
        text = f"add a rule before rule {number} of {meta.ref} that {words}: {wire.direction} {wire.list_name} {wire.peer_words}"
        yield single(text, meta, step, wide=1)
