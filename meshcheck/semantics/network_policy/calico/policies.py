"""The policies that are about a pod, in the order in which Calico asks them.

NetworkPolicies stand in the tier `default` at order 1000, admin policies in tiers of their own. Where an order is not known - the tier is
not in the input, or two policies have the same order, which versions of Calico settle differently - there are several arrangements.

Sources: projectcalico/calico:felix/calc/policy_sorter.go (TierLess, PolKVLess; before 3.31 the name of a policy alone, with its namespace
before it), felix/calc/event_sequencer.go (tierInfoToProtoTierInfo), api/pkg/apis/projectcalico/v3/tier.go (orders of the own tiers).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

from meshcheck.model.calico import DEFAULT, KUBE_ADMIN, KUBE_BASELINE, NAMESPACE, CalicoPolicy, CalicoTier
from meshcheck.model.calico_selectors import Expression
from meshcheck.model.network_policy import AdminPolicy, NetworkPolicy
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.network_policy.calico.labels import is_endpoint, of_pod, selected
from meshcheck.semantics.network_policy.calico.surroundings import Surroundings
from meshcheck.semantics.network_policy.peers import Endpoint

_LAST = float("inf")
_OWN_TIERS = {
    KUBE_ADMIN: (1e3, True),
    "adminnetworkpolicy": (1e3, True),
    DEFAULT: (1e6, False),
    KUBE_BASELINE: (1e7, True),
    "baselineadminnetworkpolicy": (1e7, True),
}
"""Order and whether they pass, of the tiers that Calico makes itself."""
_PLAIN_ORDER = 1000.0
_VIEWS = ("knp.default.", "kanp.", "kbanp.")
"""Names by which older versions show policies of Kubernetes among their own."""

Policy = CalicoPolicy | NetworkPolicy | AdminPolicy
Naming = Callable[[Policy], str]


class Entry(NamedTuple):
    """A policy that is about a pod, or (`sure` False) may be."""

    policy: Policy
    sure: bool


class Tier(NamedTuple):
    """A tier with those of its policies that are about a pod in one direction."""

    name: str
    passes: bool
    entries: tuple[Entry, ...]

    @property
    def sure(self) -> bool:
        """Whether one of them surely is."""
        return any(entry.sure for entry in self.entries)


class Arrangement(NamedTuple):
    """Tiers in one order in which they may stand. `doubt` says what has to be known; empty where there is only one."""

    tiers: tuple[Tier, ...]
    doubt: str = ""


class CalicoSet:
    """Calico's policies of a World, found by pod, and what they are looked up in."""

    def __init__(self, policies: Iterable[CalicoPolicy], tiers: Iterable[CalicoTier], around: Surroundings) -> None:
        self.around = around
        self._tiers = {**_OWN_TIERS}
        for tier in tiers:
            if tier.meta.name not in _OWN_TIERS:
                self._tiers[tier.meta.name] = (_LAST if tier.order is None else tier.order, tier.passes)
        self._policies = _each_once(policies)
        self._kept: dict[tuple[int, str], tuple[Entry, ...]] = {}
        self._parts: tuple[Expression, ...] | None = None
        self._alone = False

    @property
    def policies(self) -> Iterable[CalicoPolicy]:
        """All of them."""
        return self._policies

    def may_isolate(self, namespace: str, direction: str) -> bool:
        """Whether some policy may close a direction for some pod of a namespace."""
        return any(direction in p.directions and p.meta.namespace in (namespace, "") for p in self._policies)

    def about(self, end: Endpoint, direction: str) -> tuple[Entry, ...]:
        """Those that are about a pod, or may be."""
        assert end.workload is not None
        key = id(end.workload), direction
        if key not in self._kept:
            self._kept[key] = tuple(self._find(end, direction)) if is_endpoint(end) else ()
        return self._kept[key]

    def _find(self, end: Endpoint, direction: str) -> Iterable[Entry]:
        look = of_pod(end, self.around)
        for policy in self._policies:
            if direction not in policy.directions or policy.for_hosts:
                continue
            if policy.flaw and policy.meta.ref.kind == "NetworkPolicy" and policy.meta.namespace != look(NAMESPACE):
                continue
            found = selected(policy.selectors, look)
            if found is not False:
                yield Entry(policy, bool(found) and not policy.flaw)

    def signature(self, end: Endpoint) -> Hashable:
        """Equal for pods that no selector tells apart; where something looks at addresses or Services, each pod is by itself."""
        if self._parts is None:
            entities = [side for p in self._policies for rule in (*p.ingress, *p.egress) for side in (rule.source, rule.destination)]
            by_address = bool(self.around.sets) or any(e.nets or e.not_nets or e.service or e.unread for e in entities)
            written = [*(p.selectors for p in self._policies), *(e.selectors for e in entities)]
            written += [(e.excluded,) for e in entities if e.excluded is not None]
            self._parts = None if by_address else tuple(dict.fromkeys(part.expression for parts in written for part in parts))
            self._alone = by_address
        if self._alone or self._parts is None or not is_endpoint(end):
            return id(end.workload)
        look = of_pod(end, self.around)
        return tuple(expression.holds(look) for expression in self._parts)

    def arrangements(self, entries: Iterable[Entry]) -> tuple[Arrangement, ...]:
        """The orders in which policies may be asked: one, or several where something is not known."""
        by_tier: dict[str, list[Entry]] = {}
        for entry in entries:
            by_tier.setdefault(_tier_of(entry.policy), []).append(entry)
        made = [self._arranged(by_tier, naming) for naming in (_new_name, _old_name)]
        if made[0] == made[1]:
            found = [Arrangement(made[0])]
        else:
            tie = next(_tie(new, old) for new, old in zip(made[0], made[1], strict=True) if new != old)
            found = [Arrangement(tiers, tie) for tiers in made]
        for name in (name for name in by_tier if name not in self._tiers):
            found = [other for one in found for other in _with_unknown(one, name, by_tier[name])]
        return tuple(found)

    def _arranged(self, by_tier: Mapping[str, list[Entry]], naming: Naming) -> tuple[Tier, ...]:
        known = sorted((self._tiers[name][0], name) for name in by_tier if name in self._tiers)
        return tuple(
            Tier(name, self._tiers[name][1], tuple(sorted(by_tier[name], key=lambda entry: (_order(entry.policy), naming(entry.policy)))))
            for _, name in known
        )


def _each_once(policies: Iterable[CalicoPolicy]) -> tuple[CalicoPolicy, ...]:
    """A cluster may show a policy in both groups, and those of Kubernetes among Calico's own."""
    found: dict[tuple[str, str, str, str], CalicoPolicy] = {}
    for policy in policies:
        key = policy.meta.ref.kind, policy.meta.namespace, policy.tier, policy.name
        if not policy.meta.name.startswith(_VIEWS) and (key not in found or policy.meta.ref.api_version.startswith("projectcalico.org")):
            found[key] = policy
    return tuple(found.values())


def _tier_of(policy: Policy) -> str:
    if isinstance(policy, CalicoPolicy):
        return policy.tier
    if isinstance(policy, NetworkPolicy):
        return DEFAULT
    return KUBE_ADMIN if policy.tier == "Admin" else KUBE_BASELINE


def _order(policy: Policy) -> float:
    if isinstance(policy, CalicoPolicy):
        return _LAST if policy.order is None else policy.order
    return _PLAIN_ORDER if isinstance(policy, NetworkPolicy) else float(policy.priority)


def _new_name(policy: Policy) -> str:
    name = policy.name if isinstance(policy, CalicoPolicy) else policy.meta.name
    kind = "KubernetesNetworkPolicy" if isinstance(policy, NetworkPolicy) else policy.meta.ref.kind
    return f"{name}/{policy.meta.ref.namespace or ''}/{kind}"


def _old_name(policy: Policy) -> str:
    before = f"{policy.meta.namespace}/" if policy.meta.ref.namespace else ""
    if isinstance(policy, NetworkPolicy):
        return f"{before}knp.default.{policy.meta.name}"
    return f"{before}{policy.tier}.{policy.name}" if isinstance(policy, CalicoPolicy) else policy.meta.name


def _tie(new: Tier, old: Tier) -> str:
    one, other = next((a, b) for a, b in zip(new.entries, old.entries, strict=True) if a != b)
    names = " and ".join(str(entry.policy.meta.ref) for entry in (one, other))
    return f"which of {names} goes first: they have the same order, and versions of Calico differ in what they do then"


def _with_unknown(one: Arrangement, name: str, entries: Iterable[Entry]) -> list[Arrangement]:
    """A tier of which neither order nor default action is known, at every place."""
    doubt = f"order and default action of Tier {name}: it is not in the input"
    sorted_ = tuple(sorted(entries, key=lambda entry: (_order(entry.policy), _new_name(entry.policy))))
    return [
        Arrangement((*one.tiers[:place], Tier(name, passes, sorted_), *one.tiers[place:]), doubt)
        for place in range(len(one.tiers) + 1)
        for passes in (False, True)
    ]
