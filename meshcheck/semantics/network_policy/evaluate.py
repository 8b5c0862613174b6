"""The verdict of one direction: the admin tier, then NetworkPolicies, then the baseline tier; and of both directions.

Sources: kubernetes/api:networking/v1/types.go; kubernetes-sigs/network-policy-api:apis/v1alpha2/clusternetworkpolicy_types.go.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Protocol

from meshcheck.model.core import Workload
from meshcheck.model.network_policy import EGRESS, INGRESS, AdminPolicy, NetworkPolicy, PolicyRule
from meshcheck.model.trace import Mention
from meshcheck.semantics.network_policy import explanation
from meshcheck.semantics.network_policy.admin import action_of
from meshcheck.semantics.network_policy.others import Others
from meshcheck.semantics.network_policy.peers import Endpoint, means, means_pods
from meshcheck.semantics.network_policy.ports import covered
from meshcheck.semantics.network_policy.side import Side
from meshcheck.semantics.network_policy.travelling import Request

if TYPE_CHECKING:
    from meshcheck.semantics.network_policy.cilium import CiliumSet


class Plugin(Protocol):
    """A network plugin that has policies of its own, and reads those of Kubernetes together with them."""

    def may_isolate(self, namespace: str, direction: str) -> bool:
        """Whether some policy of its own may close a direction for some pod of a namespace."""

    def isolates(self, end: Endpoint, direction: str) -> bool:
        """Whether some policy of its own is about a direction of a pod, or may be."""

    def signature(self, end: Endpoint) -> Hashable:
        """Equal for pods that its policies do not tell apart as callers."""

    def side(
        self,
        plain: PolicySet,
        direction: str,
        source: Endpoint,
        target: Endpoint,
        protocol: str,
        port: int,
        strict: bool,
        explain: bool,
    ) -> Side | None:
        """The answer of one direction; None for an end that no policy is about."""


class PolicySet:
    """All network policies of a World, found by pod. `others` are those of which nobody knows here what they decide; `cilium` and `calico`
    are there where policies say that the network plugin is Cilium, or Calico.
    """

    def __init__(
        self,
        policies: Iterable[NetworkPolicy],
        admin: Iterable[AdminPolicy],
        others: Others | None = None,
        cilium: CiliumSet | None = None,
        calico: Plugin | None = None,
    ) -> None:
        self.others, self.cilium, self.calico = others or Others(), cilium, calico
        self._by_namespace: dict[str, list[NetworkPolicy]] = {}
        for policy in policies:
            self._by_namespace.setdefault(policy.meta.namespace, []).append(policy)
        self._admin = sorted(admin, key=lambda p: (p.priority, p.meta.name))
        self._kept: dict[tuple[int, str], tuple[NetworkPolicy, ...]] = {}
        self._kept_admin: dict[tuple[int, str], tuple[AdminPolicy, ...]] = {}

    def selecting(self, workload: Workload, direction: str) -> tuple[NetworkPolicy, ...]:
        """NetworkPolicies that isolate a pod in a direction."""
        key = id(workload), direction
        if key not in self._kept:
            found = self._by_namespace.get(workload.namespace, ())
            self._kept[key] = tuple(p for p in found if self._closes(p, direction) and p.pods.matches(workload.pod_labels))
        return self._kept[key]

    def _closes(self, policy: NetworkPolicy, direction: str) -> bool:
        """Whether a policy is about a direction. To Cilium rules of one that `policyTypes` leaves out count all the same.

        Source: cilium/cilium:pkg/k8s/network_policy.go:ParseNetworkPolicy.
        """
        return direction in policy.directions or (self.cilium is not None and bool(policy.rules(direction)))

    @property
    def has_admin(self) -> bool:
        """Whether there are policies of the admin tiers."""
        return bool(self._admin)

    def may_isolate(self, namespace: str, direction: str) -> bool:
        """Whether some policy may close a direction for some pod of a namespace."""
        if self._admin or self.others.may_isolate(namespace, direction):
            return True
        if any(plugin is not None and plugin.may_isolate(namespace, direction) for plugin in (self.cilium, self.calico)):
            return True
        return any(self._closes(p, direction) for p in self._by_namespace.get(namespace, ()))

    def admin(self, end: Endpoint, tier: str) -> tuple[AdminPolicy, ...]:
        """Admin policies of a tier whose subject is the pod, in the order of their priority."""
        key = id(end.workload), tier
        if key not in self._kept_admin:
            found = (p for p in self._admin if p.tier == tier)
            self._kept_admin[key] = tuple(p for p in found if p.subject is not None and means_pods(p.subject, end, "") is not False)
        return self._kept_admin[key]


def evaluate(
    policies: PolicySet,
    source: Endpoint,
    target: Endpoint,
    protocol: str,
    port: int,
    *,
    strict: bool = False,
    explain: bool = True,
    directions: tuple[str, ...] = (EGRESS, INGRESS),
    request: Request | None = None,
) -> list[Side]:
    """Egress of the source and ingress of the target. A pod that calls itself is never hindered.

    `request`: what travels over the connection, for policies that look inside; None asks about the connection alone.
    """
    if source.workload is not None and source.workload is target.workload and source.workload.kind == "Pod":
        return []
    if (policies.cilium is None) != (policies.calico is None):
        in_blocks = policies.calico is not None
        source, target = source._replace(in_blocks=in_blocks), target._replace(in_blocks=in_blocks)
    out = []
    for direction, subject, peer in ((EGRESS, source, target), (INGRESS, target, source)):
        if direction not in directions:
            continue
        if policies.calico is not None and policies.cilium is None:
            found = policies.calico.side(policies, direction, source, target, protocol, port, strict, explain)
            out += [policies.others.weighed(found, subject, peer, strict)] if found is not None else []
            continue
        if subject.workload is None:
            out += _of_a_node(policies, direction, subject)
            continue
        side = _side(policies, direction, subject, peer, target, protocol, port, strict, explain)
        if policies.cilium is not None:
            side = _at_cilium(policies, policies.cilium, side, direction, subject, peer, target, protocol, port, request, explain)
        out.append(policies.others.weighed(side, subject, peer, strict))
    return out


def _of_a_node(policies: PolicySet, direction: str, subject: Endpoint) -> list[Side]:
    if policies.cilium is None or not subject.host:
        return []
    from meshcheck.semantics.network_policy.cilium import of_a_node  # few Worlds have policies of it

    found = of_a_node(policies.cilium, direction)
    return [found] if found is not None else []


def _at_cilium(
    policies: PolicySet,
    cilium: CiliumSet,
    plain: Side,
    direction: str,
    subject: Endpoint,
    peer: Endpoint,
    target: Endpoint,
    protocol: str,
    port: int,
    request: Request | None,
    explain: bool,
) -> Side:
    """What Cilium makes of the answer of NetworkPolicies; two plugins cannot both enforce policies."""
    if policies.calico is not None:
        if not (cilium.selecting(subject, direction) or policies.calico.isolates(subject, direction)):
            return plain
        fact = f"which network plugin enforces policies for {subject.workload}: those of Cilium and of Calico are both in the input"
        return Side(direction, None, plain.mentions, fact, fact)
    from meshcheck.semantics.network_policy.cilium import Connection, joined

    assert subject.workload is not None
    isolated = bool(policies.selecting(subject.workload, direction))
    tiers = bool(policies.admin(subject, "Admin") or policies.admin(subject, "Baseline"))
    call = Connection(direction, subject, peer, target, protocol, port, request, explain)
    return joined(cilium, plain, isolated, tiers, call)


def _side(
    policies: PolicySet,
    direction: str,
    subject: Endpoint,
    peer: Endpoint,
    target: Endpoint,
    protocol: str,
    port: int,
    strict: bool,
    explain: bool,
) -> Side:
    workload = subject.workload
    assert workload is not None
    selecting = policies.selecting(workload, direction)
    if subject.host and (strict or not selecting):
        return Side(direction, True, (), f"{workload} is in the host's network: policies do not apply to it")
    if workload.host_network and not strict and (selecting or policies.admin(subject, "Admin")):
        fact = f"what the network plugin does with {workload}: policies for pods in the host's network are not specified"
        return Side(direction, None, (), "pod in the host's network", fact)
    passed: list[Mention] = []
    found = _tier(policies.admin(subject, "Admin"), direction, peer, target, protocol, port, strict, passed)
    if found is not None:
        return found
    if selecting:
        return _network_policies(selecting, direction, peer, target, protocol, port, strict, explain, tuple(passed))
    found = _tier(policies.admin(subject, "Baseline"), direction, peer, target, protocol, port, strict, passed)
    return found or Side(direction, True, tuple(passed), f"no policy isolates {workload} for {direction}")


def _tier(
    policies: tuple[AdminPolicy, ...],
    direction: str,
    peer: Endpoint,
    target: Endpoint,
    protocol: str,
    port: int,
    strict: bool,
    passed: list[Mention],
) -> Side | None:
    """The first rule that matches; Pass, and no match, leave the tier."""
    decided: tuple[AdminPolicy, PolicyRule, str] | None = None
    for policy in policies:
        if decided is not None and policy.priority != decided[0].priority:
            break
        for rule in policy.rules(direction):
            action = action_of(rule, peer, target, protocol, port, strict)
            if action is False:
                continue
            if action is None:
                fact = f"whether {policy.meta.ref.kind} {policy.meta.name} rule {rule.name or rule.index} means {_end(peer)}"
                return decided_side(direction, decided) if decided else Side(direction, None, (), fact, fact)
            if decided is None:
                decided = policy, rule, str(action)
            elif decided[2] != action:
                fact = f"which of {decided[0].meta.name} and {policy.meta.name} goes first: both have priority {policy.priority}"
                return Side(direction, None, (), fact, fact)
            break
    if decided is None:
        return None
    if decided[2] == "Pass":
        passed.append(_mention(decided[0], decided[1], direction, "passes"))
        return None
    return decided_side(direction, decided)


def decided_side(direction: str, decided: tuple[AdminPolicy, PolicyRule, str]) -> Side | None:
    """The answer of a rule of an admin tier."""
    policy, rule, action = decided
    if action == "Pass":
        return None
    effect = "allows" if action == "Accept" else "denies"
    words = f"{policy.meta.ref.kind} {policy.meta.name} rule {rule.name or rule.index} {effect} it"
    return Side(direction, action == "Accept", (_mention(policy, rule, direction, effect),), words)


def _network_policies(
    selecting: tuple[NetworkPolicy, ...],
    direction: str,
    peer: Endpoint,
    target: Endpoint,
    protocol: str,
    port: int,
    strict: bool,
    explain: bool,
    passed: tuple[Mention, ...],
) -> Side:
    """The union of all rules: isolated, and only what one of them allows."""
    allowing: list[Mention] = []
    maybe: NetworkPolicy | None = None
    for policy in selecting:
        for rule in policy.rules(direction):
            if not covered(rule, target, protocol, port):
                continue
            answers = [means(p, peer, policy.meta.namespace, strict) for p in rule.peers] or [True]
            if True in answers:
                allowing.append(_mention(policy, rule, direction, "allows"))
                break
            if None in answers:
                maybe = policy
    names = ", ".join(str(m.meta.ref).partition(" ")[2] for m in allowing)
    if allowing:
        return Side(direction, True, (*passed, *allowing), f"{names} allows it")
    if maybe is not None:
        fact = f"whether {_end(peer)} is one of the peers of {maybe.meta.namespace}/{maybe.meta.name}: {_unknown_about(peer)}"
        return Side(direction, None, passed, fact, fact)
    isolating = tuple(Mention(p.meta, direction, "isolates", None, ("spec",)) for p in selecting)
    names = ", ".join(f"{p.meta.namespace}/{p.meta.name}" for p in selecting)
    reasons = explanation.explain(selecting, direction, peer, target, protocol, port, strict) if explain else ()
    return Side(
        direction, False, (*passed, *isolating), f"{names} isolates it for {direction}, and no rule allows this call", None, reasons
    )


def _unknown_about(peer: Endpoint) -> str:
    if peer.workload is not None and not peer.labels_known:
        return f"the labels of namespace {peer.workload.namespace} are not in the input"
    if peer.maybe_pod:
        return "it may be the address of a pod that is not in the input"
    return "its address is not in the input, and plugins differ in whether a block means pods"


def _end(end: Endpoint) -> str:
    return str(end.workload) if end.workload else end.address or "the caller"


def _mention(policy: NetworkPolicy | AdminPolicy, rule: PolicyRule, direction: str, effect: str) -> Mention:
    return Mention(policy.meta, direction, effect, rule.name or rule.index, rule.field)
