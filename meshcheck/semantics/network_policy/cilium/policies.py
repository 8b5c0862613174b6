"""The Cilium policies of a World, found by pod."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshcheck.model.cilium import CiliumPolicy, CiliumRule, CiliumSpec, EndpointPeer, NamePeer, ServicePeer
from meshcheck.model.core import Selector, Service
from meshcheck.model.network_policy import EGRESS
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.network_policy.cilium.identities import is_bound, selects
from meshcheck.semantics.network_policy.cilium.names import matches
from meshcheck.semantics.network_policy.cilium.peers import Surroundings
from meshcheck.semantics.network_policy.peers import Endpoint


class Selecting(NamedTuple):
    """One spec that selects a pod, or (`sure` False) may select it."""

    policy: CiliumPolicy
    spec: CiliumSpec
    sure: bool

    @property
    def namespace(self) -> str:
        return self.policy.meta.namespace


class CiliumSet:
    """All Cilium policies of a World."""

    def __init__(self, policies: Iterable[CiliumPolicy], around: Surroundings) -> None:
        self.around = around
        self.policies = tuple(policies)
        self._clusterwide: list[tuple[CiliumPolicy, CiliumSpec]] = []
        self._by_namespace: dict[str, list[tuple[CiliumPolicy, CiliumSpec]]] = {}
        for policy in self.policies:
            namespace = policy.meta.ref.namespace
            kept = self._clusterwide if namespace is None else self._by_namespace.setdefault(namespace, [])
            kept += [(policy, spec) for spec in policy.specs if spec.ingress or spec.egress]
        self._selectors: dict[str, list[tuple[Selector, str | None]]] = {}
        self._services: list[ServicePeer] = []
        for policy in self.policies:
            for spec in policy.specs:
                self._gather(policy.meta.namespace, spec)
        self._kept: dict[tuple[int, bool, str], tuple[Selecting, ...]] = {}

    def _gather(self, namespace: str, spec: CiliumSpec) -> None:
        """The selectors of a spec, under the namespace whose pods alone they can mean."""
        if spec.subject is not None:
            self._selectors.setdefault(namespace, []).append((spec.subject, None))
        for peer in (peer for rule in (*spec.ingress, *spec.egress) for peer in rule.peers or ()):
            if isinstance(peer, EndpointPeer):
                where = "" if is_bound(peer.selector) else namespace
                self._selectors.setdefault(where, []).append((peer.selector, namespace))
            elif isinstance(peer, ServicePeer):
                self._services.append(peer)

    def _near(self, namespace: str) -> Iterator[tuple[CiliumPolicy, CiliumSpec]]:
        yield from self._by_namespace.get(namespace, ())
        yield from self._clusterwide

    def selecting(self, end: Endpoint, direction: str) -> tuple[Selecting, ...]:
        """Specs with rules of a direction that select a pod."""
        key = id(end.workload), end.labels_known, direction
        if key not in self._kept:
            self._kept[key] = tuple(self._find(end, direction))
        return self._kept[key]

    def _find(self, end: Endpoint, direction: str) -> Iterator[Selecting]:
        workload = end.workload
        if workload is None or end.host or workload.host_network or workload.kind == "WorkloadEntry":
            return
        for policy, spec in self._near(workload.namespace):
            if spec.rules(direction) and spec.subject is not None:
                answer = selects(spec.subject, end, None)
                if answer is not False:
                    yield Selecting(policy, spec, answer is True)

    def about_nodes(self, direction: str) -> CiliumPolicy | None:
        """A policy for nodes, which Cilium enforces where its host firewall is on."""
        return next((p for p, spec in self._clusterwide if spec.subject is None and spec.rules(direction)), None)

    def may_isolate(self, namespace: str, direction: str) -> bool:
        """Whether some policy may close a direction for some pod of a namespace."""
        return any(spec.rules(direction) for _, spec in self._near(namespace))

    def resolves(self, end: Endpoint, name: str) -> bool | None:
        """Whether Cilium's DNS proxy sees the answers for a name that a pod asks for: a rule for DNS lets the question through.

        None where only rules of other pods do: what those have asked for on the same node is known as well.
        """
        own = {id(one.spec) for one in self.selecting(end, EGRESS) if one.sure}
        seen = [id(spec) in own for p in self.policies for spec in p.specs if any(asks(rule, name) for rule in spec.egress)]
        return True if True in seen else None if seen else False

    def signature(self, end: Endpoint) -> tuple[object, ...]:
        """Equal for pods that no selector tells apart, of policies' own pods or of peers; those for nodes and addresses mean no pod."""
        assert end.workload is not None
        own = self._selectors.get(end.workload.namespace, ())
        found: list[object] = [end.workload.namespace if own else ""]
        found += [selects(selector, end, namespace) for selector, namespace in (*own, *self._selectors.get("", ()))]
        labels = end.workload.pod_labels.items()
        found += [
            end.workload.namespace == s.namespace and (s.selector or {}).items() <= labels for s in self.around.services if self._named(s)
        ]
        return tuple(found)

    def _named(self, service: Service) -> bool:
        return bool(service.selector) and any(
            peer.namespace in ("", service.namespace) and (peer.selector is not None or peer.name == service.name)
            for peer in self._services
        )


def asks(rule: CiliumRule, name: str) -> bool:
    """Whether a rule lets questions for a name through the DNS proxy."""
    dns: Iterator[NamePeer] = (wanted for entry in rule.ports or () for wanted in entry.dns)
    return not rule.denies and any(matches(wanted, name) for wanted in dns)
