"""What NetworkPolicies select and mean among the workloads of the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers, workload_ports
from meshcheck.model.core import Selector, Workload
from meshcheck.model.foreign_policies import foreign_headings
from meshcheck.model.network_policy import EGRESS, INGRESS, NetworkPolicy, Peer, PodPeer, PolicyRule, PortRange
from meshcheck.semantics.network_policy import PolicySet
from meshcheck.semantics.network_policy.peers import Endpoint, selects_namespace
from meshcheck.semantics.network_policy.ports import covers
from meshcheck.semantics.tracing.network import KINDS, endpoint, policy_set

DIRECTIONS = (INGRESS, EGRESS)


def all_policies(evidence: Evidence) -> PolicySet:
    """The network policies of all namespaces and tiers."""
    for kind in KINDS:
        evidence.world.note(kind)
    return policy_set(evidence.world)


def end_of(evidence: Evidence, workload: Workload) -> Endpoint:
    """A workload as an end of a connection; the labels of a namespace of which no Namespace was read are not known."""

    def make() -> Endpoint:
        known = evidence.world.namespace_as_known(workload.namespace).meta is not None
        return endpoint(evidence.world, workload, "")._replace(labels_known=known)

    return evidence.once(("end", id(workload)), make)


def selected(evidence: Evidence, policy: NetworkPolicy) -> tuple[Workload, ...]:
    """Workloads that a NetworkPolicy selects, without those in the host's network."""

    def find() -> tuple[Workload, ...]:
        return tuple(w for w in _near(evidence, policy.pods, policy.meta.namespace) if not w.host_network)

    return evidence.once(("selected", id(policy)), find)


def isolating(evidence: Evidence, workload: Workload, direction: str) -> tuple[NetworkPolicy, ...]:
    """NetworkPolicies that isolate a workload in a direction."""
    return all_policies(evidence).selecting(workload, direction)


def isolated(evidence: Evidence, direction: str) -> tuple[Workload, ...]:
    """Workloads that a NetworkPolicy isolates in a direction."""
    wanted = {id(w): w for p in evidence.of("NetworkPolicy") if direction in p.directions for w in selected(evidence, p)}
    return tuple(wanted.values())


def has_admin(evidence: Evidence) -> bool:
    """Whether an admin policy may decide before any NetworkPolicy."""
    return all_policies(evidence).has_admin


def decided_elsewhere(evidence: Evidence) -> bool:
    """Whether more than NetworkPolicies decides, or may: an admin policy, or one of a network plugin or another mesh."""
    world = evidence.world
    if has_admin(evidence) or policy_set(world).others or policy_set(world).cilium is not None or policy_set(world).calico is not None:
        return True
    return world.coverage is not None and not world.complete(*(kind.heading for kind in foreign_headings().values()))


def meant(evidence: Evidence, policy: NetworkPolicy, peer: PodPeer) -> tuple[Workload, ...] | None:
    """Workloads that a peer certainly means; None where others may be meant: labels of a namespace were not read, or a pod is in
    the host's network."""

    def find() -> tuple[Workload, ...] | None:
        names = namespaces_of(evidence, policy, peer)
        if names is None:
            return None
        out = [w for name in names for w in _near(evidence, peer.pods or Selector(()), name)]
        return None if any(w.host_network for w in out) else tuple(out)

    where = policy.meta.namespace if peer.namespaces is None else like(peer.namespaces)
    return evidence.once(("meant", where, like(peer.pods) if peer.pods else ()), find)


def like(selector: Selector) -> tuple[object, ...]:
    """What a selector asks for, wherever it is written: selectors that are alike are asked once."""
    return tuple((r.key, r.operator, r.values) for r in selector.requirements)


def pod_peers(rule: PolicyRule) -> Iterator[PodPeer]:
    """Peers of a rule that mean pods."""
    return (peer for peer in rule.peers if isinstance(peer, PodPeer))


def peers_of(policy: NetworkPolicy, direction: str) -> Iterator[tuple[PolicyRule, Peer]]:
    """All peers of a direction that the policy isolates."""
    for rule in policy.rules(direction) if direction in policy.directions else ():
        yield from ((rule, peer) for peer in rule.peers)


def ports_open(evidence: Evidence, rule: PolicyRule, target: Workload) -> tuple[tuple[str, int], ...]:
    """(protocol, number) of a target's ports that a rule is for: those that it names, or all on which the target is known to serve."""
    out: list[tuple[str, int]] = []
    for span in rule.ports or (PortRange("TCP", 0, 65535, None, ()),):
        protocol = span.protocol or "TCP"
        if span.name is None and span.low == span.high:
            out.append((protocol, span.low))
        else:
            numbers = {p.number for p in target.ports if p.protocol == protocol}
            numbers |= set(workload_ports(evidence, target)) if protocol == "TCP" else set()
            out += [(protocol, n) for n in sorted(numbers) if covers(span, end_of(evidence, target), protocol, n)]
    return tuple(dict.fromkeys(out))


def covers_number(rule: PolicyRule, protocol: str, number: int) -> bool:
    """Whether a rule is for a port by its number, or for all ports."""
    return not rule.ports or any(s.name is None and s.protocol in (None, protocol) and s.low <= number <= s.high for s in rule.ports)


def is_single(span: PortRange) -> bool:
    """Whether an entry is for one port by its number."""
    return span.name is None and span.low == span.high


def _near(evidence: Evidence, pods: Selector, namespace: str) -> Iterable[Workload]:
    """Workloads of a namespace that a selector matches."""
    table = evidence.once("by label for network policies", lambda: _by_label(evidence))
    rarest = min(
        ([w for value in r.values for w in table.get((namespace, r.key, value), ())] for r in pods.requirements if r.operator == "In"),
        key=len,
        default=table.get((namespace, "", ""), []),
    )
    return [w for w in rarest if pods.matches(w.pod_labels)]


def _by_label(evidence: Evidence) -> dict[tuple[str, str, str], list[Workload]]:
    """Under each label, and under an empty one, by namespace."""
    out: dict[tuple[str, str, str], list[Workload]] = {}
    for workload in servers(evidence):
        for key, value in (*workload.pod_labels.items(), ("", "")):
            out.setdefault((workload.namespace, key, value), []).append(workload)
    return out


def namespaces_of(evidence: Evidence, policy: NetworkPolicy, peer: PodPeer) -> tuple[str, ...] | None:
    """Namespaces that a peer means; None where the labels of one that it may mean were not read."""
    wanted = peer.namespaces
    if wanted is None:
        return (policy.meta.namespace,)
    return evidence.once(("namespaces meant", like(wanted)), lambda: _namespaces(evidence, wanted))


def _namespaces(evidence: Evidence, wanted: Selector) -> tuple[str, ...] | None:
    out = []
    for namespace in evidence.world.namespaces.values():
        end = Endpoint(None, namespace, "", labels_known=namespace.meta is not None)
        answer = selects_namespace(wanted, end)
        if answer is None:
            return None
        if answer:
            out.append(namespace.name)
    return tuple(out)


def is_elsewhere(evidence: Evidence, namespace: str) -> bool:
    """Whether a namespace is one that others fill: every cluster has it, whatever the input holds."""
    return namespace.startswith("kube-") or namespace in ("default", evidence.world.mesh.root_namespace)


def targets_of(evidence: Evidence, policy: NetworkPolicy, direction: str, rule: PolicyRule) -> tuple[Workload, ...]:
    """The workloads whose ports a rule is about: those selected, or for egress those of the peers; empty where some are not known."""
    if direction == INGRESS:
        return selected(evidence, policy)
    out: list[Workload] = []
    for peer in rule.peers:
        found = meant(evidence, policy, peer) if isinstance(peer, PodPeer) else None
        if not found:
            return ()
        out += found
    return tuple(out)
