"""Which callers the network policies of a target, and their own, cannot tell apart.

Most policies name a few callers by their labels: those are found by label, and all others are one group. So the cost does not grow with
the number of pairs. Whether a peer means a pod is asked of `semantics.network_policy.peers`. Where policies look at more than
labels (addresses, nodes, admin tiers, pods in the host's network), the answer is `None`: the pair has to be asked about by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from meshcheck.model.core import Selector, Workload
from meshcheck.model.network_policy import EGRESS, INGRESS, NetworkPolicy, PodPeer, PolicyRule
from meshcheck.semantics.network_policy.peers import means_pods
from meshcheck.semantics.tracing import network
from meshcheck.semantics.world import World

Ports = tuple[tuple[str | None, int, int, str | None], ...]
Meant = frozenset[tuple[Ports, bool | None]]
"""The ports of rules that mean a pod, each with the answer (True, or None for unknown): what is allowed follows from that."""
_NONE: Meant = frozenset()


class Wires:
    """The network policies of one World, as they tell callers apart."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._policies = network.policy_set(world)
        for kind in network.KINDS:
            world.note(kind, knowing=True)  # each answer about a pair notes what it blindly rests on
        self._by_label: dict[tuple[str, str], list[Workload]] = defaultdict(list)
        for workload in world.workloads:
            for label in workload.pod_labels.items():
                self._by_label[label].append(workload)
        self._means: dict[Hashable, dict[int, bool | None]] = {}
        self._ingress: dict[int, dict[int, Meant] | None] = {}
        self._everybody: dict[int, Meant] = {}
        self._reached: dict[int, dict[int, Meant]] | None = None
        self._selecting: dict[int, tuple[NetworkPolicy, ...] | None] = {}

    @property
    def looks_inside(self) -> bool:
        """Whether policies may look at requests: then what they make of a connection alone does not tell callers apart."""
        return self._policies.cilium is not None

    def key(self, source: Workload, target: Workload) -> Hashable | None:
        """The same for callers that fare alike at a target; None where the pair has to be asked about by itself."""
        if self._policies.has_admin or source.host_network or target.host_network:
            return None
        admitted, sending = self._admitted(target), self._sending_of(source)
        if admitted is None or sending is None:
            return None
        others = self._policies.others.about(network.endpoint(self.world, source, ""), EGRESS, False) if self._policies.others else ()
        told: Hashable = tuple(str(other) for other in others)
        if self._policies.cilium is not None:
            told = told, self._policies.cilium.signature(network.endpoint(self.world, source, ""))
        if self._policies.calico is not None:
            told = told, self._policies.calico.signature(network.endpoint(self.world, source, ""))
        if not sending:
            return admitted.get(id(source), _NONE), None, told
        tables = self._tables()
        reached = tables.get(id(target), {})
        meant = _NONE.union(*(reached.get(id(p), _NONE) | self._everybody.get(id(p), _NONE) for p in sending))
        return admitted.get(id(source), _NONE), meant, told

    def said(self, source: Workload, target: Workload) -> Hashable | None:
        """What the policies of both ends say to the pair, to be compared with what another World says; None where that is not known."""
        if self._policies.cilium is not None or self._policies.calico is not None:
            return None
        found = self.key(source, target)
        isolated = bool(self._policies.selecting(target, INGRESS)), bool(self._policies.selecting(source, EGRESS))
        shut = self._policies.others.about(network.endpoint(self.world, target, ""), INGRESS) if self._policies.others else ()
        return None if found is None else (isolated, found, tuple(str(other) for other in shut))

    def _admitted(self, target: Workload) -> dict[int, Meant] | None:
        """Callers that a peer of the target's policies means; all others are not meant."""
        if id(target) not in self._ingress:
            found: dict[int, Meant] | None = {}
            for policy in self._policies.selecting(target, INGRESS):
                found = self._gather(policy, policy.ingress, found)
            self._ingress[id(target)] = found
        return self._ingress[id(target)]

    def _gather(self, policy: NetworkPolicy, rules: Iterable[PolicyRule], found: dict[int, Meant] | None) -> dict[int, Meant] | None:
        """Adds the pods that peers of some rules mean; None where a peer is more than pods."""
        for rule in rules:
            ports = _ports(rule)
            for peer in rule.peers:
                if found is None or not isinstance(peer, PodPeer):
                    return None
                for pod, answer in self._pods(peer, policy.meta.namespace).items():
                    found[pod] = found.get(pod, _NONE) | {(ports, answer)}
        return found

    def _sending_of(self, source: Workload) -> tuple[NetworkPolicy, ...] | None:
        """The caller's own policies; None where they name more than pods."""
        if id(source) not in self._selecting:
            selecting = self._policies.selecting(source, EGRESS)
            plain = all(isinstance(peer, PodPeer) for policy in selecting for rule in policy.egress for peer in rule.peers)
            self._selecting[id(source)] = selecting if plain else None
        return self._selecting[id(source)]

    def _tables(self) -> dict[int, dict[int, Meant]]:
        """For each pod the policies with a peer that means it as a target. Rules without peers mean everybody: they are kept beside."""
        if self._reached is None:
            self._reached = defaultdict(dict)
            for policy in self.world.inventory.of("NetworkPolicy"):
                if EGRESS not in policy.directions and self._policies.cilium is None:
                    continue
                self._everybody[id(policy)] = frozenset((_ports(rule), True) for rule in policy.egress if not rule.peers)
                for pod, meant in (self._gather(policy, policy.egress, {}) or {}).items():
                    self._reached[pod][id(policy)] = meant
        return self._reached

    def _pods(self, peer: PodPeer, namespace: str) -> dict[int, bool | None]:
        """The pods that a peer means, or may mean."""
        key = (_plain(peer.namespaces), _plain(peer.pods), namespace if peer.namespaces is None else "")
        if key not in self._means:
            pods = (w for w in self._candidates(peer.pods) if not w.host_network)
            answers = {id(w): means_pods(peer, network.endpoint(self.world, w, ""), namespace) for w in pods}
            self._means[key] = {pod: answer for pod, answer in answers.items() if answer is not False}
        return self._means[key]

    def _candidates(self, pods: Selector | None) -> Iterable[Workload]:
        """Pods that have the label that a selector asks for first; all, where it asks for none."""
        for requirement in pods.requirements if pods is not None else ():
            if requirement.operator == "In":
                return [w for value in requirement.values for w in self._by_label.get((requirement.key, value), ())]
        return self.world.workloads


def _plain(selector: Selector | None) -> Hashable:
    """A selector without the place where it stands."""
    return None if selector is None else tuple((r.key, r.operator, r.values) for r in selector.requirements)


def _ports(rule: PolicyRule) -> Ports:
    return tuple((span.protocol, span.low, span.high, span.name) for span in rule.ports)
